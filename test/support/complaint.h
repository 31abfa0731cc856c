/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * complaint: Hearth's error document on location/device/sensor/error, by its facts.
 */
#ifndef TEST_COMPLAINT_H
#define TEST_COMPLAINT_H

struct client;

/*
 * The next message on `sensor`/error (the client has subscribed to it) must say that `subject` was refused with `code`
 * ("a|b": either), and have "found", "wanted" and a "time" in ISO-8601. Returns its "path" (the caller frees it), NULL if
 * it has none.
 */
char *expect_complaint(struct client *client, const char *sensor, const char *subject, const char *code);

#endif
