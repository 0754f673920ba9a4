// SPDX-License-Identifier: Apache-2.0
#include "pkcs11.hpp"

#include <dlfcn.h>

#include <cstdio>

namespace cloud {
namespace {

std::string describe(const char* call, CK_RV code) {
  char text[96];
  std::snprintf(text, sizeof text, "%s failed with code 0x%lx", call, code);
  return text;
}

std::string padded_text(const unsigned char* text, size_t size) {
  while (size > 0 && text[size - 1] == ' ') --size;
  return {reinterpret_cast<const char*>(text), size};
}

}  // namespace

TokenError::TokenError(const char* call, CK_RV code) : std::runtime_error(describe(call, code)), code_(code) {}

bool TokenError::lost() const {
  switch (code_) {
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_DEVICE_REMOVED:
    case CKR_DEVICE_ERROR:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_CRYPTOKI_NOT_INITIALIZED: return true;
    default: return false;
  }
}

void check(CK_RV code, const char* call) {
  if (code != CKR_OK) throw TokenError(call, code);
}

Template& Template::flag(CK_ATTRIBUTE_TYPE type, CK_BBOOL value) {
  return bytes(type, std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
}

Template& Template::number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  return bytes(type, std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
}

Template& Template::bytes(CK_ATTRIBUTE_TYPE type, std::string_view value) {
  Blob& kept = values_.emplace_back(value);
  attributes_.push_back({type, kept.data(), static_cast<CK_ULONG>(kept.size())});
  return *this;
}

Module::Module(const std::string& path, const std::string& args) {
  library_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) throw std::runtime_error("cannot load the PKCS#11 module " + path);
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library_, "C_GetFunctionList"));
  if (get == nullptr) throw std::runtime_error(path + " is no PKCS#11 module");
  check(get(&functions_), "C_GetFunctionList");
  std::string writable_args = args;
  CK_C_INITIALIZE_ARGS init{};
  init.flags = CKF_OS_LOCKING_OK;
  if (!args.empty()) init.pReserved = writable_args.data();
  check(functions_->C_Initialize(&init), "C_Initialize");
}

Module::~Module() {
  if (functions_ != nullptr) static_cast<void>(functions_->C_Finalize(nullptr));
  if (library_ != nullptr) ::dlclose(library_);
}

namespace {
std::vector<CK_SLOT_ID> slots_with_token(CK_FUNCTION_LIST* functions) {
  CK_ULONG count = 0;
  check(functions->C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count + 4);
  count = static_cast<CK_ULONG>(slots.size());
  check(functions->C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
  slots.resize(count);
  return slots;
}
}  // namespace

CK_SLOT_ID Module::find_token(const std::string& label) const {
  std::optional<CK_SLOT_ID> found;
  for (const CK_SLOT_ID slot : slots_with_token(functions_)) {
    CK_TOKEN_INFO info{};
    if (functions_->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
    if ((info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
    if (padded_text(info.label, sizeof info.label) != label) continue;
    if (found) throw std::runtime_error("there is more than one token labelled '" + label + "'");
    found = slot;
  }
  if (!found) throw std::runtime_error("there is no token labelled '" + label + "'");
  return *found;
}

std::optional<CK_SLOT_ID> Module::find_blank() const {
  for (const CK_SLOT_ID slot : slots_with_token(functions_)) {
    CK_TOKEN_INFO info{};
    if (functions_->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
    if ((info.flags & CKF_TOKEN_INITIALIZED) == 0) return slot;
  }
  return std::nullopt;
}

Blob read_attribute(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                    CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  check(module->C_GetAttributeValue(session, object, &attribute, 1), "C_GetAttributeValue");
  Blob value(attribute.ulValueLen, '\0');
  attribute.pValue = value.data();
  check(module->C_GetAttributeValue(session, object, &attribute, 1), "C_GetAttributeValue");
  value.resize(attribute.ulValueLen);
  return value;
}

std::vector<CK_OBJECT_HANDLE> find_objects(const Module& module, CK_SESSION_HANDLE session, Template& pattern) {
  check(module->C_FindObjectsInit(session, pattern.data(), pattern.size()), "C_FindObjectsInit");
  std::vector<CK_OBJECT_HANDLE> handles(64);
  CK_ULONG count = 0;
  const CK_RV code =
      module->C_FindObjects(session, handles.data(), static_cast<CK_ULONG>(handles.size()), &count);
  static_cast<void>(module->C_FindObjectsFinal(session));
  check(code, "C_FindObjects");
  handles.resize(count);
  return handles;
}

Blob point_of(const Blob& ec_point) {
  if (ec_point.size() == 65 && ec_point[0] == 4) return ec_point;
  if (ec_point.size() == 67 && ec_point.compare(0, 3, "\x04\x41\x04", 3) == 0) return ec_point.substr(2);
  throw std::runtime_error("the token gave no uncompressed P-256 point");
}

}  // namespace cloud
