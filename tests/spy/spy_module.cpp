// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 library that passes every call on to a real one, and writes down what happens to keys: invariant 1,
// seen from between a program and its token. One line an event is appended to the report; spy_report.cpp judges
// them.
//
//   WAYSEAL_SPY_MODULE  the real library
//   WAYSEAL_SPY_REPORT  the file that lines are appended to
//
// Values of keys are never written.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>

#include "wayseal/pkcs11/cryptoki.hpp"

namespace {

const CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST list;
int report_fd = -1;
std::mutex mutex;
std::set<CK_OBJECT_HANDLE> used;  // keys whose first use was reported

// One write a line, so that the lines of several processes do not mix.
template <typename... Arguments>
void report(const char* format, Arguments... arguments) {
  char line[512];
  const int size = std::snprintf(line, sizeof line, format, arguments...);
  if (report_fd < 0 || size <= 0) return;
  if (write(report_fd, line, static_cast<size_t>(size)) != size) abort();
}

// The attribute as the token has it, or -1 when the object has no such attribute.
long number(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  CK_ULONG value = 0;
  CK_ATTRIBUTE attribute = {type, &value, sizeof value};
  return real->C_GetAttributeValue(session, object, &attribute, 1) == CKR_OK ? static_cast<long>(value) : -1;
}

int flag(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  CK_BBOOL value = 0;
  CK_ATTRIBUTE attribute = {type, &value, sizeof value};
  return real->C_GetAttributeValue(session, object, &attribute, 1) == CKR_OK ? value : -1;
}

bool is_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  const long type = number(session, object, CKA_CLASS);
  return type == static_cast<long>(CKO_SECRET_KEY) || type == static_cast<long>(CKO_PRIVATE_KEY);
}

void report_key(const char* call, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                CK_MECHANISM_TYPE mechanism) {
  if (!is_key(session, object)) return;
  const auto has = [&](CK_ATTRIBUTE_TYPE type) { return flag(session, object, type); };
  const std::lock_guard<std::mutex> lock(mutex);
  used.erase(object);
  report(
      "key call=%s mechanism=%#lx handle=%lu class=%ld type=%#lx size=%ld token=%d private=%d sensitive=%d "
      "extractable=%d encrypt=%d decrypt=%d wrap=%d unwrap=%d sign=%d verify=%d derive=%d\n",
      call, mechanism, object, number(session, object, CKA_CLASS),
      static_cast<unsigned long>(number(session, object, CKA_KEY_TYPE)), number(session, object, CKA_VALUE_LEN),
      has(CKA_TOKEN), has(CKA_PRIVATE), has(CKA_SENSITIVE), has(CKA_EXTRACTABLE), has(CKA_ENCRYPT),
      has(CKA_DECRYPT), has(CKA_WRAP), has(CKA_UNWRAP), has(CKA_SIGN), has(CKA_VERIFY), has(CKA_DERIVE));
}

void report_use(const char* call, CK_OBJECT_HANDLE key) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (used.insert(key).second) report("use call=%s handle=%lu\n", call, key);
}

CK_RV generate_key(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR attributes,
                   CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
  const CK_RV rv = real->C_GenerateKey(session, mechanism, attributes, count, key);
  if (rv == CKR_OK) report_key("C_GenerateKey", session, *key, mechanism->mechanism);
  return rv;
}

CK_RV generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR public_part,
                        CK_ULONG public_count, CK_ATTRIBUTE_PTR private_part, CK_ULONG private_count,
                        CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key) {
  const CK_RV rv = real->C_GenerateKeyPair(session, mechanism, public_part, public_count, private_part,
                                           private_count, public_key, private_key);
  if (rv == CKR_OK) report_key("C_GenerateKeyPair", session, *private_key, mechanism->mechanism);
  return rv;
}

CK_RV derive_key(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base,
                 CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
  const CK_RV rv = real->C_DeriveKey(session, mechanism, base, attributes, count, key);
  if (rv == CKR_OK) report_key("C_DeriveKey", session, *key, mechanism->mechanism);
  return rv;
}

