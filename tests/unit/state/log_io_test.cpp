// SPDX-License-Identifier: Apache-2.0
#include "state/log_io.hpp"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "fakes/fake_flash.hpp"

namespace wayseal::test {

TEST_CASE("the checksum is CRC-32C, and may be taken in pieces") {
  const uint8_t check[] = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
  CHECK(log::crc32c(0, check) == 0xE3069283U);
  CHECK(log::crc32c(log::crc32c(0, Bytes(check).first(4)), Bytes(check).from(4)) == 0xE3069283U);
  const uint8_t zeros[32] = {};
  CHECK(log::crc32c(0, zeros) == 0x8A9136AAU);  // RFC 3720, B.4
}

TEST_CASE("the checksum is the polynomial's, bit by bit, for every length and place") {
  uint8_t data[80];
  for (size_t i = 0; i < sizeof data; ++i) data[i] = static_cast<uint8_t>(i * 151 + 7);
  for (size_t from = 0; from < 8; ++from) {
    uint32_t remainder = 0xFFFFFFFF;
    for (size_t size = 0; from + size <= sizeof data; ++size) {
      REQUIRE(log::crc32c(0, Bytes(data).from(from).first(size)) == ~remainder);
      if (from + size == sizeof data) break;
      remainder ^= data[from + size];
      for (int bit = 0; bit < 8; ++bit)
        remainder = (remainder >> 1) ^ ((remainder & 1U) != 0 ? 0x82F63B78U : 0);
    }
  }
}

TEST_CASE("a stream is programmed in order whatever its pieces, blocks and program size") {
  for (const uint32_t program_size : {1U, 4U, 32U, 256U}) {
    for (const size_t piece : {1U, 7U, 255U, 256U, 300U, 1500U}) {
      FakeFlash flash({512, 8, program_size});
      std::vector<uint8_t> data(2000);
      for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * 31);
      log::Writer writer(flash, 256);
      for (size_t at = 0; at < data.size(); at += piece) {
        REQUIRE(writer.write(Bytes(data.data(), data.size()).from(at).first(piece)) == Status::kOk);
      }
      REQUIRE(writer.finish() == Status::kOk);
      CHECK(std::vector<uint8_t>(flash.image().begin() + 256, flash.image().begin() + 2256) == data);
      CHECK(log::is_blank(flash, 2256, flash.image().size()).value());
      CHECK_FALSE(log::is_blank(flash, 2000, 2300).value());
      CHECK(flash.violations() == 0);
    }
  }
}

}  // namespace wayseal::test
