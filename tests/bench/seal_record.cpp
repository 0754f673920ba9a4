// SPDX-License-Identifier: Apache-2.0
// What sealing a record costs beside what the token itself takes:
//     bench_seal_record softhsm|nss
// Ours is Session::seal: its checks, the sequence number, the envelope, and the token. The floor is C_EncryptInit and
// C_Encrypt of as many bytes with as many bytes of AAD, under a key with the same attributes in the same token, called
// with nothing around. Instructions include the token's own; times are taken in turns.
#include "bench/token_vehicle.hpp"
#include "wayseal/record/content.hpp"
#include "wayseal/seal/envelope.hpp"

namespace wayseal::bench {
namespace {

constexpr size_t kRounds = 15;
constexpr size_t kSealsARound = 40;

/// The token with nothing of ours.
class RawToken {
 public:
  explicit RawToken(const test::TokenFixture& token, const CK_FUNCTION_LIST* functions)
      : functions_(functions) {
    call(functions_->C_OpenSession(slot_of(token.token_label()), CKF_SERIAL_SESSION, nullptr, nullptr,
                                   &session_));
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, nullptr, 0};
    CK_ULONG size = 32;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE attributes[] = {{CKA_VALUE_LEN, &size, sizeof size},
                                 {CKA_TOKEN, &no, 1},
                                 {CKA_PRIVATE, &yes, 1},
                                 {CKA_SENSITIVE, &yes, 1},
                                 {CKA_EXTRACTABLE, &no, 1},
                                 {CKA_ENCRYPT, &yes, 1},
                                 {CKA_DECRYPT, &no, 1}};
    call(functions_->C_GenerateKey(session_, &mechanism, attributes, 7, &key_));
  }

  void seal(Blob& plaintext, Blob& aad, Blob& out) {
    uint8_t iv[Nonce::kSize] = {};
    store_be64(iv + 4, ++sequence_);
    CK_GCM_PARAMS parameters{};
    parameters.pIv = iv;
    parameters.ulIvLen = sizeof iv;
    parameters.ulIvBits = 8 * sizeof iv;
    parameters.pAAD = aad.data();
    parameters.ulAADLen = aad.size();
    parameters.ulTagBits = 8 * kGcmTagSize;
    CK_MECHANISM mechanism = {CKM_AES_GCM, &parameters, sizeof parameters};
    call(functions_->C_EncryptInit(session_, &mechanism, key_));
    CK_ULONG size = out.size();
    call(functions_->C_Encrypt(session_, plaintext.data(), plaintext.size(), out.data(), &size));
  }

 private:
  static void call(CK_RV rv) { must(rv == CKR_OK, "the token refuses"); }
  CK_SLOT_ID slot_of(const std::string& label) const {
    CK_SLOT_ID slots[16];
    CK_ULONG count = 16;
    call(functions_->C_GetSlotList(CK_TRUE, slots, &count));
    for (CK_ULONG i = 0; i < count; ++i) {
      CK_TOKEN_INFO info{};
      call(functions_->C_GetTokenInfo(slots[i], &info));
      if (std::string(reinterpret_cast<char*>(info.label), label.size()) == label) return slots[i];
    }
    throw std::runtime_error("no such token");
  }

  const CK_FUNCTION_LIST* functions_;
  CK_SESSION_HANDLE session_ = 0;
  CK_OBJECT_HANDLE key_ = 0;
  uint64_t sequence_ = 0;
};

void measure(TokenVehicle& vehicle, RawToken& token, size_t bytes) {
  Blob content(bytes, 0x5A);
  content[0] = static_cast<uint8_t>(ContentType::kBatch);
  store_be16(&content[1], static_cast<uint16_t>(bytes - kContentHeaderSize));
  Blob sealed(sealed_size(bytes));
  Blob aad(26, 0xA5);  // as long as an EnvelopeHeader
  Blob out(bytes + kGcmTagSize);
  SealedRecord record;
  const auto ours = [&] {
    for (size_t i = 0; i < kSealsARound; ++i)
      must(vehicle.session.seal(view(content), mutable_view(sealed), record));
  };
  const auto floor = [&] {
    for (size_t i = 0; i < kSealsARound; ++i) token.seal(content, aad, out);
  };
  ours();  // what is only done once, is done
  floor();
  const auto opened = vehicle.backend.open({sealed.data(), record.size});
  must(opened.has_value() && opened->sequence == record.sequence, "the backend opens the record");
  const std::string size = std::to_string(bytes);
  counted("ours." + size, ours);
  counted("floor." + size, floor);
  std::vector<double> ours_us;
  std::vector<double> floor_us;
  for (size_t round = 0; round < kRounds; ++round) {
    ours_us.push_back(cpu_us_of(ours) / kSealsARound);
    floor_us.push_back(cpu_us_of(floor) / kSealsARound);
  }
  figure("ours_us." + size, median(ours_us));
  figure("floor_us." + size, median(floor_us));
}

int run(const std::string& name) {
  test::TokenFixture& fixture = token_named(name);
  if (!fixture.missing().empty()) {
    std::fprintf(stderr, "%s\n", fixture.missing().c_str());
    return kSkipped;
  }
  TokenVehicle vehicle(fixture);
  vehicle.fetch_prekeys();
  vehicle.show_session(vehicle.open_session());
  RawToken token(fixture, fixture.module().functions());
  figure("seals", kSealsARound);
  for (const size_t bytes : {size_t{256}, size_t{1024}, kContentMax}) measure(vehicle, token, bytes);
  return 0;
}

}  // namespace
}  // namespace wayseal::bench

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  return wayseal::bench::guarded([&] { return wayseal::bench::run(argv[1]); });
}
