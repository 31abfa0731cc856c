/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * actuators: commands to levels to outputs. Pure over outputs.h.
 *
 *   led     0 … 255                          1, on, true, open: fully on;  0, off, false, closed: off
 *   motor   −255 … 255, negative: reverse    likewise; −1: fully on in reverse
 *   window, door   0 … 100 % open            1 and the words likewise: open, closed. Let go a second after each move
 *   buzzer  0, 1 (2000 Hz), 500 … 5000 Hz    alarm: 2000 and 2500 Hz in turn; the words likewise
 *
 * By the contract of the topics on, true and open equal 1: so 1 is fully on, and the least that is dimmed is 2. A level
 * stays as it was asked for, 1 or 255, so that the state equals the command that made it.
 *
 * A servo's pulse is right to 4 µs, a tone to 0.6 %.
 */
#ifndef FIRMWARE_ACTUATORS_H
#define FIRMWARE_ACTUATORS_H

#include "settings.h"

enum actuator { ACTUATOR_LED, ACTUATOR_MOTOR, ACTUATOR_WINDOW, ACTUATOR_DOOR, ACTUATOR_BUZZER, ACTUATOR_COUNT };

#define ACTUATOR_UNKNOWN INT16_MAX /* a servo that was not moved since the start */
#define BUZZER_ALARM     2

/* The topic level, in program memory: "led", … */
const char *actuator_name(enum actuator actuator);
/* The actuator of that name; ACTUATOR_COUNT: none. */
enum actuator actuator_find(const char *name, uint8_t length);
/*
 * The level that a command asks for; false: not understood. White space around it is ignored, and so are all control
 * characters there. Numbers are whole. The text may hold any bytes.
 */
bool actuator_parse(enum actuator actuator, const char *text, uint8_t length, int16_t *level);
/* What it understands, for people, in program memory. */
const char *actuator_wanted(enum actuator actuator);
/* Writes a level as its `state`: "open", "closed", "alarm", or the number. A servo that was not moved has none. */
void actuator_write(struct sink *sink, enum actuator actuator, int16_t level);

/* To be called once, after outputs_init; touches no pin. The settings must stay; later changes of the servos' pulses count. */
void actuators_init(const struct settings *settings);
/* Applies a level that actuator_parse gave, also if it is that already: a servo moves again. */
void actuator_set(enum actuator actuator, int16_t level);
int16_t actuator_level(enum actuator actuator);
/* To be called in every pass of the main loop, at most a second apart: lets servos go, plays the alarm. */
void actuators_poll(uint32_t now_ms);

#endif
