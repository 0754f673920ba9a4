// SPDX-License-Identifier: Apache-2.0
#include "contract/key_vault/hooked_functions.hpp"

namespace wayseal::test {

HookedFunctions* HookedFunctions::current = nullptr;

HookedFunctions::HookedFunctions(const CK_FUNCTION_LIST* real) : real_(real), list_(*real) {
  current = this;
  list_.C_Login = login;
  list_.C_GetTokenInfo = token_info;
  list_.C_Encrypt = encrypt;
  list_.C_Sign = sign;
  list_.C_DeriveKey = derive;
  list_.C_DestroyObject = destroy;
}

HookedFunctions::~HookedFunctions() { current = nullptr; }

CK_RV HookedFunctions::login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG size) {
  ++current->logins;
  return current->real_->C_Login(session, user, pin, size);
}

CK_RV HookedFunctions::token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
  const CK_RV rv = current->real_->C_GetTokenInfo(slot, info);
  info->flags |= current->more_token_flags;
  return rv;
}

CK_RV HookedFunctions::encrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_size, CK_BYTE_PTR out,
                               CK_ULONG_PTR out_size) {
  if (current->encrypt_answer != CKR_OK) return current->encrypt_answer;
  return current->real_->C_Encrypt(session, in, in_size, out, out_size);
}

CK_RV HookedFunctions::sign(CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_size, CK_BYTE_PTR out,
                            CK_ULONG_PTR out_size) {
  if (current->sign_answer != CKR_OK) return current->sign_answer;
  return current->real_->C_Sign(session, in, in_size, out, out_size);
}

CK_RV HookedFunctions::derive(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base,
                              CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
  if (current->derive_answer != CKR_OK && current->derive_after-- <= 0) return current->derive_answer;
  const CK_RV rv = current->real_->C_DeriveKey(session, mechanism, base, attributes, count, key);
  if (rv == CKR_OK) ++current->derives;
  return rv;
}

CK_RV HookedFunctions::destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  const CK_RV rv = current->real_->C_DestroyObject(session, object);
  if (rv == CKR_OK) ++current->destroys;
  return rv;
}

}  // namespace wayseal::test
