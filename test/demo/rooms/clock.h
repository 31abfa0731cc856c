/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * clock: the house's own time, in which a day passes in minutes; and lines with that time in front of them.
 */
#ifndef DEMO_CLOCK_H
#define DEMO_CLOCK_H

/* From now on it is `hour` o'clock, and a day of the house takes so many seconds. */
void clock_start(double hour, double day_seconds);

/* Hours since the first day's midnight: 25.5 is half past one on the second day. */
double clock_hour(void);

/* Real seconds, from whenever; never backwards. */
double clock_seconds(void);

/* A line on stdout: "14:05  TEXT". */
void clock_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
