// SPDX-License-Identifier: Apache-2.0
#include "wayseal/pkcs11/module.hpp"

#include "host.hpp"

namespace wayseal {

Pkcs11Module::~Pkcs11Module() {
  // A forked child has no right to finalise what its parent goes on using through the same daemon or device.
  if (initialized_ && owner_ && same_process()) functions_->C_Finalize(nullptr);
  if (library_ != nullptr) pkcs11::close_library(library_);
}

Status Pkcs11Module::load(const char* path, const char* reserved) {
  if (functions_ != nullptr) return Status::kBadState;
  CK_C_GetFunctionList get_list = nullptr;
  WAYSEAL_TRY(pkcs11::open_library(path, library_, get_list));
  const Status status = use_list(get_list, reserved);
  // With functions in use, the library stays open: `initialize` may be called again.
  if (functions_ == nullptr) {
    pkcs11::close_library(library_);
    library_ = nullptr;
  }
  return status;
}

Status Pkcs11Module::use(CK_C_GetFunctionList get_list, const char* reserved) {
  if (functions_ != nullptr) return Status::kBadState;
  return use_list(get_list, reserved);
}

Status Pkcs11Module::use_list(CK_C_GetFunctionList get_list, const char* reserved) {
  CK_FUNCTION_LIST_PTR list = nullptr;
  if (get_list == nullptr || get_list(&list) != CKR_OK || list == nullptr) return Status::kNotFound;
  return use(list, reserved);
}

Status Pkcs11Module::use(const CK_FUNCTION_LIST* functions, const char* reserved) {
  if (functions_ != nullptr) return Status::kBadState;
  if (functions == nullptr) return Status::kNotFound;
  functions_ = functions;
  reserved_ = reserved;
  return initialize();
}

bool Pkcs11Module::same_process() const { return process_ == pkcs11::current_process(); }

CK_RV Pkcs11Module::call_initialize() {
  CK_C_INITIALIZE_ARGS arguments = {};
  arguments.flags = CKF_OS_LOCKING_OK;
  arguments.pReserved = const_cast<char*>(reserved_);
  return functions_->C_Initialize(&arguments);
}

Status Pkcs11Module::initialize() {
  if (functions_ == nullptr) return Status::kBadState;
  if (initialized_ && same_process()) return Status::kOk;
  const bool forked = process_ != 0 && !same_process();
  CK_RV rv = call_initialize();
  if (forked && owner_ && rv != CKR_OK) {
    // The library has not noticed the fork and believes the parent's state to be its own: drop that first.
    functions_->C_Finalize(nullptr);
    rv = call_initialize();
  }
  if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    diagnostic_ = rv;
    return Status::kTokenLost;
  }
  owner_ = rv == CKR_OK;
  initialized_ = true;
  process_ = pkcs11::current_process();
  ++generation_;
  return Status::kOk;
}

Status Pkcs11Module::restart() {
  if (functions_ == nullptr || (initialized_ && !owner_)) return Status::kBadState;
  if (initialized_ && same_process()) {
    functions_->C_Finalize(nullptr);
    initialized_ = false;
  }
  return initialize();
}

}  // namespace wayseal
