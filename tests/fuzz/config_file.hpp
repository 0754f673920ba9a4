// SPDX-License-Identifier: Apache-2.0
/// \file
/// A file in memory with a path, for parsers that read files.
#ifndef WAYSEAL_TESTS_FUZZ_CONFIG_FILE_HPP
#define WAYSEAL_TESTS_FUZZ_CONFIG_FILE_HPP

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "fuzz.hpp"

namespace wayseal::fuzz {

class ConfigFile {
 public:
  explicit ConfigFile(Bytes content) : file_(::memfd_create("config", 0)) {
    const auto size = static_cast<ssize_t>(content.size());
    require(file_ >= 0 && (size == 0 || ::write(file_, content.data(), content.size()) == size),
            "a file in memory");
  }
  ~ConfigFile() { ::close(file_); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

}  // namespace wayseal::fuzz

#endif
