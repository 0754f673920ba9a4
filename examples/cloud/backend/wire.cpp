// SPDX-License-Identifier: Apache-2.0
#include "wire.hpp"

#include <algorithm>

namespace cloud {

bool is_vehicle_id(std::string_view text) {
  if (text.empty() || text.size() > 32) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

std::optional<RecordHeader> parse_header(std::string_view header) {
  if (header.size() != 26 || header[0] != 1) return std::nullopt;
  RecordHeader parsed;
  parsed.suite = static_cast<unsigned char>(header[1]);
  parsed.session_id = Blob(header.substr(2, kSessionIdSize));
  parsed.sequence = read_be(header.substr(18, 8));
  if (parsed.sequence == 0 || parsed.sequence > kSequenceMax) return std::nullopt;
  return parsed;
}

Blob record_nonce(uint64_t sequence) { return be32(0) + be64(sequence); }

Blob reply_header(uint32_t suite, std::string_view session_id, std::string_view nonce) {
  return Blob(1, '\x01') + Blob(1, static_cast<char>(suite)) + Blob(session_id) + be64(0) + Blob(nonce);
}

std::optional<Content> unframe(std::string_view plaintext) {
  if (plaintext.size() < 3) return std::nullopt;
  const size_t size = read_be(plaintext.substr(1, 2));
  const std::string_view rest = plaintext.substr(3);
  if (size > rest.size()) return std::nullopt;
  if (rest.substr(size).find_first_not_of('\0') != std::string_view::npos) return std::nullopt;
  return Content{static_cast<unsigned char>(plaintext[0]), Blob(rest.substr(0, size))};
}

namespace {
/// Padmé: at most 12 % more, and log log n bits of the size to be seen.
size_t bucket(size_t size) {
  unsigned e = 0;
  while ((size >> (e + 1)) != 0) ++e;
  unsigned s = 0;
  while ((e >> s) != 0) ++s;
  if (e <= s) return size;
  const size_t mask = (size_t{1} << (e - s)) - 1;
  return (size + mask) & ~mask;
}
}  // namespace

Blob frame(uint32_t type, std::string_view payload) {
  Blob content = Blob(1, static_cast<char>(type)) + with_length(payload);
  content.resize(bucket(content.size()), '\0');
  return content;
}

Blob transcript(const wayseal::v1::SessionOpen& open, std::string_view certificate_digest,
                std::string_view vehicle) {
  Blob input = with_length("wayseal/1 open");
  input += with_length(Blob(1, static_cast<char>(open.version())));
  input += with_length(Blob(1, static_cast<char>(open.suite())));
  input += with_length(be32(open.offer()));
  input += with_length(be64(open.prekey_id()));
  input += with_length(open.prekey_point());
  input += with_length(open.bundle_digest());
  input += with_length(open.backend_certificate_digest());
  input += with_length(certificate_digest);
  input += with_length(vehicle);
  input += with_length(open.ephemeral());
  input += with_length(open.nonce());
  input += with_length(be64(open.session_counter()));
  input += with_length(open.previous_session());
  input += with_length(be64(open.previous_last_durable()));
  return sha256(input);
}

}  // namespace cloud
