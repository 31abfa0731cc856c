/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * selftest: moves each actuator and reads each sensor, for whoever has just wired a board. Nothing waits. Pure over actuators.h
 * and sensors.h.
 */
#ifndef FIRMWARE_SELFTEST_H
#define FIRMWARE_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

/* Each actuator is moved for so long and then put back for as long: a servo needs a second for its way. */
#define SELFTEST_STEP_MS 1200

void selftest_start(uint16_t now_ms);
/*
 * Prints a line per item, "led", "temperature 23.5", "humidity no answer"; true: that was all. It takes 12 s. The outputs are
 * then as they were, but a servo that had not been moved since the start is closed; what was commanded meanwhile stays.
 */
bool selftest_poll(uint32_t now_ms);

#endif
