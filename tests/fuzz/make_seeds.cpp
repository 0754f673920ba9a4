// SPDX-License-Identifier: Apache-2.0
// Makes the seeds below corpus/: our own inputs, small ones of every kind that a target knows.
//
// usage: wayseal-fuzz-seeds REPOSITORY FOLDER
//
// Certificates are signed with random numbers, sessions have random keys: made again, these files differ.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "dbc/parser.hpp"
#include "dbc/table_builder.hpp"
#include "delivery.pb.h"
#include "fuzz.hpp"
#include "fuzz_pki.hpp"
#include "record.pb.h"
#include "session.pb.h"
#include "unit/seal/vehicle_half.hpp"
#include "wayseal/enrol/certificate.hpp"
#include "wayseal/record/loss_report.hpp"
#include "wayseal/seal/envelope.hpp"
#include "wayseal/seal/session.hpp"

namespace {

using namespace wayseal;
using fakes::BackendHalf;
using fuzz::Output;

class Corpus {
 public:
  explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void add(const std::string& target, const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(folder_ / target);
    std::ofstream out(folder_ / target / name, std::ios::binary | std::ios::trunc);
    out << bytes;
    if (!out.flush()) throw std::runtime_error("cannot write " + (folder_ / target / name).string());
  }
  void add(const std::string& target, const std::string& name, const Output& output) const {
    add(target, name, fuzz::text_of(fuzz::bytes_of(output.all())));
  }

