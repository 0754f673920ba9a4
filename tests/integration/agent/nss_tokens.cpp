// SPDX-License-Identifier: Apache-2.0
#include "nss_tokens.hpp"

#include <filesystem>
#include <memory>
#include <stdexcept>

#include "contract/key_vault/token_fixture.hpp"
#include "provision/oem_pki.hpp"
#include "wayseal/pkcs11_tools/provisioning.hpp"

namespace agent_test {
namespace {

using wayseal::ProvisioningToken;
using wayseal::Role;
using wayseal::Status;
using wayseal::oem::Key;
using wayseal::oem::OemPki;

constexpr int kDays = 80;

/// A new database in a folder, open for provisioning until this object ends.
class NewToken {
 public:
  NewToken(const std::string& folder, const std::string& label)
      : place_{wayseal::test::nss_path(), wayseal::test::nss_parameters(folder, label), label,
               folder + "/pin"} {
    std::filesystem::create_directory(folder);
    std::filesystem::permissions(folder, std::filesystem::perms{0700});
    wayseal::oem::write_file(place_.pin_file, wayseal::test::kTestPin, wayseal::oem::kSecret);
    if (module_.load(place_.module.c_str(), place_.module_args.c_str()) != Status::kOk)
      throw std::runtime_error("cannot load " + place_.module);
    wayseal::test::initialize_nss(module_);
    token_ = std::make_unique<ProvisioningToken>(module_, label, pin_);
  }

  Key key(const std::string& label, uint8_t id) {
    return wayseal::oem::key_of_point(token_->generate_identity(label, {id}, wayseal::IdentityUse::kSign).data);
  }
  void write(const std::string& label, uint8_t id, X509* certificate) {
    const std::vector<uint8_t> der = wayseal::oem::der_of(certificate);
    token_->write_certificate(label, {id}, {der.data(), der.size()});
  }
  void write(const std::string& label, uint8_t id, const OemPki::Issued& issued) {
    write(label, id, issued.leaf.get());
    write(label + "-intermediate", id, issued.intermediate.get());
  }
  const TokenPlace& place() const { return place_; }

 private:
  TokenPlace place_;
  wayseal::test::MemoryPin pin_{wayseal::test::kTestPin};
  wayseal::Pkcs11Module module_;
  std::unique_ptr<ProvisioningToken> token_;
};

}  // namespace

std::string nss_missing() {
  const wayseal::test::TemporaryDirectory folder;
  const std::string args = wayseal::test::nss_parameters(folder.path(), "look");
  wayseal::Pkcs11Module module;
  const Status loaded = module.load(wayseal::test::nss_path().c_str(), args.c_str());
  if (loaded == Status::kOk) return "";
  if (loaded != Status::kNotFound) throw std::runtime_error("NSS softoken does not start");
  return "NSS softoken is not installed (Debian: libnss3), and WAYSEAL_NSS_MODULE is not set";
}

TokenPlace make_nss_vehicle(const std::string& folder, const std::string& authorities,
                            const std::string& vehicle) {
  OemPki pki(authorities);
  NewToken token(folder, "vehicle");
  const Key tls = token.key("tls", 1);
  token.write("tls", 1, pki.issue_tls_client(vehicle, tls.get(), kDays));
  const Key e2e = token.key("e2e", 2);
  token.write("e2e", 2, pki.issue_role(Role::kVehicle, vehicle, e2e.get(), kDays));
  token.write("data-root", 3, pki.certificate("data-root").get());
  token.write("gateway-ca", 4, pki.certificate("gateway-ca").get());
  return token.place();
}

TokenPlace make_nss_backend(const std::string& folder, const std::string& authorities) {
  OemPki pki(authorities);
  NewToken token(folder, "backend");
  const Key prekey = token.key("prekey", 1);
  token.write("prekey", 1, pki.issue_role(Role::kPrekey, "backend-prekey", prekey.get(), kDays));
  const Key time = token.key("time", 2);
  token.write("time", 2, pki.issue_role(Role::kTime, "backend-time", time.get(), kDays));
  token.write("data-root", 3, pki.certificate("data-root").get());
  return token.place();
}

}  // namespace agent_test
