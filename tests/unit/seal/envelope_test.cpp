// SPDX-License-Identifier: Apache-2.0
#include "wayseal/seal/envelope.hpp"

#include <catch2/catch_test_macros.hpp>
#include <vector>

namespace wayseal {
namespace {

TEST_CASE("envelope: the layout is the one on PROTOCOL.md, byte by byte") {
  EnvelopeHeader header;
  header.suite = 2;
  for (uint8_t i = 0; i < SessionId::kSize; ++i) header.session.data[i] = static_cast<uint8_t>(0xA0 + i);
  header.sequence = 0x0102030405060708;
  std::vector<uint8_t> out(sealed_size(4));
  SealedLayout layout;
  REQUIRE(lay_out_sealed(header, 4, {out.data(), out.size()}, layout) == Status::kOk);
  const std::vector<uint8_t> start = {0x0A, 0x1A, 0x01, 0x02, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5,
                                      0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF,
                                      0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x12, 0x14};
  CHECK(std::vector<uint8_t>(out.begin(), out.begin() + 30) == start);
  CHECK(layout.size == 30 + 20);
  CHECK(layout.header.data() == out.data() + 2);
  CHECK(layout.ciphertext.data() == out.data() + 30);
  CHECK(layout.ciphertext.size() == 20);
}

TEST_CASE("envelope: every size of content fits exactly, and one byte less of room is refused") {
  for (const size_t content :
       {size_t{3}, size_t{111}, size_t{112}, size_t{16367}, size_t{16368}, kContentMax}) {
    std::vector<uint8_t> out(sealed_size(content));
    SealedLayout layout;
    REQUIRE(lay_out_sealed({}, content, {out.data(), out.size()}, layout) == Status::kOk);
    CHECK(layout.ciphertext.end() == out.data() + out.size());
    CHECK(lay_out_sealed({}, content, {out.data(), out.size() - 1}, layout) == Status::kBufferTooSmall);
    SealedView parts;
    REQUIRE(split_sealed({out.data(), out.size()}, parts) == Status::kOk);
    CHECK(parts.header.size() == kVehicleHeaderSize);
    CHECK(parts.ciphertext.size() == content + kGcmTagSize);
  }
  CHECK(sealed_size(kContentMax) <= kRecordMax);
}

TEST_CASE("envelope: a backend's header has 38 bytes, version 1 and sequence 0") {
  uint8_t bytes[kBackendHeaderSize + 1] = {1, 2};
  for (size_t i = kVehicleHeaderSize; i < kBackendHeaderSize; ++i) bytes[i] = static_cast<uint8_t>(i);
  EnvelopeHeader header;
  REQUIRE(parse_backend_header(Bytes{bytes}.first(kBackendHeaderSize), header) == Status::kOk);
  CHECK(header.suite == 2);
  CHECK(header.nonce.data[0] == kVehicleHeaderSize);
  CHECK(header.nonce.data[11] == kVehicleHeaderSize + 11);
  CHECK(parse_backend_header({}, header) == Status::kMalformed);
  CHECK(parse_backend_header(Bytes{bytes}.first(kVehicleHeaderSize), header) == Status::kMalformed);
  CHECK(parse_backend_header(bytes, header) == Status::kMalformed);
  bytes[25] = 1;
  CHECK(parse_backend_header(Bytes{bytes}.first(kBackendHeaderSize), header) == Status::kMalformed);
  bytes[0] = 2;
  CHECK(parse_backend_header(Bytes{bytes}.first(kBackendHeaderSize), header) == Status::kUnsupported);
}

TEST_CASE("envelope: what is cut short or has no header is malformed") {
  std::vector<uint8_t> out(sealed_size(10));
  SealedLayout layout;
  REQUIRE(lay_out_sealed({}, 10, {out.data(), out.size()}, layout) == Status::kOk);
  SealedView parts;
  for (size_t size = 0; size < out.size(); ++size) {
    CHECK(split_sealed({out.data(), size}, parts) == Status::kMalformed);
  }
  const uint8_t short_ciphertext[] = {0x0A, 0x01, 0x00, 0x12, 0x02, 0x00, 0x00};
  CHECK(split_sealed(short_ciphertext, parts) == Status::kMalformed);
}

}  // namespace
}  // namespace wayseal