 private:
  std::filesystem::path folder_;
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string text_of(const fakes::Blob& blob) { return fuzz::text_of(fuzz::bytes_of(blob)); }

std::string with_mode(uint8_t mode, const std::string& bytes) { return static_cast<char>(mode) + bytes; }

// Signal tables -----------------------------------------------------------------------------------------------

struct NamedText {
  const char* name;
  const char* text;
};

constexpr NamedText kDbcs[] = {
    {"plain",
     "VERSION \"1\"\nNS_ :\n\tCM_\nBS_:\nBU_: X Y\nVAL_TABLE_ T 1 \"one\" 0 \"zero\" ;\n"
     "BO_ 100 Plain: 8 X\n SG_ A : 0|12@1+ (1,0) [0|9] \"V\" X\n SG_ B : 39|20@0- (0.5,-3) [0|0] \"\" X,Y\n"
     "CM_ SG_ 100 A \"a text\";\nVAL_ 100 A 1 \"one\" 2 \"two\" ;\nVAL_ 100 B T ;\n"},
    {"multiplexed",
     "BO_ 101 Mux: 8 X\n SG_ S M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ T m1M : 8|8@1- (1,0) [0|0] \"\" X\n"
     " SG_ U m2 : 16|16@1+ (1,0) [0|0] \"\" X\n SG_ V m3 : 63|1@1+ (1,0) [0|0] \"\" X\n"
     "SG_MUL_VAL_ 101 T S 1-1;\nSG_MUL_VAL_ 101 U T 2-5;\nSG_MUL_VAL_ 101 V T 4-9, 11-11;\n"},
    {"simple_mux",
     "BO_ 7 M: 8 X\n SG_ S M : 7|4@0+ (1,0) [0|0] \"\" X\n SG_ A m0 : 8|8@1+ (1,0) [0|0] \"\" X\n"
     " SG_ B m1 : 8|16@1- (2,1) [0|0] \"\" X\n"},
    {"fd_j1939",
     "BO_ 2566844926 Group: 64 X\n SG_ W : 3|64@1+ (1,0) [0|0] \"\" X\n"
     " SG_ X : 505|64@0+ (1,0) [0|0] \"\" X\n SG_ Y : 480|32@1+ (1,0) [0|0] \"\" X\n"
     " SG_ Z : 7|64@0- (1,0) [0|0] \"\" X\n"
     "BO_ 2566844927 Other: 8 X\n SG_ W : 0|64@1- (1,0) [0|0] \"\" X\n"
     "BA_DEF_ \"ProtocolType\" STRING;\nBA_ \"ProtocolType\" \"J1939\";\nSIG_VALTYPE_ 2566844926 Y : 1;\n"
     "SIG_VALTYPE_ 2566844927 W : 2;\n"},
    {"attributes",
     "BO_ 1 a: 8 X\n SG_ s : 0|8@1+ (1,0) [0|0] \"\" X\n"
     "BA_DEF_ BO_ \"VFrameFormat\" ENUM \"StandardCAN\",\"ExtendedCAN\",\"StandardCAN_FD\";\n"
     "BA_DEF_ BO_ \"GenMsgCycleTime\" INT 0 1000;\nBA_DEF_DEF_ \"VFrameFormat\" \"StandardCAN\";\n"
     "BA_ \"VFrameFormat\" BO_ 1 2;\nBA_ \"GenMsgCycleTime\" BO_ 1 100;\n"
     "BA_ \"SystemMessageLongSymbol\" BO_ 1 \"a_long_name\";\n"
     "BA_ \"SystemSignalLongSymbol\" SG_ 1 s \"another_long_name\";\n"},
    {"wrong",
     "BO_ 1 a: 2 X\n SG_ outside : 12|8@1+ (1,0) [0|0] \"\" X\n SG_ s m1 : 0|8@1+ (1,0) [0|0] \"\" X\n"
     " SG_ s : 0|8@1+ (1,0) [0|0] \"\" X\nBO_ 1 again: 8 X\nBO_ 3 long: 4095 X\nUNKNOWN_ 1 2 3;\n"
     "VAL_ 9 x 1 \"a\" ;\nSG_MUL_VAL_ 1 s t 1-2;\n"},
    {"error", "BO_ 1 a: 8 X\n SG_ s : 0|8@1+ (1,0) [0|0] \"no end X\n"},
    {"circle",
     "BO_ 1 a: 8 X\n SG_ s m1M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ t m1M : 8|8@1+ (1,0) [0|0] \"\" X\n"
     "SG_MUL_VAL_ 1 s t 1-1;\nSG_MUL_VAL_ 1 t s 1-1;\n"},
    {"windows_1252",
     "BO_ 1 a: 8 X\n SG_ s : 0|8@1+ (1,0) [-1e3|1.5E2] \"\xB0"
     "C\" X\n"},
};

std::vector<uint8_t> table_of(const std::string& text, bool names) {
  oem::TableOptions options;
  options.name = "seed";
  options.names = names;
  options.on_change = {"*"};
  return oem::build_table({{"", oem::parse_dbc(text, "seed.dbc")}}, options).bytes;
}

void add_tables(const Corpus& corpus, const std::string& drive) {
  for (const NamedText& dbc : kDbcs) {
    corpus.add("dbc", dbc.name, dbc.text);
    if (std::string(dbc.name) == "error") continue;
    for (const bool names : {true, false}) {
      const std::vector<uint8_t> bytes = table_of(dbc.text, names);
      Output out;
      out.u8(names ? 1 : 0);
      for (int i = 0; i < 64; ++i) out.u8(static_cast<uint64_t>(names ? i % 3 : 17 * i));
      corpus.add("signal_table", dbc.name + std::string(names ? "" : "_nameless"),
                 out.bytes(fuzz::bytes_of(bytes)));
    }
  }
  corpus.add("dbc", "drive", drive.substr(0, drive.find("\n\n", 3000)));
}

// Batches ---------------------------------------------------------------------------------------------------

v1::Batch example_batch(v1::Batch::TimeQuality quality) {
  v1::Batch batch;
  batch.set_table_id(0x0123456789ABCDEF);
  batch.set_base_time_us(1000000);
  batch.set_time_quality(quality);
  batch.set_utc_offset_us(quality == v1::Batch::TIME_TRUSTED ? 1700000000000000 : 0);
  v1::Series* series = batch.add_series();
  series->set_group(3);
  series->set_times(std::string("\x00\xA0\x9C\x01\x00\x08", 6));
  v1::Column* column = series->add_columns();
  column->set_values(std::string("\x14\x05\x02", 3));
  column = series->add_columns();
  column->set_signal(1);
  column->set_values(std::string("\x1C\x08", 2));
  column->set_runs(std::string("\x00\x01\x01\x01", 4));
  return batch;
}

std::string example_losses(size_t ranges, size_t buses) {
  std::vector<LossRange> lost(ranges);
  for (size_t i = 0; i < ranges; ++i) {
    lost[i].session.data[0] = static_cast<uint8_t>(i);
    lost[i].first = 1 + 300 * i;
    lost[i].last = 2 + 301 * i;
    lost[i].count = 1;
    lost[i].cause = static_cast<LossCause>(i % 5);
  }
  const std::vector<BusLoss> bus(buses, BusLoss{1, 2, 3, 4, 5, 6, 7});
  LossReport report;
  report.ranges = {lost.data(), lost.size()};
  report.buses = {bus.data(), bus.size()};
  report.epoch = 0x1122334455667788;
  std::string out(loss_report_size_max(ranges, buses), '\0');
  size_t coded = 0;
  const Result<size_t> size =
      encode_loss_report(report, {reinterpret_cast<uint8_t*>(out.data()), out.size()}, coded);
  return out.substr(0, size.value());
}

void add_batches(const Corpus& corpus) {
  corpus.add("batch", "untrusted", example_batch(v1::Batch::TIME_UNTRUSTED).SerializeAsString());
  corpus.add("batch", "trusted", example_batch(v1::Batch::TIME_TRUSTED).SerializeAsString());
  v1::Batch two = example_batch(v1::Batch::TIME_RECORDED);
  *two.add_series() = two.series(0);
  corpus.add("batch", "group_twice", two.SerializeAsString());
  two.mutable_series(1)->set_group(4);
  two.mutable_series(1)->mutable_columns(0)->set_values("\x15\x07");
  corpus.add("batch", "recorded_two_groups", two.SerializeAsString());
  v1::Batch wide = example_batch(v1::Batch::TIME_TRUSTED);
  wide.mutable_series(0)->mutable_columns(0)->set_values("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x03");
  corpus.add("batch", "sixty_five_bits", wide.SerializeAsString());
  corpus.add("batch", "loss_report", example_losses(3, 2));
}

Output collector_start(unsigned variant, unsigned slot, unsigned slots, unsigned chunks, unsigned duration_ms) {
  return Output().u8(variant).u8(slot).u8(slots).u8(chunks).u16(duration_ms);
}

void add_collector(const Corpus& corpus) {
  for (unsigned variant = 0; variant < 3; ++variant) {
    Output steps = collector_start(variant, 200, 3, 60, 500);
    for (uint8_t i = 0; i < 24; ++i) {
      steps.u8(static_cast<uint64_t>((i % 3) << 3)).u16(1000U + i);
      for (uint8_t byte = 0; byte < 8; ++byte) steps.u8(uint64_t{i} / 4 * byte);
    }
    steps.u8(5).u16(600).u8(6).u8(7);
    corpus.add("collector", "steady_" + std::to_string(variant), steps);
    Output full = collector_start(variant, 0, 0, 4, 65535);
    for (uint8_t i = 0; i < 10; ++i) full.u8(4).u16(i).u64(i * 0x0123456789ABCDEFULL).u8(200);
    full.u8(7)
        .u8(0x80)
        .u64(~uint64_t{0} >> 1)
        .u64(1)
        .u8(0x80)
        .u64(uint64_t{1} << 63)
        .u64(2)
        .u8(0x40)
        .u16(1)
        .u8(3)
        .u16(9);
    corpus.add("collector", "full_" + std::to_string(variant), full);
  }
}

// Envelopes, sessions, acks ---------------------------------------------------------------------------------------

void add_envelopes(const Corpus& corpus) {
  EnvelopeHeader header;
  header.suite = 1;
  header.sequence = 77;
  std::string out(sealed_size(40), '\x5A');
  SealedLayout layout;
  fakes::must(lay_out_sealed(header, 40, {reinterpret_cast<uint8_t*>(out.data()), out.size()}, layout));
  corpus.add("envelope", "sealed", with_mode(0, out));
  corpus.add("envelope", "vehicle_header", with_mode(1, fuzz::text_of(layout.header)));
  std::string reply("\x01\x02", 2);
  reply += std::string(16, 'i') + std::string(8, '\0') + std::string(12, 'n');
  corpus.add("envelope", "backend_header", with_mode(1, reply));
  for (const uint8_t type : {uint8_t{1}, uint8_t{2}, uint8_t{64}, uint8_t{9}}) {
    std::string content(32, '\0');
    content[0] = static_cast<char>(type);
    content[2] = 20;
    content.replace(3, 20, "twenty bytes of text");
    corpus.add("envelope", "content_" + std::to_string(type), with_mode(2, content));
  }
  Output report;
  report.u8(3).u8(2).u8(1).u16(400).u64(1).u64(2).u64(3);
  for (uint8_t i = 0; i < 120; ++i) report.u8(i);
  corpus.add("envelope", "loss_report", report);
}

v1::Ack example_ack(size_t sessions, size_t bitmap) {
  v1::Ack ack;
  for (size_t i = 0; i < sessions; ++i) {
    v1::SessionAck* one = ack.add_sessions();
    one->set_session_id(std::string(16, static_cast<char>('a' + i)));
    one->set_contiguous(300 * i);
    one->set_beyond(std::string(bitmap, '\x81'));
  }
  return ack;
}

void add_acks(const Corpus& corpus) {
  for (const size_t sessions : {size_t{0}, size_t{1}, size_t{2}, size_t{32}, size_t{33}}) {
    const std::string ack = example_ack(sessions, sessions == 2 ? 32 : 3).SerializeAsString();
    corpus.add("ack", "ack_" + std::to_string(sessions), with_mode(0, ack));
    std::string content("\x40", 1);
    content += static_cast<char>(ack.size() >> 8);
    content += static_cast<char>(ack.size());
    corpus.add("ack", "content_" + std::to_string(sessions),
               with_mode(1, content + ack + std::string(9, '\0')));
  }
}

/// A session as the vehicle opens it, and what the backend says to it.
void add_sessions(const Corpus& corpus) {
  fakes::VehicleWorld world;
  fakes::VehicleLife life(world);
  life.fetch(2);
  StoredOpenings openings(life.state, life.prekeys);
  Session session(world.vault, world.clock, openings, life.identity);
  PreviousSession previous;
  for (const char* name : {"first", "second"}) {
    fakes::Blob open(kSessionOpenBytesMax);
    size_t size = 0;
    fakes::must(session.open({}, previous, fakes::mutable_view(open), size));
    corpus.add("session_open", name, fuzz::text_of({open.data(), size}));
    world.backend.take_open({open.data(), size});
    previous = {PreviousSession::Known::kYes, session.id(), 99};
  }
  const fakes::Blob sealed = world.backend.seal_ack(session.id(), {});
  corpus.add("ack", "sealed", with_mode(2, text_of(sealed)));
  Challenge challenge;
  const fakes::Blob bundle = world.backend.signed_bundle(world.backend.plan(challenge, 2));
  const fakes::Blob time = world.backend.signed_time(challenge, BackendHalf::kNowMs);
  corpus.add("prekeys_raw", "bundle", text_of(bundle));
  corpus.add("prekeys_raw", "time", text_of(time));
  // Good in all but the vehicle: a good one would be taken.
  BackendHalf other(world.verifier, "vehicle-8");
  corpus.add("prekeys_raw", "refusal", text_of(other.signed_refusal(session.transcript(), 3)));
  corpus.add("prekeys_raw", "reply", text_of(world.backend.reply(bundle, time)));
  fakes::Blob request(kPrekeysRequestMax);
  size_t size = 0;
  fakes::must(life.client.make_request(SuiteSet{3}, 4, fakes::mutable_view(request), size));
  corpus.add("prekeys_raw", "request", fuzz::text_of({request.data(), size}));
}

void add_signed_bodies(const Corpus& corpus) {
  fakes::FakeCertVerifier verifier;
  BackendHalf backend(verifier, "vehicle-7");
  for (const size_t one_time : {size_t{0}, size_t{2}, size_t{16}}) {
    const fakes::PrekeyPlan plan = backend.plan({}, one_time);
    corpus.add("prekeys_signed", "bundle_" + std::to_string(one_time),
               with_mode(4, BackendHalf::bundle_body(plan)));
  }
  fakes::PrekeyPlan plan = backend.plan({}, 3);
  plan.one_time[1].id = plan.one_time[0].id;
  corpus.add("prekeys_signed", "id_twice", with_mode(4, BackendHalf::bundle_body(plan)));
  plan = backend.plan({}, 2);
  plan.one_time[0].expires_ms = 1;
  plan.one_time[1].suites = 2;
  corpus.add("prekeys_signed", "expired", with_mode(4, BackendHalf::bundle_body(plan)));
  plan.last_resort.reset();
  corpus.add("prekeys_signed", "no_last_resort", with_mode(4, BackendHalf::bundle_body(plan)));
  v1::TimeStatement time;
  time.set_utc_ms(BackendHalf::kNowMs);
  time.set_challenge(std::string(32, 'c'));
  corpus.add("prekeys_signed", "time", with_mode(5, time.SerializeAsString()));
  v1::SessionRefused refused;
  refused.set_vehicle_id("vehicle-7");
  refused.set_th(std::string(32, 't'));
  refused.set_reason(v1::SessionRefused::REASON_BAD_OPEN);
  corpus.add("prekeys_signed", "refusal", with_mode(2, refused.SerializeAsString()));
}

// Certificates ------------------------------------------------------------------------------------------------

void add_chain(const Corpus& corpus, const std::string& name, unsigned mode, const fakes::Der& leaf,
               const fakes::Der& intermediate) {
  corpus.add(
      "certificates", name,
      Output().u8(mode).u16(leaf.size()).bytes(fakes::bytes_of(leaf)).bytes(fakes::bytes_of(intermediate)));
}

void add_certificates(const Corpus& corpus) {
  for (unsigned role = 0; role < 3; ++role) {
    const fakes::TestIdentity intermediate = fuzz::fuzz_intermediate(static_cast<Role>(role));
    const fakes::CertSpec spec = fakes::role_leaf_spec(static_cast<Role>(role), "vehicle-7");
    const fakes::Der leaf = fuzz::fuzz_leaf(intermediate, spec).der;
    add_chain(corpus, "good_" + std::to_string(role), role, leaf, intermediate.der);
    add_chain(corpus, "signed_anew_" + std::to_string(role), role | 12U, leaf, intermediate.der);
  }
  const fakes::TestIdentity intermediate = fuzz::fuzz_intermediate(Role::kVehicle);
  const fakes::CertSpec good = fakes::role_leaf_spec(Role::kVehicle, "vehicle-7");
  std::vector<std::pair<std::string, fakes::CertSpec>> specs(8, {"", good});
  specs[0] = {"two_names", good};
  specs[0].second.second_common_name = "other";
  specs[1] = {"authority", good};
  specs[1].second.basic_constraints = "critical,CA:TRUE";
  specs[2] = {"two_usages", good};
  specs[2].second.extended_key_usage += ",serverAuth";
  specs[3] = {"no_usage", good};
  specs[3].second.key_usage.clear();
  specs[4] = {"outdated", good};
  specs[4].second.not_after_s = 1600000001;
  specs[5] = {"alternative_name", good};
  specs[5].second.alternative_name = "DNS:gateway.test";
  specs[6] = {"critical_extension", good};
  specs[6].second.other_extension = "1.2.3.4=critical,DER:0500";
  specs[7] = {"strange_name", good};
  specs[7].second.common_name = "vehicle 7/\xC3\xA4";
  for (const auto& [name, spec] : specs) {
    add_chain(corpus, name, 4, fuzz::fuzz_leaf(intermediate, spec).der, intermediate.der);
  }
  const fakes::TestIdentity other =
      fakes::issue(intermediate, good, fakes::make_key(fakes::TestKeyKind::kP384));
  add_chain(corpus, "p384", 4, other.der, intermediate.der);
  const fakes::TestIdentity ed25519 =
      fakes::issue(intermediate, good, fakes::make_key(fakes::TestKeyKind::kEd25519));
  corpus.add("certificates", "leaf_alone", fuzz::text_of(ed25519.bytes()));
}

// Enrolment ---------------------------------------------------------------------------------------------------

std::string certs_only(const std::vector<fakes::Der>& certificates) {
  std::string inside;
  for (const fakes::Der& der : certificates) inside += fuzz::text_of(fakes::bytes_of(der));
  const auto wrap = [](char tag, const std::string& content) {
    const size_t size = content.size();
    std::string head(1, tag);
    if (size < 128) return head + static_cast<char>(size) + content;
    if (size < 256) return head + '\x81' + static_cast<char>(size) + content;
    return head + '\x82' + static_cast<char>(size >> 8) + static_cast<char>(size & 255) + content;
  };
  const std::string data("\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01", 11);
  const std::string signed_data("\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02", 11);
  const std::string version("\x02\x01\x01", 3);
  const std::string none("\x31\x00", 2);
  const std::string content = wrap('\x30', version + none + wrap('\x30', data) + wrap('\xA0', inside) + none);
  return wrap('\x30', signed_data + wrap('\xA0', content));
}

void add_enrolment(const Corpus& corpus) {
  const fakes::TestIdentity intermediate = fuzz::fuzz_intermediate(Role::kVehicle);
  const fakes::Der leaf = fuzz::fuzz_leaf(intermediate, fakes::role_leaf_spec(Role::kVehicle, "vehicle-7")).der;
  const std::string both = certs_only({leaf, intermediate.der});
  corpus.add("enrolment_answer", "both", with_mode(0, both));
  corpus.add("enrolment_answer", "leaf", with_mode(0, certs_only({leaf})));
  corpus.add("enrolment_answer", "none", with_mode(0, certs_only({})));
  corpus.add("enrolment_answer", "three", with_mode(0, certs_only({leaf, leaf, leaf})));
  corpus.add("enrolment_answer", "certificate", with_mode(2, fuzz::text_of(fakes::bytes_of(leaf))));
  std::string text(base64_size(both.size()), '\0');
  static_cast<void>(write_base64(fuzz::bytes_of(both), {reinterpret_cast<uint8_t*>(text.data()), text.size()}));
  corpus.add("enrolment_answer", "line", with_mode(1, text));
  std::string lines;
  for (size_t i = 0; i < text.size(); i += 64) lines += text.substr(i, 64) + "\r\n";
  corpus.add("enrolment_answer", "lines", with_mode(1, lines));
}

// Texts ---------------------------------------------------------------------------------------------------------

constexpr NamedText kAnswers[] = {
    {"ok", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: application/x-protobuf\r\n\r\nhello"},
    {"chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\n yo\r\n0\r\nT: x\r\n\r\n"},
    {"interim",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"},
    {"retry", "HTTP/1.1 503 Busy\r\nRetry-After: 120 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
    {"retry_date", "HTTP/1.1 429 x\r\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n"},
    {"coded", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx"},
    {"identity",
     "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\nxxHTTP/1.1 200 OK\r\n"},
    {"old", "HTTP/1.0 200 OK\r\n\r\nuntil the end"},
    {"upgrade", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"},
    {"two_lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
    {"both", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"folded", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 1\r\n\r\nx"},
};

constexpr NamedText kLogs[] = {
    {"classic", "(1436509052.249713) can0 123#1122334455667788\n(1436509052.350000) can1 1F334455#\n"},
    {"fd",
     "(1.5) can0 123##1AABBCC\n(2.000000001) vcan0 00000001##3"
     "0011223344556677889900AA\n"},
    {"no_frames", "(1.0) can0 20000004#0000000000000000\n(1.0) can0 123#R\n(1.0) can0 123#R8\n\n  \n"},
    {"wrong", "(1.0 can0 123#\n(1.0) can0 12#00\n(1.0) can0 FFF#00\n(1.0) can0 123#0\n(1.0) can0 123##\nxyz\n"},
    {"extra", "(0000000003.25) can0 7FF#11.22.33 R\n(3.26) can0 7FF#1122_8 T\r\n(99999999999.0) can0 123#00\n"},
    {"no_line_feed", "(1.0) a 001#FF"},
};

constexpr NamedText kAgentConfigs[] = {
    {"least",
     "[bus]\ninterfaces=[\"can0\"]\n[signals]\ntable=\"t\"\n[token]\nmodule=\"m\"\npin_fd=3\n[gateway]\nhost="
     "\"h\"\n"
     "[store]\ndirectory=\"d\"\n"},
    {"log",
     "[bus]\nlog=\"l\"\npace=\"max\"\nspeed=2\ninterfaces=[\"a\",\"b\"]\n[signals]\ntable=\"/"
     "t\"\n[token]\nmodule=\"m\"\n"
     "label=\"x\"\npin_file=\"p\"\n[gateway]\nhost=\"h\"\nport=65535\n[store]\ndirectory=\"d\"\nspool_mib="
     "4096\n"
     "[policy]\nsuites=[2]\n[status]\nsocket=\"s\"\n[delivery]\nretry_min_ms=1\nretry_max_ms=2\n"},
    {"unknown", "[bus]\ninterfaces=[\"can0\"]\nwhat=1\n"},
    {"not_toml", "[bus\nx = = 3\n"},
};

constexpr NamedText kBackendConfigs[] = {
    {"least", "{\"database\":\"d.sqlite\"}"},
    {"whole",
     "{\"listen\":\"s\",\"database\":\"/"
     "d\",\"log\":\"-\",\"module\":\"m\",\"module_args\":\"a\",\"softhsm2_conf\":\"c\","
     "\"token\":\"t\",\"pin_file\":\"p\",\"crls\":[\"a.pem\",\"/"
     "b.pem\"],\"crl_policy\":\"off\",\"connections_max\":7,"
     "\"policy\":{\"suites\":[1,2],\"prekeys_per_request\":8,\"prekeys_unused_max\":9,\"prekey_days\":30,"
     "\"last_resort_days\":7,\"offline_days\":0,\"sessions_max\":2}} // a comment\n"},
    {"wrong_type", "{\"database\":1,\"policy\":[]}"},
    {"unknown", "{\"database\":\"d\",\"data\":{}}"},
};

constexpr NamedText kTokenAnswers[] = {
    {"plain",
     R"({"access_token":"eyJ0.a-b_c.~+/=","expires_in":300,"token_type":"Bearer","scope":"prekeys records"})"},
    {"nested",
     R"({"x":{"access_token":"n","y":[1,2,{}]},"token_type":"bearer", "expires_in": 5 ,"access_token":"t"})"},
    {"twice", R"({"access_token":"a","access_token":"b","token_type":"Bearer","expires_in":9})"},
    {"error", R"({"error":"invalid_client","error_description":"client authentication failed"})"},
};

void add_texts(const Corpus& corpus, const std::string& example) {
  for (const NamedText& answer : kAnswers) {
    corpus.add("http_response", answer.name,
               Output().u8(32).u8(3).bytes(fuzz::bytes_of(std::string(answer.text))));
  }
  std::string long_answer = "HTTP/1.1 200 OK\r\nContent-Length: 1500\r\n\r\n";
  corpus.add("http_response", "long",
             Output().u8(255).u8(7).bytes(fuzz::bytes_of(long_answer + std::string(1500, 'x'))));
  long_answer.insert(17, "X-Long: " + std::string(8200, 'y') + "\r\n");
  corpus.add("http_response", "long_head", Output().u8(255).u8(6).bytes(fuzz::bytes_of(long_answer)));
  for (const NamedText& answer : kTokenAnswers) corpus.add("token_answer", answer.name, answer.text);
  for (const NamedText& log : kLogs) corpus.add("candump", log.name, with_mode(5, log.text));
  corpus.add("candump", "long_line",
             with_mode(200, "(1.0) can0 123#00 " + std::string(600, 'x') + "\n(1.0) can0 123#00\n"));
  for (const NamedText& config : kAgentConfigs) corpus.add("agent_config", config.name, config.text);
  corpus.add("agent_config", "example", example);
  for (const NamedText& config : kBackendConfigs) corpus.add("backend_config", config.name, config.text);
}

// Frames on a serial line: bytes, or 0xFE, a length and a body that the target gives its CRC.
void add_uart_can(const Corpus& corpus) {
  const auto body = [](Output& out, std::initializer_list<uint8_t> bytes) -> Output& {
    out.u8(0xFE).u8(static_cast<uint8_t>(bytes.size()));
    for (const uint8_t byte : bytes) out.u8(byte);
    return out;
  };
  Output frames;
  body(frames.u8(3), {0x00, 0x23, 0x01, 1, 2, 3, 0, 0, 0, 0, 8});
  body(frames, {0x11, 0x00, 0xF1, 0xFE, 0x18, 0});
  body(frames, {0x06, 0xFF, 0x07, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  corpus.add("uart_can", "frames", frames);
  Output reports;
  for (const uint8_t state : {uint8_t{1}, uint8_t{2}, uint8_t{3}, uint8_t{4}})
    body(reports.u8(0), {0x81, state, 9, 0, 0, 0, 7, 0, 0, 0});
  corpus.add("uart_can", "reports", body(reports, {0x92}));
  Output wrong;
  for (const uint8_t id : {uint8_t{0x08}, uint8_t{0xFF}}) body(wrong.u8(9), {0x00, 0x00, id});
  body(body(body(wrong, {0x04, 1, 1}), {0x70, 1, 1}), {0xAF}).u8(1).u8(2).u8(0).u8(0);
  corpus.add("uart_can", "wrong", body(wrong, {}));
  corpus.add("uart_can", "garbage",
             with_mode(1, std::string(200, 'x') + std::string(3, '\0') + "\x05garb\x09"));
}

// Media -----------------------------------------------------------------------------------------------------------

Output& state_entry(Output& out, unsigned item, unsigned size, unsigned how = 0) {
  out.u8(4).u8(how).u8(item);
  if ((how & 1U) != 0)
    out.u16(size);
  else
    out.u8(size);
  if ((how & 2U) != 0) out.u8(9);
  return out.u8(item);
}

void add_state(const Corpus& corpus) {
  Output use;
  use.u8(7)
      .u8(0x12)
      .u8(40)
      .u8(0x23)
      .u16(700)
      .u8(0x21)
      .u8(0x00)
      .u8(0x13)
      .u16(4704)
      .u8(0x33)
      .u16(4704)
      .u8(0x43)
      .u16(4704)
      .u8(0);
  const auto with_use = [&](Output out) { return out.bytes(fuzz::bytes_of(use.all())); };
  corpus.add("state", "blank", with_use({}));
  Output two_values;
  two_values.u8(1).u8(0).u8(1);
  state_entry(two_values, 1, 8);
  state_entry(two_values, 3, 600, 1);
  corpus.add("state", "two_values", with_use(two_values));
  Output cut = two_values;
  state_entry(cut, 1, 8, 4);
  corpus.add("state", "cut_entry", with_use(cut));
  Output rotten = cut;
  state_entry(rotten, 2, 9);
  corpus.add("state", "rotten_value", with_use(rotten));
  Output halves = two_values;
  halves.u8(3).u8(1).u8(0).u8(2);
  state_entry(halves, 1, 9);
  corpus.add("state", "two_halves", with_use(halves));
  Output headless = two_values;
  headless.u8(0).u16(0).u8(80).bytes(fuzz::bytes_of(std::string(80, '\0')));
  corpus.add("state", "no_header", with_use(headless));
  corpus.add("state", "other_version", Output().u8(1).u8(4).u8(1).u16(2).bytes(fuzz::bytes_of(use.all())));
  corpus.add("state", "last_generation", with_use(Output().u8(1).u8(0).u8(0xE0)));
}

Output& spool_record(Output& out, unsigned session, unsigned sequence, unsigned size, unsigned how = 4) {
  out.u8(5).u8(how).u8(session).u8(sequence);
  if ((how & 4U) != 0) return out.u16(size);
  return out.u8(size);
}
Output& spool_open(Output& out, unsigned session) { return out.u8(2).u8(0).u8(session).u8(100); }
Output& spool_checkpoint(Output& out, unsigned sessions, unsigned ranges) {
  out.u8(3).u8(0).u8(sessions).u8(ranges);
  for (unsigned i = 0; i < sessions; ++i) out.u8(i + 1).u8(2).u8(8).u8(2).u8(i % 2).u8(2).u16(0x0104);
  for (unsigned i = 0; i < ranges; ++i) out.u8(i + 1).u8(3 * i + 1).u8(3 * i + 2).u8(1).u8(i % 5);
  return out;
}

Output spool_use() {
  Output use;
  use.u8(7).u8(0).u8(50).u16(200);
  for (unsigned i = 0; i < 12; ++i) use.u8(1).u8(0).u16(3000 + i);
  use.u8(6).u8(3).u8(50).u8(3).u8(2).u16(0x0201).u8(7).u8(0).u8(51).u16(2000);
  for (unsigned i = 0; i < 30; ++i) use.u8(1).u8(i % 3).u16(4000);
  use.u8(12).u8(14).u8(8).u8(0).u16(900).u8(6).u8(13).u8(3).u8(51).u8(60).u8(0);
  return use.u8(4).u8(50).u8(5).u8(7);
}

void add_spool(const Corpus& corpus) {
  const Output use = spool_use();
  const auto with_use = [&](Output out) { return out.bytes(fuzz::bytes_of(use.all())); };
  corpus.add("spool", "blank", with_use({}));
  Output one;
  one.u8(1).u8(0);
  spool_checkpoint(one, 0, 0);
  spool_open(one, 1);
  for (unsigned i = 1; i < 6; ++i) spool_record(one, 1, i, 300 * i);
  corpus.add("spool", "one_session", with_use(one));
  Output damaged = one;
  spool_record(damaged, 1, 6, 100, 1);
  spool_record(damaged, 1, 8, 100, 2);
  spool_record(damaged, 1, 9, 100, 0);
  corpus.add("spool", "damaged", with_use(damaged));
  Output two = one;
  two.u8(1).u8(0);
  spool_open(two, 1);
  spool_checkpoint(two, 2, 3);
  spool_open(two, 2);
  spool_record(two, 2, 1, 500).u8(4).u8(3);
  spool_record(two, 2, 2, 500);
  corpus.add("spool", "two_segments", with_use(two));
  Output lap;
  for (unsigned segment = 0; segment < 6; ++segment) {
    lap.u8(1).u8(0);
    spool_open(lap, 1);
    spool_checkpoint(lap, 1, 1);
    for (unsigned i = 1; i < 4; ++i) spool_record(lap, 1, 10 * segment + i, 4000);
  }
  corpus.add("spool", "second_lap", with_use(lap));
  Output headless = one;
  headless.u8(0).u16(0).u8(40).bytes(fuzz::bytes_of(std::string(40, '\0')));
  corpus.add("spool", "no_header", with_use(headless));
  Output last;  // the last numbers that there are
  last.u8(7).u8(0).u8(50).u16(10).u8(10).u8(0).u16(10).u8(2).u8(0).u16(10).u8(2).u8(0).u16(10).u8(2).u8(0).u16(
      10);
  corpus.add(
      "spool", "last_numbers",
      last.u8(6).u8(3).u8(50).u8(0xF8).u64(0xFFFFFFFE).u8(0).u8(3).u8(50).u8(0xF8).u64(0xFFFFFFFF).u8(0).u8(7));
  Output full;
  full.u8(1).u8(0);
  spool_checkpoint(full, 33, 32);
  corpus.add("spool", "full_checkpoint", with_use(full));
  corpus.add("spool", "other_version", with_use(Output().u8(1).u8(4).u8(9)));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::filesystem::path repository = argv[1];
  const Corpus corpus(argv[2]);
  add_tables(corpus, read_file(repository / "examples/oem/drive.dbc"));
  add_batches(corpus);
  add_collector(corpus);
  add_envelopes(corpus);
  add_acks(corpus);
  add_sessions(corpus);
  add_signed_bodies(corpus);
  add_certificates(corpus);
  add_enrolment(corpus);
  add_texts(corpus, read_file(repository / "examples/tcu/wayseal-tcu.toml"));
  add_uart_can(corpus);
  add_state(corpus);
  add_spool(corpus);
  std::cout << "seeds are in " << argv[2] << '\n';
  return 0;
}
