// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 module that passes everything on to a real one and fails on demand. Its arguments: path of the real
// module, '|', a folder. While the file `lost` is there, signing says that the session is closed; while `wrong-pin` is
// there, logging in says that the PIN is wrong. Each login adds a byte to the file `logins`.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

struct Faults {
  CK_FUNCTION_LIST* real = nullptr;
  CK_FUNCTION_LIST functions{};
  std::string folder;
};

Faults& faults() {
  static Faults one;
  return one;
}

bool wanted(const char* fault) { return std::filesystem::exists(faults().folder + "/" + fault); }

CK_RV initialize(void* args) {
  const auto* given = static_cast<const CK_C_INITIALIZE_ARGS*>(args);
  const std::string text = static_cast<const char*>(given->pReserved);
  const size_t bar = text.find('|');
  faults().folder = text.substr(bar + 1);
  void* const library = ::dlopen(text.substr(0, bar).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return CKR_GENERAL_ERROR;
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  if (get == nullptr || get(&faults().real) != CKR_OK) return CKR_GENERAL_ERROR;
  const auto initialize_here = faults().functions.C_Initialize;
  const auto login = faults().functions.C_Login;
  const auto sign_init = faults().functions.C_SignInit;
  faults().functions = *faults().real;
  faults().functions.C_Initialize = initialize_here;
  faults().functions.C_Login = login;
  faults().functions.C_SignInit = sign_init;
  CK_C_INITIALIZE_ARGS plain{};
  plain.flags = given->flags;
  return faults().real->C_Initialize(&plain);
}

CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char* pin, CK_ULONG size) {
  std::ofstream(faults().folder + "/logins", std::ios::app) << '.';
  if (wanted("wrong-pin")) return CKR_PIN_INCORRECT;
  return faults().real->C_Login(session, user, pin, size);
}

CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  if (wanted("lost")) return CKR_SESSION_CLOSED;
  return faults().real->C_SignInit(session, mechanism, key);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  faults().functions.version = {2, 40};
  faults().functions.C_Initialize = initialize;
  faults().functions.C_Login = login;
  faults().functions.C_SignInit = sign_init;
  *list = &faults().functions;
  return CKR_OK;
}
