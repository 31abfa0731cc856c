/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * median: see median.h.
 */
#include "median.h"

#include <stdlib.h>

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

double median(double *figures, int count)
{
	qsort(figures, (size_t)count, sizeof(*figures), compare_doubles);
	return (figures[(count - 1) / 2] + figures[count / 2]) / 2;
}
