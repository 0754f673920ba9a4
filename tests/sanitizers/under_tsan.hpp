// SPDX-License-Identifier: Apache-2.0
/// \file
/// For the few tests that ThreadSanitizer's runtime cannot follow: forks, and threads that glibc starts by itself.
#ifndef WAYSEAL_TESTS_SANITIZERS_UNDER_TSAN_HPP
#define WAYSEAL_TESTS_SANITIZERS_UNDER_TSAN_HPP

namespace wayseal::test {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool kUnderTsan = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool kUnderTsan = true;
#else
inline constexpr bool kUnderTsan = false;
#endif
#else
inline constexpr bool kUnderTsan = false;
#endif

}  // namespace wayseal::test

#endif
