// SPDX-License-Identifier: Apache-2.0
/// \file
/// A PKCS#11 function list that goes to a real library, and in which a test can replace calls. PKCS#11
/// functions carry no context, so there is one at a time.
#ifndef WAYSEAL_TESTS_CONTRACT_KEY_VAULT_HOOKED_FUNCTIONS_HPP
#define WAYSEAL_TESTS_CONTRACT_KEY_VAULT_HOOKED_FUNCTIONS_HPP

#include "wayseal/pkcs11/cryptoki.hpp"

namespace wayseal::test {

class HookedFunctions {
 public:
  explicit HookedFunctions(const CK_FUNCTION_LIST* real);
  ~HookedFunctions();
  HookedFunctions(const HookedFunctions&) = delete;
  HookedFunctions& operator=(const HookedFunctions&) = delete;
  const CK_FUNCTION_LIST* list() const { return &list_; }

  int logins = 0;                 ///< C_Login calls that reached the library.
  CK_FLAGS more_token_flags = 0;  ///< Or-ed into what C_GetTokenInfo says.
  CK_RV encrypt_answer = CKR_OK;  ///< Other than CKR_OK: C_Encrypt gives it instead of working.
  CK_RV sign_answer = CKR_OK;
  CK_RV derive_answer = CKR_OK;
  int derive_after = 0;  ///< C_DeriveKey calls that still work before `derive_answer`.
  int derives = 0;       ///< C_DeriveKey calls that worked.
  int destroys = 0;      ///< C_DestroyObject calls that worked.

 private:
  static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG size);
  static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info);
  static CK_RV encrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_size, CK_BYTE_PTR out,
                       CK_ULONG_PTR out_size);
  static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_size, CK_BYTE_PTR out,
                    CK_ULONG_PTR out_size);
  static CK_RV derive(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base,
                      CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_OBJECT_HANDLE_PTR key);
  static CK_RV destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object);

  static HookedFunctions* current;
  const CK_FUNCTION_LIST* real_;
  CK_FUNCTION_LIST list_;
};

}  // namespace wayseal::test

#endif
