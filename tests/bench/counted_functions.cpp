// SPDX-License-Identifier: Apache-2.0
#include "bench/counted_functions.hpp"

#include "bench/measure.hpp"

namespace wayseal::bench {
namespace {

struct Tally {
  std::map<std::string, size_t> calls;
  double inside_us = 0;
};
Tally tally;
const CK_FUNCTION_LIST* real = nullptr;

template <auto kMember>
struct Hook;
template <class... Arguments, CK_RV (*CK_FUNCTION_LIST::*kMember)(Arguments...)>
struct Hook<kMember> {
  static inline size_t* calls = nullptr;
  static CK_RV call(Arguments... arguments) {
    ++*calls;
    const double start = cpu_us();
    const CK_RV rv = (real->*kMember)(arguments...);
    tally.inside_us += cpu_us() - start;
    return rv;
  }
  static void install(CK_FUNCTION_LIST& list, const char* name) {
    calls = &tally.calls[name];
    list.*kMember = call;
  }
};

}  // namespace

// Everything that makes, uses or looks at an object or a session. Lists of slots and mechanisms go straight through.
CountedFunctions::CountedFunctions(const CK_FUNCTION_LIST* functions) : list_(*functions) {
  real = functions;
  Hook<&CK_FUNCTION_LIST::C_GetSessionInfo>::install(list_, "C_GetSessionInfo");
  Hook<&CK_FUNCTION_LIST::C_GetTokenInfo>::install(list_, "C_GetTokenInfo");
  Hook<&CK_FUNCTION_LIST::C_OpenSession>::install(list_, "C_OpenSession");
  Hook<&CK_FUNCTION_LIST::C_CreateObject>::install(list_, "C_CreateObject");
  Hook<&CK_FUNCTION_LIST::C_CopyObject>::install(list_, "C_CopyObject");
  Hook<&CK_FUNCTION_LIST::C_DestroyObject>::install(list_, "C_DestroyObject");
  Hook<&CK_FUNCTION_LIST::C_GetAttributeValue>::install(list_, "C_GetAttributeValue");
  Hook<&CK_FUNCTION_LIST::C_SetAttributeValue>::install(list_, "C_SetAttributeValue");
  Hook<&CK_FUNCTION_LIST::C_FindObjectsInit>::install(list_, "C_FindObjectsInit");
  Hook<&CK_FUNCTION_LIST::C_FindObjects>::install(list_, "C_FindObjects");
  Hook<&CK_FUNCTION_LIST::C_FindObjectsFinal>::install(list_, "C_FindObjectsFinal");
  Hook<&CK_FUNCTION_LIST::C_EncryptInit>::install(list_, "C_EncryptInit");
  Hook<&CK_FUNCTION_LIST::C_Encrypt>::install(list_, "C_Encrypt");
  Hook<&CK_FUNCTION_LIST::C_DecryptInit>::install(list_, "C_DecryptInit");
  Hook<&CK_FUNCTION_LIST::C_Decrypt>::install(list_, "C_Decrypt");
  Hook<&CK_FUNCTION_LIST::C_DigestInit>::install(list_, "C_DigestInit");
  Hook<&CK_FUNCTION_LIST::C_Digest>::install(list_, "C_Digest");
  Hook<&CK_FUNCTION_LIST::C_SignInit>::install(list_, "C_SignInit");
  Hook<&CK_FUNCTION_LIST::C_Sign>::install(list_, "C_Sign");
  Hook<&CK_FUNCTION_LIST::C_VerifyInit>::install(list_, "C_VerifyInit");
  Hook<&CK_FUNCTION_LIST::C_Verify>::install(list_, "C_Verify");
  Hook<&CK_FUNCTION_LIST::C_GenerateKey>::install(list_, "C_GenerateKey");
  Hook<&CK_FUNCTION_LIST::C_GenerateKeyPair>::install(list_, "C_GenerateKeyPair");
  Hook<&CK_FUNCTION_LIST::C_WrapKey>::install(list_, "C_WrapKey");
  Hook<&CK_FUNCTION_LIST::C_UnwrapKey>::install(list_, "C_UnwrapKey");
  Hook<&CK_FUNCTION_LIST::C_DeriveKey>::install(list_, "C_DeriveKey");
  Hook<&CK_FUNCTION_LIST::C_GenerateRandom>::install(list_, "C_GenerateRandom");
}

void CountedFunctions::clear() {
  for (auto& one : tally.calls) one.second = 0;
  tally.inside_us = 0;
}

size_t CountedFunctions::calls(const std::string& function) const {
  const auto found = tally.calls.find(function);
  return found == tally.calls.end() ? 0 : found->second;
}

size_t CountedFunctions::calls() const {
  size_t total = 0;
  for (const auto& one : tally.calls) total += one.second;
  return total;
}

double CountedFunctions::inside_us() const { return tally.inside_us; }

}  // namespace wayseal::bench
