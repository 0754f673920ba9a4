// SPDX-License-Identifier: Apache-2.0
#include "image/device.hpp"

#include <wayseal_vault_driver.h>

#include "board/board.hpp"

namespace image {

using wayseal::Status;
using wayseal::VaultObject;

namespace {

psa_status_t random_bytes(void*, uint8_t* out, size_t size) {
  return board::entropy(out, size) ? PSA_SUCCESS : PSA_ERROR_INSUFFICIENT_ENTROPY;
}

board::LwipOptions lwip_options(const board::Words& words) {
  board::LwipOptions options;
  options.address = words.text("address");
  options.port = static_cast<uint16_t>(words.number("port", 0));
  options.connect_timeout_ms = words.number("patience_ms", options.connect_timeout_ms);
  options.user_timeout_ms = words.number("patience_ms", options.user_timeout_ms);
  return options;
}

}  // namespace

Trouble Trust::start() {
  wayseal_psa_set_platform_random(random_bytes, nullptr);
  if (its_.mount() != Status::kOk) return "the key storage cannot be mounted";
  if (vault_.open() != Status::kOk) return "the vault cannot be opened";
  return nullptr;
}

bool Trust::read(VaultObject object, Certificate& out) {
  const auto size = vault_.read_object(object, {out.data, sizeof out.data});
  if (size.ok()) out.size = size.value();
  return size.ok();
}

Trouble Trust::load() {
  if (!read(VaultObject::kDataRoot, data_root_) || !read(VaultObject::kGatewayCa, gateway_ca_) ||
      !read(VaultObject::kTlsCertificate, tls_certificate_) ||
      !read(VaultObject::kTlsIntermediate, tls_intermediate_)) {
    return "not provisioned";
  }
  return verifier_.set_root(data_root_.bytes()) == Status::kOk ? nullptr : "the data root is unusable";
}

Link::Link(const board::Words& words, Trust& trust, wayseal::Clock& clock)
    : words_(words), transport_(lwip_options(words)), channel_(transport_, trust.vault(), clock) {}

Trouble Link::start(const Trust& trust) {
  if (!network_.start({})) return "no Ethernet controller";
  wayseal::TlsConfig config;
  config.server_name = words_.text("name");
  config.gateway_ca = trust.gateway_ca().bytes();
  config.certificate = trust.tls_certificate().bytes();
  config.intermediate = trust.tls_intermediate().bytes();
  config.handshake_timeout_ms = words_.number("patience_ms", 30'000);
  return channel_.configure(config) == Status::kOk ? nullptr : "TLS cannot be configured";
}

}  // namespace image
