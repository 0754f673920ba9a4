// SPDX-License-Identifier: Apache-2.0
#include "mutation.hpp"

#include <algorithm>
#include <iterator>

namespace requests {
namespace {

constexpr size_t kDeclaredMost = 262144;  // what is declared beyond it is refused without a body
constexpr unsigned kDepthMost = 4;

std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 128; value >>= 7) out += static_cast<char>((value & 127) | 128);
  return out + static_cast<char>(value);
}

bool read_varint(const std::string& text, size_t& at, uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; at < text.size() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(text[at++]);
    value |= uint64_t{byte & 127U} << shift;
    if (byte < 128) return true;
  }
  return false;
}

struct Field {
  std::string whole;
  std::string inner;  // of a length-delimited one
  size_t tag_size = 1;
};

/// Fields of a message; empty when it is none.
std::vector<Field> fields_of(const std::string& message) {
  std::vector<Field> fields;
  for (size_t at = 0; at < message.size();) {
    const size_t begin = at;
    uint64_t tag = 0;
    uint64_t value = 0;
    if (!read_varint(message, at, tag)) return {};
    Field field;
    field.tag_size = at - begin;
    const uint64_t kind = tag & 7;
    if (kind == 0 && !read_varint(message, at, value)) return {};
    if (kind == 2 && !read_varint(message, at, value)) return {};
    if (kind != 0 && kind != 1 && kind != 2 && kind != 5) return {};
    const uint64_t more = kind == 2 ? value : kind == 1 ? 8 : kind == 5 ? 4 : 0;
    if (more > message.size() - at) return {};
    if (kind == 2) field.inner = message.substr(at, more);
    at += more;
    field.whole = message.substr(begin, at - begin);
    fields.push_back(std::move(field));
  }
  return fields;
}

}  // namespace

std::string Mutator::bits(std::string text) {
  for (size_t left = 1 + below(3); left > 0 && !text.empty(); --left) {
    char& byte = text[below(text.size())];
    byte = static_cast<char>(byte ^ (1 << below(8)));
  }
  return text;
}

std::string Mutator::junk_field() {
  const uint64_t number = below(3) == 0 ? 1 + below(536870911) : 1 + below(18);
  const std::string bytes(below(40), static_cast<char>(below(256)));
  switch (below(6)) {
    case 0: return varint(number << 3) + varint(~uint64_t{0});
    case 1: return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
    case 2: return varint(number << 3 | 2) + varint(uint64_t{1} << below(63)) + bytes;
    case 3: return varint(number << 3 | 5) + std::string(4, '\xff');
    case 4: return varint(number << 3) + std::string(11, '\xff');  // longer than a varint may be
    default: return varint(number << 3 | (3 + below(5)));          // groups, and wire types that there are not
  }
}

std::string Mutator::one_field(const std::string& field, const std::string& inner, size_t tag_size,
                               unsigned depth) {
  const std::string tag = field.substr(0, tag_size);
  switch (below(8)) {
    case 0: return {};
    case 1: return field + field;
    case 2: return bits(tag) + field.substr(tag_size);
    case 3: return static_cast<char>(tag[0] ^ (1 + static_cast<int>(below(5)))) + field.substr(1);
    case 4: return tag + varint(uint64_t{1} << below(64)) + inner;
    case 5: return tag + varint(field.size()) + field;  // nested in itself
    case 6: return field + junk_field();
    default: break;
  }
  if (inner.empty() || depth >= kDepthMost) return bits(field);
  const std::string changed = protobuf(inner, depth + 1);
  return tag + varint(changed.size()) + changed;
}

std::string Mutator::protobuf(const std::string& message, unsigned depth) {
  const auto fields = fields_of(message);
  if (fields.empty() || below(6) == 0) {
    switch (below(4)) {
      case 0: return bits(message);
      case 1: return message.substr(0, below(message.size() + 1));
      case 2: return message + junk_field();
      default: return junk_field() + message;
    }
  }
  const size_t chosen = below(fields.size());
  std::string out;
  for (size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    out += i == chosen ? one_field(field.whole, field.inner, field.tag_size, depth) : field.whole;
  }
  return out;
}

