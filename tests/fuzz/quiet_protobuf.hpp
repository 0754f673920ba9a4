// SPDX-License-Identifier: Apache-2.0
/// \file
/// libprotobuf writes a line for every text that is no UTF-8; a fuzzer has millions.
#ifndef WAYSEAL_TESTS_FUZZ_QUIET_PROTOBUF_HPP
#define WAYSEAL_TESTS_FUZZ_QUIET_PROTOBUF_HPP

#include <google/protobuf/stubs/logging.h>

namespace wayseal::fuzz {

inline void quiet_protobuf() {
  static const bool done = (google::protobuf::SetLogHandler(nullptr), true);
  static_cast<void>(done);
}

}  // namespace wayseal::fuzz

#endif
