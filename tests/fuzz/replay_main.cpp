// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target on every file of the folders that are named, in builds without libFuzzer. 4, which ctest takes for
// skipped, when there is none.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "fuzz.hpp"

namespace {

void add_files(const std::filesystem::path& path, std::vector<std::filesystem::path>& files) {
  if (std::filesystem::is_regular_file(path)) files.push_back(path);
  if (!std::filesystem::is_directory(path)) return;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) add_files(argv[i], files);
  std::sort(files.begin(), files.end());
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (in.bad()) return 1;
    // Said before, so that the last line names the input of a crash.
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);
    static_cast<void>(LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
  }
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 4 : 0;
}
