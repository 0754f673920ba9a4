// SPDX-License-Identifier: Apache-2.0
#include "net/lan9118.hpp"

#include <lwip/pbuf.h>

#include <cstring>

#include "board/memory_map.hpp"

namespace board {
namespace {

enum Register : uint32_t {
  kRxData = 0x00,
  kTxData = 0x20,
  kRxStatus = 0x40,
  kTxStatus = 0x48,
  kInterruptStatus = 0x58,
  kInterruptEnable = 0x5C,
  kByteTest = 0x64,
  kRxConfig = 0x6C,
  kTxConfig = 0x70,
  kHardwareConfig = 0x74,
  kRxFifoState = 0x7C,
  kTxFifoState = 0x80,
  kMacCommand = 0xA4,
  kMacData = 0xA8,
  kFlowControl = 0xAC,
};
enum MacRegister : uint32_t {
  kMacControl = 1,
  kAddressHigh = 2,
  kAddressLow = 3,
  kMiiAccess = 6,
  kMiiData = 7
};
enum PhyRegister : uint32_t { kPhyControl = 0, kPhyStatus = 1, kPhyAdvertise = 4 };

constexpr uint32_t kByteTestValue = 0x87654321;
constexpr uint32_t kSoftReset = 1;
constexpr uint32_t kTxFifo5KiB = 5U << 16;
constexpr uint32_t kMustBeOne = 1U << 20;
constexpr uint32_t kTxOn = 2;
constexpr uint32_t kMacFullDuplexRxTx = (1U << 20) | (1U << 3) | (1U << 2);
constexpr uint32_t kMacBusy = 1U << 31;
constexpr uint32_t kMacRead = 1U << 30;
constexpr uint32_t kMiiBusy = 1;
constexpr uint32_t kMiiWrite = 2;
constexpr uint32_t kPhyAddress = 1U << 11;
constexpr uint32_t kPhyAutonegotiate = 0x1200;
constexpr uint32_t kPhyOffer = 0x01E1;  // 10 and 100 Mbit/s, half and full duplex
constexpr uint32_t kPhyLinked = 4;
constexpr uint32_t kTxFirstAndLast = (1U << 13) | (1U << 12);
constexpr uint32_t kRxError = 1U << 15;
constexpr uint32_t kFlowControlDefault = 0x006E3740;  // watermarks as the data sheet recommends
constexpr uint32_t kCommandBytes = 8;
constexpr uint32_t kChecksumBytes = 4;
constexpr uint32_t kHeaderBytes = 14;
constexpr uint32_t kPad = ETH_PAD_SIZE;

// Gathers bytes into the words that the controller wants.
class WordWriter {
 public:
  explicit WordWriter(volatile uint32_t& port) : port_(port) {}
  void put(uint8_t byte) {
    word_ |= static_cast<uint32_t>(byte) << (8 * count_);
    if (++count_ == 4) flush();
  }
  void flush() {
    if (count_ == 0) return;
    port_ = word_;
    word_ = 0;
    count_ = 0;
  }

