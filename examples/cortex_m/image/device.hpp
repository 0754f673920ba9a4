// SPDX-License-Identifier: Apache-2.0
/// \file
/// All ports of the device and the client on them: what is in RAM, in one place.
#ifndef IMAGE_DEVICE_HPP
#define IMAGE_DEVICE_HPP

#include "board/board_clock.hpp"
#include "board/memory_map.hpp"
#include "board/words.hpp"
#include "can/cmsdk_receiver.hpp"
#include "can/uart_can_bus.hpp"
#include "image/areas.hpp"
#include "net/lwip_transport.hpp"
#include "net/network.hpp"
#include "wayseal/flow/client.hpp"
#include "wayseal/mbedtls/tls_channel.hpp"
#include "wayseal/mbedtls/x509_verifier.hpp"
#include "wayseal/psa/psa_vault.hpp"
#include "wayseal/psa_its/psa_its.hpp"

namespace image {

/// Groups and signals that a table may have at most: the drive's, and some more.
inline constexpr size_t kGroupsMax = 24;
inline constexpr size_t kSignalsMax = 96;
/// With so many chunks nothing is dropped while the queue has room, whatever the signals do.
inline constexpr size_t kChunks = wayseal::Collector::chunks_needed(kGroupsMax, kSignalsMax);
/// Closed batches that may wait to be sealed.
inline constexpr size_t kQueueSlots = 3;
/// Frames that may wait between interrupt and program: 4 KiB, about 170 of 8 bytes.
inline constexpr size_t kRingWords = 512;

/// A certificate of the vault, read once: mbedTLS reads it where it lies.
struct Certificate {
  uint8_t data[wayseal::kCertificateMax];
  size_t size = 0;
  wayseal::Bytes bytes() const { return {data, size}; }
};

/// What must not go on: the words for the console. Null: all is well.
using Trouble = const char*;

/// Keys and certificates: PSA with its storage.
class Trust {
 public:
  explicit Trust(wayseal::Storage& storage) : its_(storage) {}
  /// Mounts the storage and opens the vault; a blank device is fine.
  Trouble start();
  /// Reads what provisioning wrote. \return trouble when the device is not provisioned.
  Trouble load();

  wayseal::PsaVault& vault() { return vault_; }
  wayseal::X509Verifier& verifier() { return verifier_; }
  const Certificate& gateway_ca() const { return gateway_ca_; }
  const Certificate& tls_certificate() const { return tls_certificate_; }
  const Certificate& tls_intermediate() const { return tls_intermediate_; }

 private:
  bool read(wayseal::VaultObject object, Certificate& out);

  wayseal::PsaIts its_;
  wayseal::PsaVault vault_;
  wayseal::X509Verifier verifier_;
  Certificate data_root_;
  Certificate gateway_ca_;
  Certificate tls_certificate_;
  Certificate tls_intermediate_;
};

/// The cloud side: network and TLS.
class Link {
 public:
  Link(const board::Words& words, Trust& trust, wayseal::Clock& clock);
  Trouble start(const Trust& trust);
  board::Network& network() { return network_; }
  board::LwipTransport& transport() { return transport_; }
  wayseal::TlsChannel& channel() { return channel_; }

 private:
  const board::Words& words_;
  board::Network network_;
  board::LwipTransport transport_;
  wayseal::TlsChannel channel_;
};

/// The bus side: UART, ring, port.
class Bus {
 public:
  Bus(const wayseal::Clock& clock, can::WhenRingFull when_full)
      : ring_({memory_, kRingWords}, clock),
        receiver_(board::kUart1, board::kUart1ReceiveInterrupt, ring_, when_full),
        port_(ring_, clock, {2, 0}) {}
  void start() { receiver_.start(); }
  void resume() { receiver_.resume(); }
  can::UartCanBus& port() { return port_; }

 private:
  uint64_t memory_[kRingWords];
  can::PieceRing ring_;
  can::CmsdkReceiver receiver_;
  can::UartCanBus port_;
};

}  // namespace image

#endif
