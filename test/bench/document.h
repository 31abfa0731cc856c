/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * document: what the JSON files of all benchmarks have in common.
 */
#ifndef BENCH_DOCUMENT_H
#define BENCH_DOCUMENT_H

#include "fault.h"
#include "machine.h"

#include <cjson/cJSON.h>

/* A document that says which benchmark ran, when, of which version and on what machine. */
cJSON *document_new(const char *benchmark, const struct machine *machine);

/* A figure to so many decimals: more digits would be noise. */
void document_figure(cJSON *object, const char *name, double figure, int digits);

/* Writes the file and the folders that it lies in, and frees the document. */
bool document_write(cJSON *root, const char *path, struct fault *fault);

#endif
