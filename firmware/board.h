/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * board: which pin does what, on an ATmega328P at 16 MHz (Arduino Uno, OrangeBoard WiFi). The one file to change for other wiring;
 * README.md has the picture. Timers:
 *
 *   Timer0   fast PWM, inverting, 977 Hz: motor on OC0A (D6), LED on OC0B (D5)
 *   Timer1   mode 14, inverting, 20 ms, 0.5 µs a step: window on OC1A (D9), door on OC1B (D10)
 *   Timer2   free-running, 4 µs a step: compare A is the millisecond, compare B half a period of the buzzer's tone; TCNT2 times the
 *            DHT's answer
 *
 * GPIOR0 … GPIOR2 hold what interrupts share (clock.c, inputs.c).
 */
#ifndef FIRMWARE_BOARD_H
#define FIRMWARE_BOARD_H

#define BOARD_CPU_HZ 16000000UL
#define BOARD_BAUD   115200UL

/* D2, D3, D4: the WiFi module's reset (low), data-ready (high: it has bytes), chip select (low). D11–D13: SPI. */
#define BOARD_MODULE_RESET  PD2
#define BOARD_MODULE_READY  PD3
#define BOARD_MODULE_SELECT PD4
/* D5, D6: PWM. */
#define BOARD_LED   PD5
#define BOARD_MOTOR PD6
/* D7: DHT22 or DHT11, with a pull-up of 4.7 to 10 kΩ. */
#define BOARD_DHT PD7
/* D8: the flame sensor's digital output, low: fire. */
#define BOARD_FLAME PB0
/* D9, D10: servos. D10 is SS and must be an output before SPI is a master. */
#define BOARD_WINDOW PB1
#define BOARD_DOOR   PB2
/* A0: CdS divider; A1: buzzer; A2, A3: the motor driver's direction inputs. */
#define BOARD_CDS           0
#define BOARD_BUZZER        PC1
#define BOARD_MOTOR_FORWARD PC2
#define BOARD_MOTOR_REVERSE PC3

/* Of 2,048 bytes; what is left is stack. `make firmware` measures both and holds them against these. */
#define BOARD_RAM        2048
#define BOARD_STATIC_MAX 1300
#define BOARD_STACK_MAX  250

#endif
