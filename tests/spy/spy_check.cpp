// SPDX-License-Identifier: Apache-2.0
// wayseal-spy-check REPORT: prints what the spy saw. Exit code 0 when keys stayed, 1 when not, 2 for wrong
// usage.
#include <cstdio>

#include "spy/spy_report.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: wayseal-spy-check REPORT\n");
    return 2;
  }
  const wayseal::test::SpyReport report = wayseal::test::read_spy_report(argv[1]);
  std::fputs(wayseal::test::describe(report).c_str(), stdout);
  return report.violations.empty() && report.session_keys != 0 ? 0 : 1;
}
