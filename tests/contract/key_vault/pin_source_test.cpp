// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>

#include <fstream>
#include <string>

#include "contract/key_vault/token_fixture.hpp"

namespace wayseal::test {
namespace {

struct PinFile {
  TemporaryDirectory directory;
  int fd = -1;
  explicit PinFile(const std::string& content) {
    const std::string path = directory.path() + "/pin";
    std::ofstream(path, std::ios::binary) << content;
    fd = open(path.c_str(), O_RDONLY);
  }
  ~PinFile() { close(fd); }
};

std::string read(PinSource& source) {
  uint8_t pin[kPinMax];
  const Result<size_t> size = source.read(MutableBytes{pin});
  if (!size.ok()) return std::string("status ") + status_name(size.status());
  return {reinterpret_cast<const char*>(pin), size.value()};
}

}  // namespace

TEST_CASE("a PIN is the first line of its file, each time it is asked for") {
  for (const char* content : {"1234", "1234\n", "1234\r\n", "1234\nsecond line\n"}) {
    PinFile file(content);
    FdPin pin(file.fd);
    CHECK(read(pin) == "1234");
    CHECK(read(pin) == "1234");
  }
}

TEST_CASE("a PIN comes whole through a pipe in pieces, and can be asked for again") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  FdPin pin(ends[0]);
  REQUIRE(write(ends[1], "12", 2) == 2);
  REQUIRE(write(ends[1], "34", 2) == 2);
  close(ends[1]);
  CHECK(read(pin) == "1234");
  CHECK(read(pin) == "1234");
  close(ends[0]);
}

TEST_CASE("no PIN, and one that is too long, are told apart") {
  PinFile empty("");
  FdPin none(empty.fd);
  CHECK(read(none) == "status not-found");
  PinFile newline("\n");
  FdPin blank(newline.fd);
  CHECK(read(blank) == "status not-found");
  PinFile longest(std::string(kPinMax, 'x') + "\n");
  FdPin fits(longest.fd);
  CHECK(read(fits) == std::string(kPinMax, 'x'));
  PinFile longer(std::string(kPinMax + 1, 'x'));
  FdPin too_long(longer.fd);
  CHECK(read(too_long) == "status buffer-too-small");
  FdPin closed(-1);
  CHECK(read(closed) == "status not-found");
  uint8_t small[2];
  PinFile four("1234");
  FdPin pin(four.fd);
  CHECK(pin.read(MutableBytes{small}).status() == Status::kBufferTooSmall);
}

}  // namespace wayseal::test
