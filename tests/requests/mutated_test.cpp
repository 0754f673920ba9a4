// SPDX-License-Identifier: Apache-2.0
// What a broken or hostile client, and a broken gateway, can make the cloud do: no 5xx, no crash, no change of what is stored.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>

#include "mutation.hpp"

namespace requests {
namespace {

using attack::Chain;
using attack::Member;
using attack::Request;

constexpr size_t kDefaultCount = 5000;
constexpr size_t kTwinEvery = 500;

/// Everything that vehicles have given. Not what they were given: a request for prekeys that is still valid gets a bundle.
constexpr char kGiven[] =
    "SELECT id, vehicle, session_id, th, counter, previous_session, previous_last_durable, state, contiguous, "
    "last_durable "
    "FROM sessions ORDER BY 1; SELECT * FROM records ORDER BY 1; SELECT * FROM losses ORDER BY 1, 2, 3, 4, 6; "
    "SELECT * FROM nameless_losses ORDER BY 1, 2; SELECT * FROM starts ORDER BY 1, 2; SELECT * FROM buses "
    "ORDER BY 1, 2, 3;";

size_t number_from(const char* name, size_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string hex(const std::string& bytes) {
  std::string out;
  char two[3];
  for (const char c : bytes) {
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += two;
  }
  return out;
}

/// Past the gateway. What is cut short ends with the end of the stream, so that no server waits for the rest.
std::string ask_backend(const std::string& path, const std::string& bytes) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  std::string answer;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t n = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<size_t>(n);
    }
    ::shutdown(fd, SHUT_WR);
    char buffer[16384];
    for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
      answer.append(buffer, static_cast<size_t>(n));
  }
  ::close(fd);
  return answer;
}

unsigned status_of(const std::string& answer) {
  return answer.size() < 12 ? 0 : static_cast<unsigned>(std::strtoul(answer.c_str() + 9, nullptr, 10));
}

class Campaign {
 public:
  explicit Campaign(uint64_t seed)
      : chain_({}, {"WAYSEAL_RATE_VEHICLE=100000000", "WAYSEAL_RATE_SOURCE=100000000",
                    "WAYSEAL_OPEN_SOURCE=100000", "WAYSEAL_RATE_HANDSHAKES=100000"}),
        mutator_(seed),
        target_(chain_.member()),
        neighbour_(chain_.member()) {
    renew();
  }

  /// One changed request. \return what is wrong with its answer; empty: nothing.
  std::string play() {
    const bool direct = mutator_.below(2) == 0;
    Request valid = bases_[mutator_.below(chain_.has_provider() && !direct ? 4 : 3)];
    // The backend sees what a gateway sets.
    if (direct) valid.remove("Authorization").set("x-vehicle-id", target_.id());
    sent_ = mutator_.change(valid).bytes();
    const unsigned status = status_of(direct ? ask_backend(chain_.world.socket(), sent_) : ask_gateway(sent_));
    ++counts_[direct ? "backend" : "gateway"][status];
    if (status >= 500) return (direct ? "backend " : "gateway ") + std::to_string(status);
    return {};
  }

  /// Valid requests still work, nothing else has changed what is stored, and no sanitizer has spoken.
  std::string look() {
    if (!chain_.world.running()) return "the backend has ended: " + chain_.world.output();
    const std::string output = chain_.world.output();
    if (output.find("Sanitizer") != std::string::npos || output.find("runtime error") != std::string::npos)
      return output;
    if (chain_.state_of(kGiven).digest != stored_) return "what is stored has changed";
    const std::string neighbour = chain_.send(chain_.good(neighbour_));
    if (neighbour != "200") return "the neighbour's valid request: " + neighbour;
    const std::string valid = chain_.send(bases_[0]);
    if (valid != "200") return "the target's valid request: " + valid;
    renew();
    return {};
  }

  /// A record that nobody has sent, past `look`: it has to be noticed.
  void plant() { (void)chain_.send(chain_.good(target_)); }

  const std::string& sent() const { return sent_; }
  void print(uint64_t seed, size_t count, double seconds) const {
    std::printf("seed %llu: %zu changed requests in %.0f s, the backend %s sanitizers\n",
                static_cast<unsigned long long>(seed), count, seconds, WAYSEAL_SANITIZED ? "with" : "without");
    for (const auto& [where, statuses] : counts_) {
      std::printf("  %s:", where.c_str());
      for (const auto& [status, times] : statuses) std::printf(" %u: %zu", status, times);
      std::printf("\n");
    }
  }

 private:
  std::string ask_gateway(const std::string& bytes) {
    std::string answer;
    if (!open_) open_.emplace(chain_.gateway, target_.client);
    answer = open_->ask(bytes);
    if (status_of(answer) != 200 || answer.find("onnection: close") != std::string::npos) open_.reset();
    return answer;
  }

  /// Fresh valid requests whose records are stored already, so that a change that does no harm stores nothing.
  void renew() {
    const std::string upload = chain_.next_upload(target_);
    if (chain_.send(chain_.request(target_, upload)) != "200") throw std::runtime_error("the target's upload");
    wayseal::v1::Upload both;
    both.ParseFromString(upload);
    both.add_items()->set_session_open(target_.session.open);
    const std::string form =
        "grant_type=client_credentials&client_id=" + target_.id() + "&scope=prekeys%20records";
    bases_ = {chain_.request(target_, upload), chain_.request(target_, both.SerializeAsString()),
              chain_.request(target_, target_.vehicle.prekeys_request(2), "/v1/prekeys"),
              chain_.request(target_, form, "/oauth/token")
                  .set("Content-Type", "application/x-www-form-urlencoded")
                  .remove("Authorization")};
    for (Request& base : bases_) base.remove("Connection");
    stored_ = chain_.state_of(kGiven).digest;
    bases_[0].set("Connection", "close");
  }

  Chain chain_;
  Mutator mutator_;
  Member target_;
  Member neighbour_;
  std::vector<Request> bases_;
  std::string stored_;
  std::string sent_;
  std::optional<cloud_test::OpenConnection> open_;
  std::map<std::string, std::map<unsigned, size_t>> counts_;
};

}  // namespace

TEST_CASE("changed requests bring no 5xx, no crash, and store nothing") {
  const size_t count = number_from("WAYSEAL_REQUESTS", kDefaultCount);
  const uint64_t seed = number_from("WAYSEAL_SEED", 1);
  Campaign campaign(seed);
  const auto begin = std::chrono::steady_clock::now();
  std::string wrong;
  size_t done = 0;
  while (wrong.empty() && done < count) {
    wrong = campaign.play();
    if (++done % kTwinEvery == 0 && wrong.empty()) wrong = campaign.look();
  }
  if (wrong.empty()) wrong = campaign.look();
  campaign.print(seed, done, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  INFO("request " << done << " of seed " << seed << ", in hexadecimal: " << hex(campaign.sent()));
  CHECK(wrong == "");
}

TEST_CASE("what is stored between two looks is noticed") {
  Campaign campaign(1);
  CHECK(campaign.look() == "");
  campaign.plant();
  CHECK(campaign.look() == "what is stored has changed");
}

}  // namespace requests
