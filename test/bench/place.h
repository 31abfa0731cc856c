/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * place: where the benchmark finds what was built, and where it puts what it makes.
 */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

#include "fault.h"

#include <limits.h>

/* A path below the build folder, given that this program is its test/bench/bench. */
void place_in_build(const char *relative, char out[PATH_MAX]);

/* The absolute path of a file that `make` builds. */
bool place_of_built(const char *path, char out[PATH_MAX], struct fault *fault);

/* Makes an empty folder below $TMPDIR or /tmp. */
bool place_make(char out[PATH_MAX], struct fault *fault);

/* Removes a file or folder with all that is in it. Harmless for an empty name and for what is not there. */
void place_remove(const char *path);

#endif
