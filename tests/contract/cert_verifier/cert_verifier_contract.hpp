// SPDX-License-Identifier: Apache-2.0
/// \file
/// The contract of CertVerifier as test cases. A port instantiates it with a maker:
///
///     struct MyMaker { using Port = MyVerifier; static void set_root(Port&, Bytes root_der); };
///     WAYSEAL_CERT_VERIFIER_CONTRACT(MyMaker)
#ifndef WAYSEAL_TESTS_CONTRACT_CERT_VERIFIER_CONTRACT_HPP
#define WAYSEAL_TESTS_CONTRACT_CERT_VERIFIER_CONTRACT_HPP

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <string>

#include "fakes/test_pki.hpp"
#include "wayseal/hal/cert_verifier.hpp"

namespace wayseal::contract {

inline constexpr CertificateDates kNoDates{};
inline constexpr CertificateDates against(int64_t utc_s) {
  return {CertificateDates::Check::kAgainst, {utc_s * 1000}};
}
inline constexpr CertificateDates kToday = against(1800000000);

/// A root, and a chain below it for one role, each certificate changed by a function before it is made.
struct TestChain {
  using Change = std::function<void(fakes::CertSpec&)>;

  explicit TestChain(Role role, const Change& leaf_change = {}, const Change& intermediate_change = {},
                     fakes::TestKeyKind leaf_key = fakes::TestKeyKind::kP256,
                     fakes::TestKeyKind intermediate_key = fakes::TestKeyKind::kP256)
      : root(fakes::make_root(fakes::root_spec("data root"))) {
    fakes::CertSpec spec = fakes::role_intermediate_spec(role);
    if (intermediate_change) intermediate_change(spec);
    intermediate = fakes::issue(root, spec, fakes::make_key(intermediate_key));
    spec = fakes::role_leaf_spec(role, "vehicle-1.A_b");
    if (leaf_change) leaf_change(spec);
    leaf = fakes::issue(intermediate, spec, fakes::make_key(leaf_key));
  }

  CertChain chain() const { return {{leaf.bytes(), intermediate.bytes()}, 2}; }

