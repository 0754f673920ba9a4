// SPDX-License-Identifier: Apache-2.0
// Who may read what: partners, their public keys and their grants, as `wayseal-oem partner` writes them. The decision is here
// and nowhere else.
#ifndef WAYSEAL_SHARE_REGISTRY_HPP
#define WAYSEAL_SHARE_REGISTRY_HPP

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace share {

/// What a partner may read, from when, and until when.
struct Grant {
  std::string id;
  std::map<std::string, uint64_t> vehicles;  ///< With the ownership epoch that it was given in.
  std::set<std::string> signals;             ///< `Message.Signal`.
  std::string purpose;
  int64_t not_before_us = 0;  ///< UTC. Only data from this time on, and only from this time on.
  int64_t expires_us = 0;     ///< The same for the end, which is not included.
};

struct Partner {
  std::string key;  ///< Public JWK as JSON text; empty while the partner has none.
  std::string kid;
  std::vector<Grant> grants;
};

/// A vehicle's owner. Grants of an earlier epoch give nothing, and no grant gives data from before `since_us`.
struct Ownership {
  uint64_t epoch = 0;
  int64_t since_us = INT64_MIN;
};

/// What of a vehicle a partner may read at a moment.
struct Permit {
  struct Part {
    const Grant* grant;
    int64_t since_us;
    int64_t until_us;
  };
  std::vector<Part> parts;  ///< Empty: nothing, and `why` says for the log why.
  const char* why = "";

  /// Whether one of the parts covers this signal at this time.
  bool covers(const std::string& signal, int64_t time_us) const;
  std::set<std::string> signals() const;
};

struct Registry {
  std::map<std::string, Partner> partners;
  std::map<std::string, Ownership> owners;

  Ownership owner_of(const std::string& vehicle) const;
  Permit permit(const Partner& partner, const std::string& vehicle, int64_t now_us) const;
};

/// Reads the file's text. Throws std::runtime_error unless all of it is as it has to be.
Registry parse_registry(const std::string& text);

/// 1 to 32 characters out of A-Z a-z 0-9 . _ -, and not only dots: ids of vehicles and partners.
bool is_id(const std::string& text);

/// The file, read again when it has changed.
class RegistryFile {
 public:
  explicit RegistryFile(std::string path) : path_(std::move(path)) {}
  /// Throws std::runtime_error while the file cannot be used: then nothing is shared.
  const Registry& now();

 private:
  std::string path_;
  std::string stamp_;
  std::string fault_;
  Registry registry_;
};

}  // namespace share

#endif
