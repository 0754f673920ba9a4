// SPDX-License-Identifier: Apache-2.0
#include "wayseal/access/access_token.hpp"

#include <cstring>
#include <new>

#include "capi/convert.hpp"
#include "wayseal/wayseal.h"

using namespace wayseal;

static_assert(sizeof(AccessToken) <= WAYSEAL_ACCESS_TOKEN_SIZE &&
                  alignof(AccessToken) <= alignof(wayseal_access_token_memory),
              "wayseal_access_token_memory holds one");
static_assert(kAccessTokenMax == WAYSEAL_LIMIT_ACCESS_TOKEN, "one limit in both languages");

wayseal_status wayseal_access_token_init(wayseal_access_token_memory* memory, const char* scope,
                                         uint8_t* token_memory, size_t bytes, wayseal_access_token** token) {
  if (token != nullptr) *token = nullptr;
  if (memory == nullptr || scope == nullptr || token_memory == nullptr || bytes == 0 || token == nullptr) {
    return WAYSEAL_INVALID_ARGUMENT;
  }
  const void* const end = std::memchr(scope, 0, kScopeMax + 1);
  const size_t length = end != nullptr ? static_cast<size_t>(static_cast<const char*>(end) - scope) : 0;
  if (length == 0 || !capi::aligned(memory, alignof(AccessToken))) return WAYSEAL_INVALID_ARGUMENT;
  auto* const made = new (memory) AccessToken({scope, length}, {token_memory, bytes});
  *token = reinterpret_cast<wayseal_access_token*>(made);
  return WAYSEAL_OK;
}