  fakes::TestIdentity root;
  fakes::TestIdentity intermediate;
  fakes::TestIdentity leaf;
};

template <typename Maker>
Status verify(const TestChain& made, Role role, CertificateDates dates = kToday, CertInfo* info = nullptr) {
  typename Maker::Port verifier;
  Maker::set_root(verifier, made.root.bytes());
  CertInfo found;
  const Status status = static_cast<CertVerifier&>(verifier).verify(made.chain(), role, dates, found);
  if (status != Status::kOk) CHECK(found.subject.size == 0);
  if (info != nullptr) *info = found;
  return status;
}

template <typename Maker>
void accepts_each_role_for_itself_only() {
  constexpr Role kRoles[] = {Role::kVehicle, Role::kPrekey, Role::kTime};
  for (const Role of : kRoles) {
    const TestChain made(of);
    for (const Role asked : kRoles) {
      CHECK(verify<Maker>(made, asked) == (of == asked ? Status::kOk : Status::kNotAuthentic));
    }
  }
}

template <typename Maker>
void says_key_name_and_validity() {
  const TestChain made(Role::kVehicle, [](fakes::CertSpec& s) {
    s.not_before_s = 1709164800;  // 2024-02-29T00:00:00Z
    s.not_after_s = 4133980799;   // 2100-12-31T23:59:59Z: GeneralizedTime
  });
  CertInfo info;
  REQUIRE(verify<Maker>(made, Role::kVehicle, kToday, &info) == Status::kOk);
  CHECK(std::string(info.subject.text, info.subject.size) == "vehicle-1.A_b");
  CHECK(info.not_before.ms == 1709164800000);
  CHECK(info.not_after.ms == 4133980799000);
  const auto point = made.leaf.der;
  CHECK(info.public_key.data[0] == 0x04);
  CHECK(std::search(point.begin(), point.end(), std::begin(info.public_key.data),
                    std::end(info.public_key.data)) != point.end());
}

template <typename Maker>
void judges_dates_only_when_asked() {
  const auto window = [](fakes::CertSpec& s) {
    s.not_before_s = 1700000000;
    s.not_after_s = 1800000000;
  };
  for (const TestChain& made : {TestChain(Role::kTime, window), TestChain(Role::kTime, {}, window)}) {
    CHECK(verify<Maker>(made, Role::kTime, against(1699999999)) == Status::kStale);
    CHECK(verify<Maker>(made, Role::kTime, against(1700000000)) == Status::kOk);
    CHECK(verify<Maker>(made, Role::kTime, against(1800000000)) == Status::kOk);
    CHECK(verify<Maker>(made, Role::kTime, against(1800000001)) == Status::kStale);
    CHECK(verify<Maker>(made, Role::kTime, kNoDates) == Status::kOk);
  }
}

template <typename Maker>
void does_not_judge_the_roots_own_dates() {
  TestChain made(Role::kTime);
  fakes::CertSpec old = fakes::root_spec("data root");
  old.not_after_s = 1650000000;
  made.root = fakes::make_root(old, made.root.key);
  CHECK(verify<Maker>(made, Role::kTime) == Status::kOk);
}

/// Every way in which a usage may not be exactly the role's, critical and alone.
template <typename Maker>
void refuses_any_other_usage() {
  const std::string vehicle = fakes::role_oid_text(Role::kVehicle);
  const std::string usages[] = {
      "",
      vehicle,
      "critical," + vehicle + "," + fakes::role_oid_text(Role::kTime),
      "critical," + fakes::role_oid_text(Role::kTime) + "," + vehicle,
      "critical," + vehicle + "," + vehicle,
      "critical," + vehicle + ",anyExtendedKeyUsage",
      "critical,anyExtendedKeyUsage",
      "critical,clientAuth",
      "critical,2.25.277344006050642732147656462799522911781",
      "critical," + vehicle + ".1",
      "critical,2.25.277344006050642732147656462799522911780.1",
  };
  for (const std::string& usage : usages) {
    INFO("usage '" << usage << "'");
    const auto change = [&](fakes::CertSpec& s) { s.extended_key_usage = usage; };
    CHECK(verify<Maker>(TestChain(Role::kVehicle, change), Role::kVehicle) == Status::kNotAuthentic);
    CHECK(verify<Maker>(TestChain(Role::kVehicle, {}, change), Role::kVehicle) == Status::kNotAuthentic);
  }
}

template <typename Maker>
void refuses_a_leaf_that_is_a_ca_and_an_intermediate_that_is_none() {
  const auto leaf_is = [](const char* constraints, const char* usage) {
    return TestChain(Role::kVehicle, [=](fakes::CertSpec& s) {
      s.basic_constraints = constraints;
      s.key_usage = usage;
    });
  };
  CHECK(verify<Maker>(leaf_is("", "critical,digitalSignature"), Role::kVehicle) == Status::kOk);
  CHECK(verify<Maker>(leaf_is("critical,CA:TRUE", "critical,digitalSignature"), Role::kVehicle) != Status::kOk);
  CHECK(verify<Maker>(leaf_is("critical,CA:FALSE", "critical,digitalSignature,keyCertSign"), Role::kVehicle) !=
        Status::kOk);
  CHECK(verify<Maker>(leaf_is("critical,CA:FALSE", "critical,keyAgreement"), Role::kVehicle) != Status::kOk);
  CHECK(verify<Maker>(leaf_is("critical,CA:FALSE", ""), Role::kVehicle) != Status::kOk);
  const auto intermediate_is = [](const char* constraints, const char* usage) {
    return TestChain(Role::kVehicle, {}, [=](fakes::CertSpec& s) {
      s.basic_constraints = constraints;
      s.key_usage = usage;
    });
  };
  CHECK(verify<Maker>(intermediate_is("critical,CA:FALSE", "critical,keyCertSign"), Role::kVehicle) !=
        Status::kOk);
  CHECK(verify<Maker>(intermediate_is("", "critical,keyCertSign"), Role::kVehicle) != Status::kOk);
  CHECK(verify<Maker>(intermediate_is("critical,CA:TRUE", "critical,digitalSignature"), Role::kVehicle) !=
        Status::kOk);
  CHECK(verify<Maker>(intermediate_is("critical,CA:TRUE", ""), Role::kVehicle) != Status::kOk);
}

template <typename Maker>
void refuses_other_keys_and_digests() {
  using fakes::TestKeyKind;
  for (const TestKeyKind kind : {TestKeyKind::kP384, TestKeyKind::kRsa2048}) {
    CHECK(verify<Maker>(TestChain(Role::kVehicle, {}, {}, kind), Role::kVehicle) == Status::kNotAuthentic);
    CHECK(verify<Maker>(TestChain(Role::kVehicle, {}, {}, TestKeyKind::kP256, kind), Role::kVehicle) ==
          Status::kNotAuthentic);
  }
  // A curve given by its parameters may be another one (RFC 5480, 2.1.1 forbids it).
  CHECK(verify<Maker>(TestChain(Role::kVehicle, {}, {}, TestKeyKind::kP256Explicit), Role::kVehicle) !=
        Status::kOk);
  CHECK(verify<Maker>(TestChain(Role::kVehicle, {}, {}, TestKeyKind::kEd25519), Role::kVehicle) ==
        Status::kNotAuthentic);
  const auto change = [](fakes::CertSpec& s) { s.digest = "SHA384"; };
  CHECK(verify<Maker>(TestChain(Role::kVehicle, change), Role::kVehicle) == Status::kNotAuthentic);
  CHECK(verify<Maker>(TestChain(Role::kVehicle, {}, change), Role::kVehicle) == Status::kNotAuthentic);
}

template <typename Maker>
void refuses_other_roots_and_crossed_chains() {
  const TestChain mine(Role::kVehicle);
  TestChain other(Role::kVehicle);
  TestChain made = mine;
  made.root = other.root;  // Same name, other key.
  CHECK(verify<Maker>(made, Role::kVehicle) == Status::kNotAuthentic);
  made = mine;
  made.intermediate = other.intermediate;
  CHECK(verify<Maker>(made, Role::kVehicle) == Status::kNotAuthentic);
  made = mine;
  std::swap(made.leaf, made.intermediate);
  CHECK(verify<Maker>(made, Role::kVehicle) == Status::kNotAuthentic);
  made = mine;
  made.intermediate = made.root;
  CHECK(verify<Maker>(made, Role::kVehicle) == Status::kNotAuthentic);
  made = mine;
  made.leaf =
      fakes::issue(made.root, fakes::role_leaf_spec(Role::kVehicle, "direct"));  // Skips the intermediate.
  CHECK(verify<Maker>(made, Role::kVehicle) == Status::kNotAuthentic);
  made = mine;
  made.leaf = fakes::make_root(fakes::role_leaf_spec(Role::kVehicle, "alone"));
  CHECK(verify<Maker>(made, Role::kVehicle) == Status::kNotAuthentic);
}

template <typename Maker>
void takes_exactly_two_certificates() {
  const TestChain made(Role::kVehicle);
  typename Maker::Port port;
  CertVerifier& verifier = port;
  CertInfo info;
  CHECK(verifier.verify(made.chain(), Role::kVehicle, kToday, info) == Status::kNotAuthentic);  // No root yet.
  Maker::set_root(port, made.root.bytes());
  CHECK(verifier.verify({{made.leaf.bytes()}, 1}, Role::kVehicle, kToday, info) == Status::kNotAuthentic);
  CHECK(verifier.verify({{}, 0}, Role::kVehicle, kToday, info) == Status::kInvalidArgument);
  CHECK(verifier.verify({{made.leaf.bytes(), {}}, 2}, Role::kVehicle, kToday, info) ==
        Status::kInvalidArgument);
  CHECK(verifier.verify(made.chain(), Role::kVehicle, kToday, info) == Status::kOk);
}

template <typename Maker>
void refuses_names_that_are_no_vehicle_id() {
  const auto named = [](const std::string& first, const std::string& second = "") {
    return TestChain(Role::kVehicle, [=](fakes::CertSpec& s) {
      s.common_name = first;
      s.second_common_name = second;
    });
  };
  CHECK(verify<Maker>(named(std::string(32, 'a')), Role::kVehicle) == Status::kOk);
  CHECK(verify<Maker>(named(std::string(33, 'a')), Role::kVehicle) == Status::kNotAuthentic);
  for (const char* name : {"", "a b", "a/b", "a\xc3\xa4", "a\nb", "a@b", "a*", "a,b"}) {
    INFO(name);
    CHECK(verify<Maker>(named(name), Role::kVehicle) == Status::kNotAuthentic);
  }
  CHECK(verify<Maker>(named("one", "two"), Role::kVehicle) == Status::kNotAuthentic);
}

template <typename Maker>
void refuses_unknown_critical_extensions() {
  const auto change = [](fakes::CertSpec& s) { s.other_extension = "1.2.3.4.5=critical,DER:0500"; };
  CHECK(verify<Maker>(TestChain(Role::kVehicle, change), Role::kVehicle) != Status::kOk);
  CHECK(verify<Maker>(TestChain(Role::kVehicle, {}, change), Role::kVehicle) != Status::kOk);
  const auto harmless = [](fakes::CertSpec& s) { s.other_extension = "1.2.3.4.5=DER:0500"; };
  CHECK(verify<Maker>(TestChain(Role::kVehicle, harmless), Role::kVehicle) == Status::kOk);
}

/// Truncated at every byte, followed by a byte, every byte changed: never accepted, never read beyond its end
/// (each input lies in a block of its own size, so that a sanitizer sees an overrun).
template <typename Maker>
void survives_damage() {
  const TestChain made(Role::kVehicle);
  typename Maker::Port port;
  Maker::set_root(port, made.root.bytes());
  CertVerifier& verifier = port;
  CertInfo info;
  for (const size_t which : {size_t{0}, size_t{1}}) {
    const fakes::Der& good = which == 0 ? made.leaf.der : made.intermediate.der;
    const auto status_of = [&](const fakes::Der& bad) {
      CertChain chain = made.chain();
      chain.certificates[which] = fakes::bytes_of(bad);
      return verifier.verify(chain, Role::kVehicle, kToday, info);
    };
    REQUIRE(status_of(good) == Status::kOk);
    for (size_t size = 1; size < good.size(); ++size) {
      const fakes::Der cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
      REQUIRE(status_of(cut) != Status::kOk);
    }
    fakes::Der longer = good;
    longer.push_back(0);
    REQUIRE(status_of(longer) == Status::kMalformed);
    for (size_t at = 0; at < good.size(); ++at) {
      fakes::Der changed = good;
      changed[at] ^= 0x01;
      INFO("byte " << at);
      REQUIRE(status_of(changed) != Status::kOk);
    }
  }
}

}  // namespace wayseal::contract

