// SPDX-License-Identifier: Apache-2.0
#include "contract/channel/channel_contract.hpp"

#include "fakes/fake_channel.hpp"
#include "integration/tls/tls_rig.hpp"

using namespace wayseal;

namespace {

class FakeRig {
 public:
  Channel& channel() { return channel_; }
  void serve_lines() {
    channel_.set_peer([this](std::string& received, std::string& to_send) {
      for (size_t end = received.find('\n'); end != std::string::npos; end = received.find('\n')) {
        const std::string line = received.substr(0, end);
        received.erase(0, end + 1);
        if (line == "CLOSE") {
          channel_.close_by_peer();
        } else {
          to_send.append(line.rbegin(), line.rend());
          to_send += '\n';
        }
      }
    });
  }
  void serve_nothing() { channel_.fail_opening(Status::kDisconnected, ChannelFailure::kUnreachable); }
  void serve_refusal() { channel_.refuse_certificate(); }

 private:
  fakes::FakeChannel channel_{[](std::string&, std::string&) {}};
};

class TlsContractRig {
 public:
  explicit TlsContractRig(test::TlsRig::Line line = test::TlsRig::Line::kPlain) : rig_(line) {}

  Channel& channel() {
    REQUIRE(rig_.configured == Status::kOk);
    return *rig_.channel;
  }
  void serve_lines() { rig_.serve(rig_.pki.server_options()); }
  void serve_nothing() {
    rig_.serve(rig_.pki.server_options());
    const std::string port = rig_.server->port();
    rig_.server.reset();
    rig_.connect_to(port);
  }
  void serve_refusal() {
    test::ServerOptions options = rig_.pki.server_options();
    options.client_cas = {fakes::make_root(fakes::root_spec("another vehicle ca"))};
    rig_.serve(options);
  }

 private:
  test::TlsRig rig_;
};

/// The same over a line that takes and gives single bytes.
class ThrottledTlsRig : public TlsContractRig {
 public:
  ThrottledTlsRig() : TlsContractRig(test::TlsRig::Line::kThrottled) {}
};

}  // namespace

WAYSEAL_CHANNEL_CONTRACT(FakeRig)
WAYSEAL_CHANNEL_CONTRACT(TlsContractRig)
WAYSEAL_CHANNEL_CONTRACT(ThrottledTlsRig)
