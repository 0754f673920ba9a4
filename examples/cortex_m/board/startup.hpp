// SPDX-License-Identifier: Apache-2.0
/// \file
/// Between the parts of the board's start-up; programs include board.hpp.
#ifndef BOARD_STARTUP_HPP
#define BOARD_STARTUP_HPP

namespace board {

void start_console();
void start_systick();
void systick_interrupt();

}  // namespace board

#endif
