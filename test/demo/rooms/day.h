/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * day: a warm summer's day outside, the same each time. Pure.
 *
 *   temperature   a cosine: 18.5 °C at three in the morning, 31.5 °C at three in the afternoon
 *   humidity      a cosine the other way round: 80 % at four in the morning, 40 % at four in the afternoon
 *   sun           from six to eight in the evening, a sine squared, so that dusk takes about an hour; 1 at one o'clock
 */
#ifndef DEMO_DAY_H
#define DEMO_DAY_H

struct outdoor {
	double temperature; /* °C */
	double humidity;    /* % */
	double sun;         /* 0 … 1 */
};

/* `hour` since any midnight. */
struct outdoor day_outdoor(double hour);

/* What people do in the evening, cooking and showers: a sine's arc from six to ten, 0 … 1. */
double day_evening(double hour);

#endif
