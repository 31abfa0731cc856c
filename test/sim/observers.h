/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * observers: what the board does with its outputs, told when it changes:
 *
 *   led 0…255                          D5: the duty of OC0B, or a steady level
 *   motor 0…255 forward|reverse|stopped   D6: the duty of OC0A; A2 and A3
 *   window US|off   door US|off        D9, D10: the pulses of OC1A, OC1B; off: no pulses
 *   buzzer HZ                          A1: measured over two times four edges that agree; 0 after 20 ms without one
 *
 * The registers are looked at 100 µs after a write, so that one change of several registers is told once.
 */
#ifndef SIM_OBSERVERS_H
#define SIM_OBSERVERS_H

#include "board.h"

struct observers;

struct observers *observers_new(struct board *board);
void observers_free(struct observers *observers);

#endif
