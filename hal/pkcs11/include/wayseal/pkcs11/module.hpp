// SPDX-License-Identifier: Apache-2.0
/// \file
/// One PKCS#11 library in one process: loading it, C_Initialize, and the same again after a fork.
#ifndef WAYSEAL_PKCS11_MODULE_HPP
#define WAYSEAL_PKCS11_MODULE_HPP

#include <sys/types.h>

#include "wayseal/core/status.hpp"
#include "wayseal/pkcs11/cryptoki.hpp"

namespace wayseal {

/// A PKCS#11 library. C_Initialize is one for the whole process, so make one Pkcs11Module a library and share
/// it among the vaults and tools of the process; it must live longer than they do.
///
/// Threads: one thread at a time, that of its vaults. Blocking: `initialize` and `restart` for as long as the
/// library takes. Memory: 48 bytes, and what dlopen and the library take.
class Pkcs11Module {
 public:
  Pkcs11Module() = default;
  /// Calls C_Finalize when this object called C_Initialize in this process. What `load` has loaded stays mapped: several
  /// libraries leave threads and exit handlers behind.
  ~Pkcs11Module();
  Pkcs11Module(const Pkcs11Module&) = delete;
  Pkcs11Module& operator=(const Pkcs11Module&) = delete;

  /// Loads a library with dlopen and initialises it.
  /// \param path of the shared object, as for dlopen.
  /// \param reserved goes to the library as CK_C_INITIALIZE_ARGS.pReserved (NSS softoken takes its parameters
  ///        there); null for most. Borrowed for the module's life.
  /// \return kOk; kNotFound when there is no such library or it has no C_GetFunctionList; kTokenLost when
  ///         C_Initialize failed (see `diagnostic`); kBadState when something is loaded already; kUnsupported in a build
  ///         without dlopen.
  Status load(const char* path, const char* reserved = nullptr);

  /// Uses a token's library that is linked into the program, without dlopen:
  ///
  ///     module.use(&C_GetFunctionList);
  ///
  /// A build with WAYSEAL_PKCS11_STATIC, and every build for a target without an operating system, has no dlopen; the
  /// latter has no file descriptors either, and its PIN comes from a PinSource of its own instead of FdPin.
  /// \return as `load`; kNotFound for a null pointer, or when the function gives no list.
  Status use(CK_C_GetFunctionList get_list, const char* reserved = nullptr);
  /// The same with the list itself, borrowed for the module's life.
  Status use(const CK_FUNCTION_LIST* functions, const char* reserved = nullptr);

  /// Makes sure that the library is initialised in this process. Cheap when nothing has changed. After a fork,
  /// or when somebody else has called C_Finalize, it initialises again; all sessions are gone then. Where somebody
  /// else called C_Initialize, they must do so again in a forked child before this object is used there: some
  /// libraries do not notice the fork, and would go on with the parent's sessions.
  /// \return kOk; kTokenLost when C_Initialize failed; kBadState when nothing is loaded.
  Status initialize();

  /// Finalises and initialises, for libraries that look for tokens only then. Ends the sessions of every vault
  /// of this module.
  /// \return as `initialize`; kBadState when somebody else in this process initialised the library.
  Status restart();

  /// Tells that a call returned CKR_CRYPTOKI_NOT_INITIALIZED.
  void note_finalized() { initialized_ = false; }

  /// Grows with each C_Initialize; sessions and handles belong to one generation.
  uint32_t generation() const { return generation_; }
  /// Whether this is the process that initialised.
  bool same_process() const;
  const CK_FUNCTION_LIST* functions() const { return functions_; }
  /// The last failed CK_RV.
  CK_RV diagnostic() const { return diagnostic_; }

 private:
  Status use_list(CK_C_GetFunctionList get_list, const char* reserved);
  CK_RV call_initialize();

  void* library_ = nullptr;
  const CK_FUNCTION_LIST* functions_ = nullptr;
  const char* reserved_ = nullptr;
  CK_RV diagnostic_ = CKR_OK;
  pid_t process_ = 0;
  uint32_t generation_ = 0;
  bool initialized_ = false;
  bool owner_ = false;
};

}  // namespace wayseal

#endif
