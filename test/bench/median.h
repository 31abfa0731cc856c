/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * median: the middle of some figures.
 */
#ifndef BENCH_MEDIAN_H
#define BENCH_MEDIAN_H

/* Sorts the figures, at least one, and returns the middle one, or the mean of the middle two. */
double median(double *figures, int count);

#endif