/// One test case for each clause, named after the port.
#define WAYSEAL_CERT_VERIFIER_CONTRACT(Maker)                                                     \
  TEST_CASE(#Maker ": a chain is good for its own role only") {                                   \
    wayseal::contract::accepts_each_role_for_itself_only<Maker>();                                \
  }                                                                                               \
  TEST_CASE(#Maker ": a good chain gives key, name and validity") {                               \
    wayseal::contract::says_key_name_and_validity<Maker>();                                       \
  }                                                                                               \
  TEST_CASE(#Maker ": dates are judged to the second, and only when asked") {                     \
    wayseal::contract::judges_dates_only_when_asked<Maker>();                                     \
    wayseal::contract::does_not_judge_the_roots_own_dates<Maker>();                               \
  }                                                                                               \
  TEST_CASE(#Maker ": a usage that is not exactly the role's is refused") {                       \
    wayseal::contract::refuses_any_other_usage<Maker>();                                          \
  }                                                                                               \
  TEST_CASE(#Maker ": who may sign certificates and who may not") {                               \
    wayseal::contract::refuses_a_leaf_that_is_a_ca_and_an_intermediate_that_is_none<Maker>();     \
  }                                                                                               \
  TEST_CASE(#Maker ": other kinds of keys and signatures are refused") {                          \
    wayseal::contract::refuses_other_keys_and_digests<Maker>();                                   \
  }                                                                                               \
  TEST_CASE(#Maker ": another root, and certificates that do not belong together, are refused") { \
    wayseal::contract::refuses_other_roots_and_crossed_chains<Maker>();                           \
  }                                                                                               \
  TEST_CASE(#Maker ": a chain is leaf and intermediate") {                                        \
    wayseal::contract::takes_exactly_two_certificates<Maker>();                                   \
  }                                                                                               \
  TEST_CASE(#Maker ": a name that is no vehicle id is refused") {                                 \
    wayseal::contract::refuses_names_that_are_no_vehicle_id<Maker>();                             \
  }                                                                                               \
  TEST_CASE(#Maker ": an unknown critical extension is refused") {                                \
    wayseal::contract::refuses_unknown_critical_extensions<Maker>();                              \
  }                                                                                               \
  TEST_CASE(#Maker ": certificates with any byte missing, added or changed are refused") {        \
    wayseal::contract::survives_damage<Maker>();                                                  \
  }

#endif
