// SPDX-License-Identifier: Apache-2.0
#include "spy/spy_report.hpp"

#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "wayseal/pkcs11/cryptoki.hpp"

namespace wayseal::test {
namespace {

struct Event {
  std::string name;
  std::map<std::string, std::string> fields;

  long number(const std::string& key) const {
    const auto found = fields.find(key);
    return found == fields.end() ? -1 : std::stol(found->second, nullptr, 0);
  }
  bool set(const std::string& key) const { return number(key) == 1; }
  std::string text(const std::string& key) const {
    const auto found = fields.find(key);
    return found == fields.end() ? "" : found->second;
  }
};

Event parse(const std::string& line) {
  Event event;
  std::istringstream words(line);
  words >> event.name;
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    if (equals != std::string::npos) event.fields[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return event;
}

int uses(const Event& key) {
  int count = 0;
  for (const char* use : {"encrypt", "decrypt", "wrap", "unwrap", "sign", "verify", "derive"}) {
    if (key.set(use)) ++count;
  }
  return count;
}

bool is_private_key(const Event& key) { return key.number("class") == static_cast<long>(CKO_PRIVATE_KEY); }

bool is_intermediate(const Event& key) {
  const auto mechanism = static_cast<unsigned long>(key.number("mechanism"));
  return key.text("call") == "C_DeriveKey" &&
         (mechanism == CKM_AES_ECB_ENCRYPT_DATA || mechanism == CKM_AES_CBC_ENCRYPT_DATA) &&
         !is_private_key(key) && key.number("type") == static_cast<long>(CKK_GENERIC_SECRET) &&
         !key.set("token") && uses(key) == 0 && key.number("size") <= 32;
}

class Judge {
 public:
  void line(const std::string& text) {
    ++line_;
    const Event event = parse(text);
    const long handle = event.number("handle");
    if (event.name == "start") {
      started_ = true;
      keys_.clear();
      open_intermediate_.reset();
      return;
    }
    if (open_intermediate_ && (handle != *open_intermediate_ || event.name == "key")) {
      violation("an intermediate value was not destroyed at once");
      open_intermediate_.reset();
    }
    if (event.name == "key") made(event, handle);
    if (event.name == "value") value(event, handle);
    if (event.name == "use") first_use(handle);
    if (event.name == "wrapped" && event.set("done")) violation("a key was wrapped");
    if (event.name == "destroyed") {
      keys_.erase(handle);
      open_intermediate_.reset();
    }
  }

  SpyReport finish() {
    if (!started_) violation("the spy never started");
    if (open_intermediate_) violation("an intermediate value was left in the token");
    return report_;
  }

 private:
  struct Key {
    size_t order = 0;
    bool passing = false;  // Z or an ephemeral
  };

  void violation(const std::string& what) {
    report_.violations.push_back("line " + std::to_string(line_) + ": " + what);
  }

  void made(const Event& key, long handle) {
    const std::string call = key.text("call");
    if (is_intermediate(key)) {
      ++report_.intermediates;
      reads_ = 0;
      open_intermediate_ = handle;
      return;
    }
    if (call == "C_CreateObject" || call == "C_UnwrapKey") violation(call + " brought a key in");
    if (!key.set("sensitive")) violation(call + " made a key that is not sensitive");
    if (key.number("extractable") != 0) violation(call + " made an extractable key");
    if (uses(key) != 1) violation(call + " made a key with " + std::to_string(uses(key)) + " uses");
    const bool token = key.set("token");
    if (is_private_key(key)) {
      ++(token ? report_.identities : report_.ephemerals);
    } else {
      if (token) violation(call + " made a secret key that stays in the token");
      ++(key.set("derive") ? report_.shared_secrets : report_.session_keys);
    }
    keys_[handle] = {line_, !token && key.set("derive")};
  }

  void value(const Event& event, long handle) {
    const bool intermediate = open_intermediate_ && *open_intermediate_ == handle;
    if (!event.set("read")) {
      ++report_.refused_reads;
    } else if (!intermediate) {
      violation("the value of a key was read");
    } else if (++reads_ > 1) {
      violation("an intermediate value was read twice");
    }
  }

  // By then, whatever it was made from must be gone.
  void first_use(long handle) {
    const auto used = keys_.find(handle);
    if (used == keys_.end()) return;
    for (const auto& [other, key] : keys_) {
      if (!key.passing || key.order > used->second.order) continue;
      violation("key " + std::to_string(handle) + " was used before " + std::to_string(other) +
                ", from which it may have been made, was destroyed");
    }
  }

  size_t line_ = 0;
  bool started_ = false;
  int reads_ = 0;
  std::optional<long> open_intermediate_;
  std::map<long, Key> keys_;  // alive
  SpyReport report_;
};

}  // namespace

SpyReport read_spy_report(const std::string& path) {
  std::ifstream file(path);
  Judge judge;
  for (std::string line; std::getline(file, line);) judge.line(line);
  return judge.finish();
}

std::string describe(const SpyReport& report) {
  std::ostringstream out;
  out << "keys made: " << report.identities << " identities, " << report.ephemerals << " ephemerals, "
      << report.shared_secrets << " shared secrets, " << report.session_keys << " session keys, "
      << report.intermediates << " intermediates; refused reads: " << report.refused_reads
      << "; violations: " << report.violations.size() << "\n";
  for (const std::string& violation : report.violations) out << "  " << violation << "\n";
  return out.str();
}

}  // namespace wayseal::test
