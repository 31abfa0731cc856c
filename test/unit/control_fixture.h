/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_fixture: a whole house behind the fake broker: storage in a temporary folder, intake, accounts of every role, and
 * the control that is to be asked. Its people are connected, each with a client called "c-" and the user name:
 *
 *   anna admin    mark manager of hall    rita resident    gus guest    hall/uno1 device    serv service: reads hall/uno1/#
 *
 * rita's password is RITA_PASSWORD. Texts of requests and of what is expected are written with ' for ".
 */
#ifndef TEST_CONTROL_FIXTURE_H
#define TEST_CONTROL_FIXTURE_H

#include "control.h"
#include "fake_broker.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))
#define RITA_PASSWORD    "correct horse"
#define SCENE_PEOPLE     6
#define SCENE_PATIENCE_S 60 /* only a failing test waits so long */

struct scene {
	char folder[128];
	struct options options;
	struct storage *storage;
	struct journal *journal; /* with `still` a journal that nothing syncs but the test */
	struct intake *intake;
	struct hasher *hasher;
	struct access *access;
	struct control *control;
	int64_t ahead_ms; /* of the clock */
	size_t told;      /* answers that were looked at */
	char *text;       /* the last answer */
};

/* `still`: the journal is the scene's own, and nothing but scene_sync brings it to the disk. */
void scene_make(struct scene *scene, bool still);
void scene_remove(struct scene *scene);
void scene_sync(struct scene *scene);

/* From now on each command takes so long, as far as the control's clock tells. */
void scene_slow(int64_t us);

struct instant scene_now(const struct scene *scene);
void scene_tick(struct scene *scene);

/* A client of a user connects; the pointer is its client's. */
const struct fake_client *scene_client(const char *user);
void scene_connect(struct scene *scene, const char *user);

/* What a client publishes. */
void scene_publish(struct scene *scene, const char *user, const char *topic, const char *payload, bool retain);

/* Sends a request as it is, and does not wait. */
void scene_send(struct scene *scene, const char *user, struct slice payload);
/* The next answer; waits for it. */
const char *scene_answer(struct scene *scene);
/* Is there another answer by now? */
bool scene_answered(const struct scene *scene);

/*
 * One command, such as "getAccount 'username':'anna'", and its answer: the response's object as text, with the keys `command` and
 * `correlationData` left out. Valid until the next.
 */
const char *scene_ask(struct scene *scene, const char *user, const char *command);

/* A conversation: each command and a text that its answer has to hold. */
struct saying {
	const char *user, *command, *answer;
};
void scene_talk(struct scene *scene, const struct saying *sayings, size_t count);
#define TALK(scene, sayings) scene_talk(scene, sayings, COUNT(sayings))

/* All accounts with their hashes, one a line. The caller frees it. */
char *scene_accounts(const struct scene *scene);

/* Does a password open the account now? */
bool scene_opens(const struct scene *scene, const char *user, const char *plain);

#endif