CK_RV unwrap_key(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base,
                 CK_BYTE_PTR wrapped, CK_ULONG size, CK_ATTRIBUTE_PTR attributes, CK_ULONG count,
                 CK_OBJECT_HANDLE_PTR key) {
  const CK_RV rv = real->C_UnwrapKey(session, mechanism, base, wrapped, size, attributes, count, key);
  if (rv == CKR_OK) report_key("C_UnwrapKey", session, *key, mechanism->mechanism);
  return rv;
}

CK_RV create_object(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR attributes, CK_ULONG count,
                    CK_OBJECT_HANDLE_PTR object) {
  const CK_RV rv = real->C_CreateObject(session, attributes, count, object);
  if (rv == CKR_OK) report_key("C_CreateObject", session, *object, 0);
  return rv;
}

CK_RV copy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE from, CK_ATTRIBUTE_PTR attributes, CK_ULONG count,
                  CK_OBJECT_HANDLE_PTR copy) {
  const CK_RV rv = real->C_CopyObject(session, from, attributes, count, copy);
  if (rv == CKR_OK) report_key("C_CopyObject", session, *copy, 0);
  return rv;
}

CK_RV set_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes,
                     CK_ULONG count) {
  const CK_RV rv = real->C_SetAttributeValue(session, object, attributes, count);
  if (rv == CKR_OK) report_key("C_SetAttributeValue", session, object, 0);
  return rv;
}

CK_RV get_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes,
                     CK_ULONG count) {
  const CK_RV rv = real->C_GetAttributeValue(session, object, attributes, count);
  for (CK_ULONG i = 0; i < count; ++i) {
    if (attributes[i].type != CKA_VALUE || !is_key(session, object)) continue;
    const bool readable = rv == CKR_OK && attributes[i].ulValueLen != static_cast<CK_ULONG>(-1);
    report("value handle=%lu read=%d\n", object, readable ? 1 : 0);
  }
  return rv;
}

CK_RV destroy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  const bool key = is_key(session, object);
  const CK_RV rv = real->C_DestroyObject(session, object);
  if (rv == CKR_OK && key) report("destroyed handle=%lu\n", object);
  return rv;
}

CK_RV wrap_key(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE with,
               CK_OBJECT_HANDLE key, CK_BYTE_PTR out, CK_ULONG_PTR size) {
  const CK_RV rv = real->C_WrapKey(session, mechanism, with, key, out, size);
  report("wrapped handle=%lu done=%d\n", key, rv == CKR_OK ? 1 : 0);
  return rv;
}

CK_RV encrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  const CK_RV rv = real->C_EncryptInit(session, mechanism, key);
  if (rv == CKR_OK) report_use("C_EncryptInit", key);
  return rv;
}

CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  const CK_RV rv = real->C_DecryptInit(session, mechanism, key);
  if (rv == CKR_OK) report_use("C_DecryptInit", key);
  return rv;
}

void replace_calls() {
  list = *real;
  list.C_GetFunctionList = C_GetFunctionList;
  list.C_GenerateKey = generate_key;
  list.C_GenerateKeyPair = generate_key_pair;
  list.C_DeriveKey = derive_key;
  list.C_UnwrapKey = unwrap_key;
  list.C_CreateObject = create_object;
  list.C_CopyObject = copy_object;
  list.C_SetAttributeValue = set_attributes;
  list.C_GetAttributeValue = get_attributes;
  list.C_DestroyObject = destroy_object;
  list.C_WrapKey = wrap_key;
  list.C_EncryptInit = encrypt_init;
  list.C_DecryptInit = decrypt_init;
}

bool load() {
  const char* path = std::getenv("WAYSEAL_SPY_MODULE");
  const char* file = std::getenv("WAYSEAL_SPY_REPORT");
  if (path == nullptr || file == nullptr) return false;
  report_fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (report_fd < 0 || library == nullptr) return false;
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST_PTR found = nullptr;
  if (get_list == nullptr || get_list(&found) != CKR_OK) return false;
  real = found;
  replace_calls();
  report("%s\n", "start");
  return true;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (real == nullptr && !load()) return CKR_GENERAL_ERROR;
  *out = &list;
  return CKR_OK;
}
