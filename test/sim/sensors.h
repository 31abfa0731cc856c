/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sensors: what stands at the other inputs: the CdS divider on A0, the flame sensor on D8 (low: fire), and the noise of the
 * converter's channels that nothing is connected to.
 */
#ifndef SIM_SENSORS_H
#define SIM_SENSORS_H

#include "board.h"

struct sensors;

struct sensors *sensors_new(struct board *board);
void sensors_free(struct sensors *sensors);
/* 0 … 1023, as it is to be converted. */
void sensors_light(struct sensors *sensors, unsigned light);
void sensors_flame(struct sensors *sensors, bool on);

#endif
