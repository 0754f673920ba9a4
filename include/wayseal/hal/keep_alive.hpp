// SPDX-License-Identifier: Apache-2.0
/// \file
/// A hook for the watchdog, called by the contracts whose calls may take long.
#ifndef WAYSEAL_HAL_KEEP_ALIVE_HPP
#define WAYSEAL_HAL_KEEP_ALIVE_HPP

namespace wayseal {

/// A function of the firmware's that feeds its watchdog, and what it is called with.
///
/// It is called on the cloud thread, from inside the library: it must return at once, and must not call the library.
struct KeepAlive {
  void (*call)(void* context) = nullptr;  ///< Null: none.
  void* context = nullptr;
};

/// Reads and programs of one Storage between two calls of the hook, at most.
inline constexpr unsigned kStorageOperationsBetweenKeepAlives = 32;

/// Base of the contracts KeyVault, CertVerifier and Storage. Their public calls call the hook before the port's own:
/// before each call of the token, each verification of a chain, each erasure and sync, and before every 32nd read or program
/// of a Storage. So between two calls of it lies never more than one of those, and the library's own work, whatever the size of
/// a spool that is mounted or the number of records that are sealed before sleep.
///
/// Two pointers on each object. Client sets all of its ports by ClientConfig::keep_alive.
class KeepsAlive {
 public:
  /// Before the threads, or on the cloud thread. \param hook copied; its context outlives the object or the next call of this.
  void keep_alive_with(const KeepAlive& hook) { keep_alive_ = hook; }

 protected:
  ~KeepsAlive() = default;
  void alive() const;

 private:
  KeepAlive keep_alive_;
};

}  // namespace wayseal

#endif