void Mutator::change_line(attack::Request& request) {
  static const char* const lines[] = {"GET /v1/records HTTP/1.1",
                                      "PUT /v1/prekeys HTTP/1.1",
                                      "POST /v1/records?x=1 HTTP/1.1",
                                      "POST //v1/records HTTP/1.1",
                                      "POST /v1/%72ecords HTTP/1.1",
                                      "POST /v1/records/ HTTP/1.1",
                                      "POST /V1/records HTTP/1.1",
                                      "POST /v1/../v1/records HTTP/1.1",
                                      "POST http://x/v1/records HTTP/1.1",
                                      "POST /v1/records HTTP/1.0",
                                      "OPTIONS * HTTP/1.1",
                                      "POST /healthz HTTP/1.1",
                                      "POST /v1/prekeys HTTP/1.1",
                                      "POST /v1/records HTTP/1.1",
                                      "POST /oauth/token HTTP/1.1",
                                      "DELETE /oauth/token HTTP/1.1"};
  request.line = below(3) == 0 ? bits(request.line) : lines[below(std::size(lines))];
}

void Mutator::change_field(attack::Request& request) {
  static const char* const more[] = {"x-vehicle-id: v-other",
                                     "X-Vehicle-Id: ",
                                     "x-vehicle-cert-sha256: 00",
                                     "Content-Encoding: gzip",
                                     "Host: other",
                                     "Transfer-Encoding: identity",
                                     "X-HTTP-Method-Override: GET",
                                     "Content-Type: text/plain",
                                     "Authorization: Bearer a.b.c",
                                     "Expect: 200-ok",
                                     "X\x01: y",
                                     "Forwarded: for=::1",
                                     "x-client-cert-der: AAAA",
                                     "Upgrade: h2c"};
  auto& fields = request.fields;
  const size_t at = below(fields.size());
  switch (below(5)) {
    case 0: fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(at)); break;
    case 1: fields.push_back(fields[at]); break;
    case 2: fields[at] = bits(fields[at]); break;
    case 3: request.add("X-Long: " + std::string(below(9000), 'a')); break;
    default: request.add(more[below(std::size(more))]);
  }
}

void Mutator::change_token(attack::Request& request) {
  for (std::string& field : request.fields) {
    if (field.rfind("Authorization: Bearer ", 0) != 0) continue;
    const std::string token = field.substr(22);
    const size_t dot = token.find('.');
    const size_t last = token.rfind('.');
    if (dot == std::string::npos) return;
    switch (below(6)) {
      case 0: field = "Authorization: Bearer " + bits(token); break;
      case 1: field = "Authorization: Bearer " + token.substr(0, last + 1); break;
      case 2: field = "Authorization: Bearer " + token.substr(dot); break;
      case 3: field = "Authorization: Basic " + token; break;
      case 4: field = "Authorization: Bearer " + token.substr(0, below(token.size())); break;
      default:
        field = "Authorization: Bearer " + bits(token.substr(0, dot)) + token.substr(dot, last - dot) +
                bits(token.substr(last));
    }
    return;
  }
}

void Mutator::change_length(attack::Request& request) {
  const std::string values[] = {"0",
                                "-1",
                                "+" + std::to_string(request.body.size()),
                                "18446744073709551616",
                                "262145",
                                "8193",
                                std::to_string(below(request.body.size() + 1)),
                                std::to_string(request.body.size() + 1 + below(2000)),
                                "0x10",
                                "12 12"};
  request.set("Content-Length", values[below(std::size(values))]);
}

void Mutator::change_body(attack::Request& request) {
  request.body =
      request.line.find("/oauth/") == std::string::npos ? protobuf(request.body, 0) : bits(request.body);
  request.set("Content-Length", std::to_string(request.body.size()));
}

attack::Request Mutator::change(attack::Request request) {
  for (size_t left = below(4) == 0 ? 1 + below(3) : 1; left > 0; --left) {
    const size_t kind = below(10);
    if (kind == 0) {
      change_line(request);
    } else if (kind == 1) {
      change_field(request);
    } else if (kind == 2) {
      change_token(request);
    } else if (kind == 3) {
      change_length(request);
    } else {
      change_body(request);
    }
    if (request.fields.empty()) request.add("Host: localhost");
  }
  size_t declared = 0;
  for (const std::string& field : request.fields) {
    const size_t digits = field.find_first_of("0123456789");
    if (digits > 20) continue;  // npos as well
    declared = std::max(declared, static_cast<size_t>(std::strtoull(field.c_str() + digits, nullptr, 10)));
  }
  if (declared > request.body.size() && declared <= kDeclaredMost) request.body.resize(declared, '\0');
  return request;
}

}  // namespace requests
