/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * device: what this board is to the house: which readings it tells and when, what it does with a `set`, what it says of itself.
 * Pure.
 * Supplies what link.h asks of whose session it is.
 *
 * It decides nothing, with two exceptions: a fire sounds the buzzer at once, with or without a link; and without a link for
 * longer than settings.safe_after_s the outputs go to their safe states.
 */
#ifndef FIRMWARE_DEVICE_H
#define FIRMWARE_DEVICE_H

#include "link.h"

/* The flame is gone and nobody has commanded the buzzer: it stops after so long. */
#define DEVICE_ALARM_AFTER_S 60

/* Both modules sensors and actuators, and outbox, must be initialised. `settings` must stay. */
void device_init(const struct settings *settings, uint32_t now_ms);

/* To be called in every pass of the main loop, behind sensors_poll. */
void device_poll(uint32_t now_ms);

#endif
