/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outputs: the actuators' pins. Hardware. After outputs_init everything is off and the servos get no pulses.
 */
#ifndef FIRMWARE_OUTPUTS_H
#define FIRMWARE_OUTPUTS_H

#include <stdbool.h>
#include <stdint.h>

enum output_servo { OUTPUT_WINDOW, OUTPUT_DOOR };

void outputs_init(void);

/* Duty 0 … 255 of 256; 0 is dark. */
void outputs_led(uint8_t duty);
/* 0: both direction pins low. */
void outputs_motor(uint8_t duty, bool reverse);
/* Pulses of 500 … 2500 µs every 20 ms; 0: none, the servo is let go; from the next period on. */
void outputs_servo(enum output_servo servo, uint16_t pulse_us);
/* 500 … 5000 Hz, or 0. */
void outputs_tone(uint16_t hz);

#endif
