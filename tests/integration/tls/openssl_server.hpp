// SPDX-License-Identifier: Apache-2.0
/// \file
/// Real TLS servers for tests: `openssl s_server` as a child process, on a port that the system chose.
#ifndef WAYSEAL_TESTS_INTEGRATION_TLS_OPENSSL_SERVER_HPP
#define WAYSEAL_TESTS_INTEGRATION_TLS_OPENSSL_SERVER_HPP

#include <sys/types.h>

#include <string>
#include <vector>

#include "fakes/test_pki.hpp"

namespace wayseal::test {

/// Where children and PEM files live; removed at the end.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  /// Writes a file into it and gives its path.
  std::string write(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

/// A child process that ends with this object.
class Child {
 public:
  /// Starts `argv[0]` from the PATH, standard input empty, standard output readable by `wait_for`.
  explicit Child(const std::vector<std::string>& argv);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Reads its output until a line contains `text`; gives the rest of that line. Throws after 10 s or at its
  /// end.
  std::string wait_for(const std::string& text);

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string read_;
};

/// What a server shows and wants.
struct ServerOptions {
  fakes::TestIdentity identity;
  std::vector<fakes::Der> chain;  ///< Sent after the server's certificate.
  std::vector<fakes::TestIdentity>
      client_cas;                      ///< Whom client certificates are trusted by; none: not asked for.
  std::vector<std::string> arguments;  ///< More of s_server's.
};

/// Sends every line back reversed (s_server -rev), and closes the connection after the line "CLOSE". One
/// connection at a time.
class OpensslServer {
 public:
  explicit OpensslServer(const ServerOptions& options);
  const std::string& port() const { return port_; }

 private:
  std::vector<std::string> command(const ServerOptions& options) const;

  ScratchDirectory directory_;
  Child child_;
  std::string port_;
};

}  // namespace wayseal::test

#endif
