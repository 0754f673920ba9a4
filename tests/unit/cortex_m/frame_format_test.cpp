// SPDX-License-Identifier: Apache-2.0
#include "can/frame_format.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <vector>

namespace wayseal::test {
namespace {

using can::Message;
using can::MessageKind;
using can::PieceFault;
using Buffer = std::vector<uint8_t>;

CanFrame frame_of(uint32_t id, uint8_t flags, Buffer data, uint8_t bus = 0) {
  CanFrame frame;
  frame.id = id;
  frame.flags = flags;
  frame.bus = bus;
  frame.length = static_cast<uint8_t>(data.size());
  std::copy(data.begin(), data.end(), frame.data);
  return frame;
}

Buffer wire_of(const CanFrame& frame) {
  Buffer wire(can::kWireMax);
  wire.resize(can::write_frame(frame, {wire.data(), wire.size()}));
  return wire;
}

/// As the coding says, written again without looking at the code: body and CRC to a piece.
Buffer piece_of(Buffer body) {
  uint16_t crc = can::kCrcStart;
  for (const uint8_t byte : body) crc = can::crc16(crc, byte);
  body.push_back(static_cast<uint8_t>(crc >> 8));
  body.push_back(static_cast<uint8_t>(crc));
  Buffer piece = {0};
  size_t code = 0;
  for (const uint8_t byte : body) {
    piece.push_back(byte);
    if (byte != 0) continue;
    piece[code] = static_cast<uint8_t>(piece.size() - 1 - code);
    code = piece.size() - 1;
  }
  piece[code] = static_cast<uint8_t>(piece.size() - code);
  return piece;
}

PieceFault parse(const Buffer& piece, Message& message, CanFrame& frame) {
  message.frame = &frame;
  return can::parse_piece({piece.data(), piece.size()}, message);
}

PieceFault parse(const Buffer& piece) {
  Message message;
  CanFrame frame;
  return parse(piece, message, frame);
}

Buffer without_delimiter(Buffer wire) {
  REQUIRE(!wire.empty());
  REQUIRE(wire.back() == can::kDelimiter);
  wire.pop_back();
  return wire;
}

}  // namespace

TEST_CASE("the CRC is CRC-16/IBM-3740") {
  uint16_t crc = can::kCrcStart;
  for (const char c : {'1', '2', '3', '4', '5', '6', '7', '8', '9'})
    crc = can::crc16(crc, static_cast<uint8_t>(c));
  CHECK(crc == 0x29B1);  // the check value of the catalogue of CRCs
}

TEST_CASE("the bytes on the line are those of the README") {
  CHECK(wire_of(frame_of(0x123, 0, {1, 2, 3})) ==
        Buffer{0x01, 0x08, 0x23, 0x01, 0x01, 0x02, 0x03, 0xFF, 0xF3, 0x00});
  CHECK(wire_of(frame_of(0x18FEF100, CanFrame::kExtendedId, {0}, 1)) ==
        Buffer{0x02, 0x11, 0x04, 0xF1, 0xFE, 0x18, 0x03, 0xCA, 0x44, 0x00});
}

TEST_CASE("frames of every kind read as written, and have one delimiter, at their end") {
  const uint8_t flags = static_cast<uint8_t>(GENERATE(range(0, 16)));
  const size_t length = GENERATE(as<size_t>{}, 0, 1, 7, 8, 12, 16, 20, 24, 32, 48, 64);
  const uint8_t bus = static_cast<uint8_t>(GENERATE(range(0, 8)));
  for (const unsigned fill : {0x00U, 0x01U, 0xFFU}) {
    const bool fd = (flags & CanFrame::kFd) != 0;
    const bool exists = (fd || flags < CanFrame::kFd) && (fd || length <= 8);
    const CanFrame sent = frame_of(0x7FF, flags, Buffer(length, static_cast<uint8_t>(fill)), bus);
    const Buffer wire = wire_of(sent);
    REQUIRE(wire.empty() == !exists);
    if (!exists) continue;
    REQUIRE(std::count(wire.begin(), wire.end(), can::kDelimiter) == 1);
    Message message;
    CanFrame got;
    REQUIRE(parse(without_delimiter(wire), message, got) == PieceFault::kNone);
    REQUIRE(message.kind == MessageKind::kFrame);
    REQUIRE(message.bus == bus);
    REQUIRE(got.bus == bus);
    REQUIRE(got.id == sent.id);
    REQUIRE(got.flags == flags);
    REQUIRE(got.length == length);
    REQUIRE(std::memcmp(got.data, sent.data, length) == 0);
  }
}

TEST_CASE("reports and remote frames read as written") {
  uint8_t wire[can::kWireMax];
  for (const BusState state :
       {BusState::kDown, BusState::kActive, BusState::kErrorPassive, BusState::kBusOff, BusState::kEnded}) {
    const size_t size = can::write_report(3, {state, 0xFFFFFFFF, 0x100}, wire);
    Message message;
    REQUIRE(can::parse_piece({wire, size - 1}, message) == PieceFault::kNone);
    CHECK(message.kind == MessageKind::kReport);
    CHECK(message.bus == 3);
    CHECK(message.report.state == state);
    CHECK(message.report.frames_dropped == 0xFFFFFFFF);
    CHECK(message.report.error_frames == 0x100);
  }
  Message message;
  const size_t size = can::write_remote(7, wire);
  REQUIRE(can::parse_piece({wire, size - 1}, message) == PieceFault::kNone);
  CHECK(message.kind == MessageKind::kRemote);
  CHECK(message.bus == 7);
}

TEST_CASE("what is cut short anywhere, or damaged in any bit, is no message") {
  Buffer data(64);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i % 5);
  for (const CanFrame& sent : {frame_of(0x100, 0, {0, 0, 0, 0, 1, 0, 0, 9}),
                               frame_of(0x1FFFFFFF, CanFrame::kExtendedId | CanFrame::kFd, data)}) {
    const Buffer piece = without_delimiter(wire_of(sent));
    for (size_t size = 0; size < piece.size(); ++size) {
      CHECK(parse({piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(size)}) == PieceFault::kDamaged);
    }
    for (size_t bit = 0; bit < piece.size() * 8; ++bit) {
      Buffer damaged = piece;
      damaged[bit / 8] = static_cast<uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
      CAPTURE(bit);
      CHECK(parse(damaged) == PieceFault::kDamaged);
    }
  }
}

