// SPDX-License-Identifier: Apache-2.0
#include "integration/tls/openssl_server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace wayseal::test {

ScratchDirectory::ScratchDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "wayseal-tls-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = pattern;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ScratchDirectory::write(const std::string& name, const std::string& content) const {
  std::string path = path_ + "/" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

Child::Child(const std::vector<std::string>& argv) {
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
  std::vector<char*> args;
  args.reserve(argv.size() + 1);
  for (const std::string& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
  args.push_back(nullptr);
  const int error = ::posix_spawnp(&pid_, args[0], &actions, nullptr, args.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[1]);
  output_ = pipe_ends[0];
  if (error != 0) throw std::runtime_error("cannot start " + argv[0]);
}

Child::~Child() {
  if (output_ >= 0) ::close(output_);
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string Child::wait_for(const std::string& text) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    const size_t at = read_.find(text);
    const size_t end = at == std::string::npos ? at : read_.find('\n', at);
    if (end != std::string::npos) return read_.substr(at + text.size(), end - at - text.size());
    pollfd waiting{output_, POLLIN, 0};
    char buffer[4096];
    const bool late = std::chrono::steady_clock::now() > deadline;
    if (!late && ::poll(&waiting, 1, 100) == 0) continue;
    const ssize_t count = late ? 0 : ::read(output_, buffer, sizeof buffer);
    if (count <= 0) throw std::runtime_error("child did not say '" + text + "' but: " + read_);
    read_.append(buffer, static_cast<size_t>(count));
  }
}

OpensslServer::OpensslServer(const ServerOptions& options) : child_(command(options)) {
  const std::string address = child_.wait_for("ACCEPT ");
  port_ = address.substr(address.rfind(':') + 1);
}

std::vector<std::string> OpensslServer::command(const ServerOptions& options) const {
  std::string chain;
  for (const fakes::Der& der : options.chain) chain += fakes::TestIdentity{der, {}}.pem();
  std::string cas;
  for (const fakes::TestIdentity& ca : options.client_cas) cas += ca.pem();
  std::vector<std::string> result = {"openssl",
                                     "s_server",
                                     "-accept",
                                     "127.0.0.1:0",
                                     "-rev",
                                     "-naccept",
                                     "1000",
                                     "-cert",
                                     directory_.write("server.pem", options.identity.pem()),
                                     "-key",
                                     directory_.write("server.key", options.identity.key_pem())};
  if (!chain.empty()) {
    result.push_back("-cert_chain");
    result.push_back(directory_.write("chain.pem", chain));
  }
  if (!cas.empty()) {
    result.insert(result.end(),
                  {"-Verify", "3", "-verify_return_error", "-CAfile", directory_.write("cas.pem", cas)});
  }
  result.insert(result.end(), options.arguments.begin(), options.arguments.end());
  return result;
}

}  // namespace wayseal::test
