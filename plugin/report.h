/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * report: tells a publisher, on the sibling topic `error`, what was refused and why; at most once a second a series and
 * subject, but each refused config, since a person waits for the answer.
 *
 *   livingroom/uno1/temperature/error
 *   {"subject":"value","code":"out_of_range","found":"430","wanted":"a value between −40 and 85","time":"2026-…Z"}
 *
 * Broker thread only.
 */
#ifndef HEARTH_REPORT_H
#define HEARTH_REPORT_H

#include "broker.h"
#include "value.h"

struct report {
	const char *code;   /* for programs, such as "out_of_range" */
	const char *path;   /* JSON path in a config; NULL: none */
	struct slice found; /* what stood there: any bytes, cut and cleaned here */
	const char *wanted; /* what should stand there */
};

struct reporter;

struct reporter *reporter_new(const struct broker_ops *broker); /* NULL: no memory */
void reporter_free(struct reporter *reporter);

/*
 * Publishes a report about a message on `topic` and writes a line to the log, unless that topic had one less than a
 * second ago. Returns whether it was published.
 */
bool report_publish(struct reporter *reporter, const struct topic *topic, const struct report *report,
                    struct instant now);

/*
 * Copies any bytes as printable UTF-8, cut at a character to fit `size` with the NUL; what is no valid UTF-8 or a control
 * character becomes '?'. Returns buffer.
 */
char *text_clean(struct slice text, char *buffer, size_t size);

#endif
