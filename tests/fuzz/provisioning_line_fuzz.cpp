// SPDX-License-Identifier: Apache-2.0
// Covers read_object_line, write_request_line, and the OEM's read_requests.
//
// A line that is read holds exactly the bytes that its hexadecimal says, within the buffer. The OEM signs nothing that
// is no whole request; what it cannot read is an error in words.
//
// Input: lines.
#include <sstream>
#include <stdexcept>

#include "fuzz.hpp"
#include "provision/signing.hpp"
#include "wayseal/psa/provisioning_line.hpp"

namespace {

using namespace wayseal;

void check_line(const std::string& text, size_t room) {
  const fuzz::ExactCopy line(fuzz::bytes_of(text));
  std::vector<uint8_t> out(room);
  VaultObject object = VaultObject::kTlsCertificate;
  const Bytes bytes = line.view();
  const Result<size_t> size = read_object_line({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                                               object, {out.data(), out.size()});
  if (!size.ok()) return;
  fuzz::require(size.value() >= 1 && size.value() <= room, "an object has its room");
  fuzz::require(object <= VaultObject::kGatewayCa, "an object that there is");
  std::vector<char> again(kRequestLineMax + 2 * size.value());
  const Result<size_t> written =
      write_request_line(IdentityKey::kTls, Bytes{out.data(), size.value()}, {again.data(), again.size()});
  fuzz::require(written.ok(), "there is room for the line");
  const std::string hex(again.data() + 20, written.value() - 21);
  std::string lower = text;
  for (char& c : lower) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  fuzz::require(lower.find(' ' + hex) != std::string::npos, "the bytes are those of the line");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    check_line(line, kCertificateMax);
    check_line(line, 3);
  }
  try {
    std::istringstream requests(text);
    static_cast<void>(oem::read_requests(requests));
  } catch (const std::runtime_error&) {
  }
  return 0;
}
