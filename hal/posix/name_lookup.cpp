// SPDX-License-Identifier: Apache-2.0
#include "name_lookup.hpp"

#include <sys/socket.h>

#include <new>

namespace wayseal {

NameLookup* NameLookup::start(const char* host, const char* port) {
  auto* lookup = new (std::nothrow) NameLookup;
  if (lookup == nullptr) return nullptr;
  lookup->hints_.ai_family = AF_UNSPEC;
  lookup->hints_.ai_socktype = SOCK_STREAM;
  lookup->hints_.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
  lookup->request_.ar_name = host;
  lookup->request_.ar_service = port;
  lookup->request_.ar_request = &lookup->hints_;
  gaicb* list[] = {&lookup->request_};
  if (getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr) == 0) return lookup;
  delete lookup;
  return nullptr;
}

NameLookup::State NameLookup::state() {
  const int code = gai_error(&request_);
  if (code == EAI_INPROGRESS) return State::kPending;
  error_ = code;
  return code == 0 ? State::kFound : State::kFailed;
}

addrinfo* NameLookup::take() {
  addrinfo* const found = request_.ar_result;
  request_.ar_result = nullptr;
  return found;
}

void NameLookup::abandon(NameLookup* lookup) {
  if (lookup == nullptr) return;
  if (gai_cancel(&lookup->request_) == EAI_NOTCANCELED) return;
  if (lookup->request_.ar_result != nullptr) freeaddrinfo(lookup->request_.ar_result);
  delete lookup;
}

}  // namespace wayseal