TEST_CASE("what arrived whole but cannot be a CAN frame is named with its bus") {
  const Buffer impossible[] = {
      {0x20, 0x00, 0x08},                       // standard id 0x800
      {0x21, 0x00, 0x00, 0x00, 0x20},           // 30 bits of id
      {0x20, 0x01},                             // half an id
      {0x20},                                   // no id
      {0x20, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9},  // 9 bytes in a classic frame
      {0x22, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9},  // 9 bytes in a CAN FD frame
      {0x24, 1, 1},                             // bit rate switch without FD
      {0x28, 1, 1},                             // error state without FD
      {0xA0},
      {0xA3},
      {0xAF},                                // messages that there are not
      {0xA2, 0},                             // a remote frame with more to say
      {0xA1, 5, 0, 0, 0, 0, 0, 0, 0, 0},     // a state that there is not
      {0xA1, 1, 0, 0, 0, 0, 0, 0, 0},        // a short report
      {0xA1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},  // a long one
  };
  for (const Buffer& body : impossible) {
    CAPTURE(int{body[0]}, body.size());
    Message message;
    CanFrame frame;
    CHECK(parse(piece_of(body), message, frame) == PieceFault::kInvalid);
    CHECK(message.bus == 2);
  }
  Buffer longest = {0x02, 1, 1};
  longest.resize(3 + 64, 7);
  CHECK(parse(piece_of(longest)) == PieceFault::kNone);
  longest.push_back(7);
  CHECK(parse(piece_of(longest)) == PieceFault::kInvalid);  // 65 bytes
  longest.resize(1 + 4 + 64 + 1, 7);
  CHECK(parse(piece_of(longest)) == PieceFault::kDamaged);  // longer than any piece
}

TEST_CASE("frames that do not exist are not written, nor any into a short buffer") {
  uint8_t wire[can::kWireMax];
  CHECK(can::write_frame(frame_of(0x800, 0, {}), wire) == 0);
  CHECK(can::write_frame(frame_of(0x20000000, CanFrame::kExtendedId, {}), wire) == 0);
  CHECK(can::write_frame(frame_of(1, 0, {}, 8), wire) == 0);
  CHECK(can::write_frame(frame_of(1, 16, {}), wire) == 0);
  CHECK(can::write_frame(frame_of(1, 0, {}), {wire, can::kWireMax - 1}) == 0);
  CHECK(can::write_report(8, {}, wire) == 0);
  CHECK(can::write_remote(8, wire) == 0);
}

}  // namespace wayseal::test
