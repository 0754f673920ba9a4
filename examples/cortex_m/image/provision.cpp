// SPDX-License-Identifier: Apache-2.0
#include "image/provision.hpp"

#include "board/board.hpp"
#include "wayseal/psa/provisioning_line.hpp"

namespace image {

using wayseal::IdentityKey;
using wayseal::PsaProvisioning;
using wayseal::PsaProvisioningState;
using wayseal::Status;

namespace {

int stop(const char* what, Status status) {
  board::print("provisioning: ");
  board::print(what);
  board::print(": ");
  board::print(wayseal::status_name(status));
  board::print("\n");
  return 1;
}

Status print_request(PsaProvisioning& provisioning, IdentityKey key) {
  uint8_t request[wayseal::kSigningRequestMax];
  const auto size = provisioning.request(key, request);
  if (!size.ok()) return size.status();
  static char line[wayseal::kRequestLineMax];
  const auto length = wayseal::write_request_line(key, {request, size.value()}, {line, sizeof line});
  if (!length.ok()) return length.status();
  board::print(line, length.value());
  return Status::kOk;
}

// A line without its end; the rest of one that is too long is dropped, and what is left is no object.
size_t read_line(char* out, size_t size) {
  size_t length = 0;
  for (char letter = 0; letter != '\n';) {
    if (!board::read(letter)) {
      board::idle();
    } else if (letter != '\n' && length < size) {
      out[length++] = letter;
    }
  }
  return length;
}

bool complete(PsaProvisioning& provisioning) {
  const auto state = provisioning.state();
  return state.ok() && state.value() == PsaProvisioningState::kComplete;
}

}  // namespace

int print_requests(Trust& trust) {
  PsaProvisioning provisioning(trust.vault());
  const Status made = provisioning.make_keys();
  if (made != Status::kOk) return stop("keys", made);
  for (const IdentityKey key : {IdentityKey::kTls, IdentityKey::kE2e}) {
    const Status printed = print_request(provisioning, key);
    if (printed != Status::kOk) return stop("request", printed);
  }
  return 0;
}

int take_objects(Trust& trust) {
  PsaProvisioning provisioning(trust.vault());
  static char line[wayseal::kObjectLineMax];
  static uint8_t der[wayseal::kCertificateMax];
  while (!complete(provisioning)) {
    const size_t length = read_line(line, sizeof line);
    wayseal::VaultObject object = {};
    const auto size = wayseal::read_object_line({line, length}, object, der);
    if (size.status() == Status::kNotFound) continue;
    if (!size.ok()) return stop("object line", size.status());
    const Status installed = provisioning.install(object, {der, size.value()});
    if (installed != Status::kOk) return stop("object", installed);
  }
  board::print("provisioning: complete\n");
  return 0;
}

}  // namespace image
