// SPDX-License-Identifier: Apache-2.0
/// \file
/// A recorded drive and its DBC, ready to be played through the bus side.
#ifndef WAYSEAL_TESTS_BENCH_LOG_REPLAY_HPP
#define WAYSEAL_TESTS_BENCH_LOG_REPLAY_HPP

#include <string>
#include <vector>

#include "dbc/table_builder.hpp"
#include "wayseal/flow/recorder.hpp"

namespace wayseal::test {

/// The frames of one interface of a `candump -L` log, which may be packed with xz. \throw std::runtime_error
std::vector<CanFrame> load_frames(const std::string& log_path, const std::string& interface_name);

/// The table of a DBC, every signal, every sample. \throw std::runtime_error
std::vector<uint8_t> load_table(const std::string& dbc_path);

/// A DBC and the table of all of it.
struct LoadedDbc {
  oem::DbcFile dbc;
  std::vector<uint8_t> table;
};
/// \throw std::runtime_error
LoadedDbc load_dbc(const std::string& dbc_path, const oem::TableOptions& options = {});

/// Gives frames as fast as they are taken.
class FrameSource final : public CanBus {
 public:
  explicit FrameSource(const std::vector<CanFrame>& frames) : frames_(frames) {}
  ~FrameSource() = default;

 private:
  Status do_set_filters(Span<const CanFilter> filters) override;
  Result<size_t> do_receive(Span<CanFrame> frames) override;
  uint8_t do_bus_count() const override { return 1; }
  BusState do_state(uint8_t bus) const override;
  BusCounters do_counters(uint8_t bus) const override;
  TimeBase do_time_base() const override { return TimeBase::kRecorded; }

  const std::vector<CanFrame>& frames_;
  size_t next_ = 0;
};

/// Folder of the third-party data: $WAYSEAL_DATA, or the folder `shared/data` beside the project; empty when
/// neither is there.
std::string data_folder();

}  // namespace wayseal::test

#endif
