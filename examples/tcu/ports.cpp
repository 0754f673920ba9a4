// SPDX-License-Identifier: Apache-2.0
#include "ports.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace tcu {
namespace {

using wayseal::Status;

constexpr uint32_t kBlockSize = 64 * 1024;
constexpr uint32_t kStateBlocks = 4;

std::string with_errno(const std::string& what, int error) {
  return error == 0 ? what : what + ": " + std::strerror(error);
}

[[noreturn]] void fail(const std::string& what) { throw SetupError(what); }

wayseal::Span<const char> span_of(const std::string& text) { return {text.data(), text.size()}; }

void open_storage(wayseal::FileStorage& storage, const std::string& path, uint32_t blocks) {
  const Status status = storage.open(path.c_str(), {kBlockSize, blocks, 1});
  if (status == Status::kOk) return;
  if (status == Status::kDenied)
    fail(with_errno(path + " is in use by another agent, or not ours to open", storage.diagnostic()));
  if (status == Status::kMalformed)
    fail(path + " has another size than the configuration says; move it away or set spool_mib back");
  if (status == Status::kFull) fail(path + " does not fit on the disk");
  fail(with_errno(path + " cannot be opened (" + wayseal::status_name(status) + ")", storage.diagnostic()));
}

/// A signal ends the wait; that is what it is for.
void wait_readable(int fd, short events, int timeout_ms) {
  pollfd waiting{fd, events, 0};
  (void)poll(&waiting, fd < 0 ? 0 : 1, timeout_ms);
}

}  // namespace

Bus::Bus(const BusConfig& config, const wayseal::Clock& clock) : clock_(clock) {
  using Player = wayseal::CandumpPlayer;
  if (config.log.empty()) {
    socketcan_ = std::make_unique<wayseal::SocketCanBus>(clock);
  } else {
    log_fd_ = open(config.log.c_str(), O_RDONLY | O_CLOEXEC);
    if (log_fd_ < 0) fail(with_errno("log " + config.log + " cannot be read", errno));
    player_ = std::make_unique<Player>(
        clock, log_fd_, config.as_fast_as_it_goes ? Player::Pace::kAsFastAsItGoes : Player::Pace::kRecorded,
        config.speed);
  }
  for (const std::string& name : config.interfaces) {
    const auto added =
        player_ ? player_->add_interface(span_of(name)) : socketcan_->add_interface(span_of(name));
    if (added.ok()) continue;
    const int error = socketcan_ ? socketcan_->diagnostic() : 0;
    fail(with_errno("CAN interface " + name + " cannot be used (" + wayseal::status_name(added.status()) + ")",
                    error));
  }
}

Bus::~Bus() {
  if (log_fd_ >= 0) close(log_fd_);
}

wayseal::CanBus& Bus::port() {
  if (player_) return *player_;
  return *socketcan_;
}

void Bus::wait(int timeout_ms) {
  if (socketcan_) {
    socketcan_->wait(timeout_ms);
    return;
  }
  const int64_t due_ns = player_->next_due().ns - clock_.now().ns;
  const int64_t longest_ns = int64_t{timeout_ms} * wayseal::kNsPerMs;
  // Never 0: what calls this has nothing else to do, also when the queue is full and the next frame is due long since.
  const int64_t wait_ns = std::clamp(due_ns, wayseal::kNsPerMs, longest_ns);
  const timespec time{wait_ns / wayseal::kNsPerSecond, wait_ns % wayseal::kNsPerSecond};
  nanosleep(&time, nullptr);
}

CloudPorts::CloudPorts(const Config& config)
    : gateway_host_(config.gateway.host),
      gateway_port_(std::to_string(config.gateway.port)),
      authority_(gateway_host_ + ":" + gateway_port_),
      token_label_(config.token.label),
      module_args_(config.token.module_args) {
  open_stores(config.store);
  open_pin(config.token);
  open_vault(config.token);
  data_root_ = read_object(wayseal::VaultObject::kDataRoot, "data-root");
  if (verifier_.set_root({data_root_.data(), data_root_.size()}) != Status::kOk)
    fail("the token's data-root is no usable CA certificate");
  gateway_ca_ = read_object(wayseal::VaultObject::kGatewayCa, "gateway-ca");
  identities_ = std::make_unique<Identities>(
      config, IdentityParts{*vault_, verifier_, clock_, {gateway_ca_.data(), gateway_ca_.size()}});
  identities_->enrol_first(state_);
  open_channel();
  prepare_access(config.gateway);
}

CloudPorts::~CloudPorts() {
  channel_.reset();
  identities_.reset();
  if (owns_pin_fd_) close(pin_fd_);
}

wayseal::Ports CloudPorts::with(wayseal::CanBus& bus) {
  return {bus, *vault_, verifier_, *channel_, clock_, spool_, state_, access_token_.get()};
}

