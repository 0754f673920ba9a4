// SPDX-License-Identifier: Apache-2.0
/// \file
/// What wayseal-vectors can run. Each suite prints its failures and its count, and returns the count.
#ifndef WAYSEAL_TESTS_VECTORS_SUITES_HPP
#define WAYSEAL_TESTS_VECTORS_SUITES_HPP

#include <string>

#include "tally.hpp"

namespace wayseal::vectors {

/// Each line of `jsonl` is a frame with the raw and physical values that an independent decoder found, or the
/// error that it reported. Where it reported an error, exactly those signals may be produced that the frame
/// holds whole and whose multiplexer condition holds.
Tally run_dbc_vectors(const std::string& dbc, const std::string& jsonl);

/// Each line of `jsonl` names a line of a candump log and its physical values.
Tally run_log_expectations(const std::string& log, const std::string& dbc, const std::string& jsonl);

/// Every *.dbc of a folder becomes a table that loads.
Tally run_dbc_files(const std::string& folder);

/// Wheel speeds and steering angle of the RAV4 log against values that an independent decoder, that of opendbc,
/// took from the same drive.
Tally run_rav4_ground_truth(const std::string& folder);

/// Everything above for what `data` holds.
Tally run_all(const std::string& data);

}  // namespace wayseal::vectors

#endif