 private:
  volatile uint32_t& port_;
  uint32_t word_ = 0;
  uint32_t count_ = 0;
};

}  // namespace

volatile uint32_t& Lan9118::at(uint32_t offset) const { return reg(base_ + offset); }

uint32_t Lan9118::read(uint32_t offset) const { return at(offset); }

void Lan9118::wait_mac() const {
  while ((at(kMacCommand) & kMacBusy) != 0) {
  }
}

void Lan9118::write_mac(uint32_t index, uint32_t value) const {
  wait_mac();
  at(kMacData) = value;
  at(kMacCommand) = kMacBusy | index;
  wait_mac();
}

uint32_t Lan9118::read_mac(uint32_t index) const {
  wait_mac();
  at(kMacCommand) = kMacBusy | kMacRead | index;
  wait_mac();
  return at(kMacData);
}

void Lan9118::write_phy(uint32_t index, uint32_t value) const {
  write_mac(kMiiData, value);
  write_mac(kMiiAccess, kPhyAddress | (index << 6) | kMiiWrite | kMiiBusy);
  while ((read_mac(kMiiAccess) & kMiiBusy) != 0) {
  }
}

uint32_t Lan9118::read_phy(uint32_t index) const {
  write_mac(kMiiAccess, kPhyAddress | (index << 6) | kMiiBusy);
  while ((read_mac(kMiiAccess) & kMiiBusy) != 0) {
  }
  return read_mac(kMiiData);
}

bool Lan9118::start(const uint8_t mac[6]) {
  if (at(kByteTest) != kByteTestValue) return false;
  at(kHardwareConfig) = kSoftReset;
  while ((at(kHardwareConfig) & kSoftReset) != 0) {
  }
  at(kHardwareConfig) = kTxFifo5KiB | kMustBeOne;
  at(kFlowControl) = kFlowControlDefault;
  at(kInterruptEnable) = 0;
  at(kInterruptStatus) = 0xFFFFFFFF;
  uint32_t low;
  std::memcpy(&low, mac, sizeof low);
  write_mac(kAddressLow, low);
  write_mac(kAddressHigh, mac[4] | static_cast<uint32_t>(mac[5]) << 8);
  write_phy(kPhyAdvertise, kPhyOffer);
  write_phy(kPhyControl, kPhyAutonegotiate);
  at(kRxConfig) = kPad << 8;
  at(kTxConfig) = kTxOn;
  write_mac(kMacControl, kMacFullDuplexRxTx);
  return true;
}

bool Lan9118::link_up() const {
  (void)read_phy(kPhyStatus);  // the bit stays 0 after a loss until it has been read
  return (read_phy(kPhyStatus) & kPhyLinked) != 0;
}

err_t Lan9118::send(const pbuf* frame) {
  const uint32_t length = frame->tot_len - kPad;
  if ((at(kTxFifoState) & 0xFFFF) < length + kPad + kCommandBytes) return ERR_MEM;
  at(kTxData) = kTxFirstAndLast | (kPad << 16) | length;
  at(kTxData) = length;
  WordWriter words(at(kTxData));
  for (const pbuf* part = frame; part != nullptr; part = part->next) {
    const uint8_t* bytes = static_cast<const uint8_t*>(part->payload);
    for (uint32_t i = 0; i < part->len; ++i) words.put(bytes[i]);
  }
  words.flush();
  while (((at(kTxFifoState) >> 16) & 0xFF) != 0) (void)read(kTxStatus);
  return ERR_OK;
}

bool Lan9118::waiting() const { return ((at(kRxFifoState) >> 16) & 0xFF) != 0; }

void Lan9118::skip(uint32_t words) const {
  for (uint32_t i = 0; i < words; ++i) (void)read(kRxData);
}

pbuf* Lan9118::receive() {
  if (!waiting()) return nullptr;
  const uint32_t status = at(kRxStatus);
  const uint32_t length = (status >> 16) & 0x3FFF;
  const uint32_t words = (kPad + length + 3) / 4;
  pbuf* frame = nullptr;
  const bool usable =
      (status & kRxError) == 0 && length >= kHeaderBytes + kChecksumBytes && words * 4 <= PBUF_POOL_BUFSIZE;
  if (usable) frame = pbuf_alloc(PBUF_RAW, static_cast<u16_t>(words * 4), PBUF_POOL);
  if (frame == nullptr) {
    skip(words);
    ++dropped_;
    return nullptr;
  }
  uint8_t* out = static_cast<uint8_t*>(frame->payload);
  for (uint32_t i = 0; i < words; ++i) {
    const uint32_t word = read(kRxData);
    std::memcpy(out + i * 4, &word, sizeof word);
  }
  pbuf_realloc(frame, static_cast<u16_t>(kPad + length - kChecksumBytes));
  return frame;
}

}  // namespace board