void CloudPorts::open_stores(const StoreConfig& store) {
  std::error_code error;
  const bool made = std::filesystem::create_directory(store.directory, error);
  if (error) fail("store directory " + store.directory + ": " + error.message());
  if (made) chmod(store.directory.c_str(), 0700);
  constexpr uint32_t kBlocksPerMib = 1024 * 1024 / kBlockSize;
  open_storage(spool_, store.directory + "/spool", store.spool_mib * kBlocksPerMib);
  open_storage(state_, store.directory + "/state", kStateBlocks);
}

void CloudPorts::open_pin(const TokenConfig& token) {
  if (token.pin_fd) {
    pin_fd_ = *token.pin_fd;
  } else {
    pin_fd_ = open(token.pin_file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (pin_fd_ < 0) fail(with_errno("pin_file " + token.pin_file + " cannot be read", errno));
    owns_pin_fd_ = true;
    struct stat about {};
    if (fstat(pin_fd_, &about) != 0 || (about.st_mode & 077) != 0)
      fail("pin_file " + token.pin_file + " must have mode 0600");
  }
  pin_ = std::make_unique<wayseal::FdPin>(pin_fd_);
}

void CloudPorts::open_vault(const TokenConfig& token) {
  module_ = std::make_unique<wayseal::Pkcs11Module>();
  const Status loaded =
      module_->load(token.module.c_str(), module_args_.empty() ? nullptr : module_args_.c_str());
  if (loaded == Status::kNotFound)
    fail("PKCS#11 module " + token.module + " is not there or is no such module");
  if (loaded != Status::kOk)
    fail("PKCS#11 module " + token.module + " does not start (CK_RV " + std::to_string(module_->diagnostic()) +
         ")");
  vault_ = std::make_unique<wayseal::Pkcs11Vault>(*module_, *pin_);
  wayseal::Pkcs11VaultOptions options;
  options.token_label = token_label_.c_str();
  const Status opened = vault_->open(options);
  if (opened == Status::kDenied)
    fail("the token '" + token_label_ + "' refused the PIN; it is not tried again, so nothing gets locked");
  if (opened == Status::kTokenLost) fail("there is no token '" + token_label_ + "' in module " + token.module);
  if (opened != Status::kOk)
    fail("the token '" + token_label_ + "' cannot be opened (" + wayseal::status_name(opened) + ")");
}

std::vector<uint8_t> CloudPorts::read_object(wayseal::VaultObject object, const char* what) {
  std::vector<uint8_t> out(wayseal::kCertificateMax);
  const auto size = vault_->read_object(object, {out.data(), out.size()});
  if (!size.ok())
    fail("the token has no certificate '" + std::string(what) + "' (" + wayseal::status_name(size.status()) +
         "): run `wayseal-oem provision`");
  out.resize(size.value());
  return out;
}

void CloudPorts::open_channel() {
  wayseal::TcpOptions tcp;
  tcp.host = gateway_host_.c_str();
  tcp.port = gateway_port_.c_str();
  transport_ = std::make_unique<wayseal::TcpTransport>(tcp);
  channel_ = std::make_unique<wayseal::TlsChannel>(*transport_, *vault_, clock_);
  set_up_channel();
}

void CloudPorts::set_up_channel() {
  channel_->close();
  if (access_token_) access_token_->forget();  // it is bound to the certificate before
  certificate_ = read_object(wayseal::VaultObject::kTlsCertificate, "tls");
  std::vector<uint8_t> intermediate(wayseal::kCertificateMax);
  const auto size =
      vault_->read_object(wayseal::VaultObject::kTlsIntermediate, {intermediate.data(), intermediate.size()});
  intermediate_.assign(intermediate.data(), intermediate.data() + size.value_or(0));

  wayseal::TlsConfig tls;
  tls.server_name = gateway_host_.c_str();
  tls.authority = authority_.c_str();
  identities_->set_anchors(tls);
  tls.certificate = {certificate_.data(), certificate_.size()};
  tls.intermediate = {intermediate_.data(), intermediate_.size()};
  const Status configured = channel_->configure(tls);
  if (configured != Status::kOk)
    fail("TLS to " + gateway_host_ + " cannot be set up (" + wayseal::status_name(configured) + ")");
}

void CloudPorts::prepare_access(const GatewayConfig& gateway) {
  if (gateway.scope.empty()) return;
  scope_ = gateway.scope;
  access_token_memory_.resize(wayseal::kAccessTokenMax);
  access_token_ = std::make_unique<wayseal::AccessToken>(
      scope_, wayseal::MutableBytes{access_token_memory_.data(), access_token_memory_.size()});
}

void CloudPorts::wait(int timeout_ms) {
  wait_readable(transport_->fd(), transport_->connecting() ? POLLOUT : POLLIN, timeout_ms);
}

}  // namespace tcu
