// SPDX-License-Identifier: Apache-2.0
// One object a public class, as long as the class: mcu_link reads their sizes from the symbol table.
#include "wayseal/collect/collector.hpp"
#include "wayseal/flow/courier.hpp"
#include "wayseal/flow/recorder.hpp"
#include "wayseal/flow/sealer.hpp"
#include "wayseal/hal/can_bus.hpp"
#include "wayseal/hal/key_vault.hpp"
#include "wayseal/http/exchange.hpp"
#include "wayseal/record/record_queue.hpp"
#include "wayseal/seal/session.hpp"
#include "wayseal/signal/signal_table.hpp"
#include "wayseal/spool/loss_ledger.hpp"
#include "wayseal/spool/spool.hpp"
#include "wayseal/state/state_store.hpp"
#include "wayseal/trust/prekey_client.hpp"
#include "wayseal/trust/prekey_store.hpp"
#include "wayseal/trust/time_keeper.hpp"
#include "wayseal/trust/vehicle_identity.hpp"

#define WAYSEAL_SIZE_OF(name, type)                                 \
  extern "C" const unsigned char wayseal_size_##name[sizeof(type)]; \
  extern "C" __attribute__((used, section(".wayseal_sizes")))       \
  const unsigned char wayseal_size_##name[sizeof(type)] = {}

WAYSEAL_SIZE_OF(CanFrame, wayseal::CanFrame);
WAYSEAL_SIZE_OF(NonceCounter, wayseal::NonceCounter);
WAYSEAL_SIZE_OF(SignalTable, wayseal::SignalTable);
WAYSEAL_SIZE_OF(RecordQueue, wayseal::RecordQueue);
WAYSEAL_SIZE_OF(Collector, wayseal::Collector);
WAYSEAL_SIZE_OF(StateStore, wayseal::StateStore);
WAYSEAL_SIZE_OF(Spool, wayseal::Spool);
WAYSEAL_SIZE_OF(LossLedger, wayseal::LossLedger);
WAYSEAL_SIZE_OF(PrekeyStore, wayseal::PrekeyStore);
WAYSEAL_SIZE_OF(PrekeyClient, wayseal::PrekeyClient);
WAYSEAL_SIZE_OF(TimeKeeper, wayseal::TimeKeeper);
WAYSEAL_SIZE_OF(VehicleIdentity, wayseal::VehicleIdentity);
WAYSEAL_SIZE_OF(Session, wayseal::Session);
WAYSEAL_SIZE_OF(HttpExchange, wayseal::http::Exchange);
WAYSEAL_SIZE_OF(Recorder, wayseal::Recorder);
WAYSEAL_SIZE_OF(Sealer, wayseal::Sealer);
WAYSEAL_SIZE_OF(Courier, wayseal::Courier);
