/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * house_scene: a whole intake on a journal in a temporary folder and the fake broker, and scripts of messages for it.
 *
 * A script is a list of steps: a message, a tick or a change of the clients' user at a time, and exactly what Hearth
 * publishes upon it, as fake_broker_said writes it. Payloads of `config` are written with ' for ".
 */
#ifndef TEST_HOUSE_SCENE_H
#define TEST_HOUSE_SCENE_H

#include "intake.h"
#include "journal_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HOUSE_SERIES_MAX 200

struct house {
	struct fixture journal;
	struct options options; /* none of it is allocated */
	struct intake *intake;
};

/*
 * A house of node1 with a journal of `quota` bytes (a power of two from 256 KiB) in four segments, some of the default
 * `ignore`, and config_from "admin" if so wished.
 */
void house_make(struct house *house, uint64_t quota, bool only_admin);
void house_remove(struct house *house);

/* A client's message, at a time after the start. */
enum verdict house_publish(struct house *house, const char *topic, struct slice payload, bool retain, int64_t at_ms);

enum deed { DO_PUBLISH, DO_WITHHELD, DO_TICK, DO_USER };

struct step {
	enum deed deed;
	int at_ms;
	const char *topic; /* or the user's name */
	const char *payload;
	bool retain;
	const char *said;
};

/* A message that is passed on; a retained one; a retained one that must be withheld. */
#define PUBLISH(at, topic, payload, said)                                                                              \
	{                                                                                                                  \
		DO_PUBLISH, at, topic, payload, false, said                                                                    \
	}
#define RETAIN(at, topic, payload, said)                                                                               \
	{                                                                                                                  \
		DO_PUBLISH, at, topic, payload, true, said                                                                     \
	}
#define WITHHELD(at, topic, payload, said)                                                                             \
	{                                                                                                                  \
		DO_WITHHELD, at, topic, payload, true, said                                                                    \
	}
#define TICK(at, said)                                                                                                 \
	{                                                                                                                  \
		DO_TICK, at, NULL, NULL, false, said                                                                           \
	}
#define USER(name)                                                                                                     \
	{                                                                                                                  \
		DO_USER, 0, name, NULL, false, ""                                                                              \
	}

void house_play(struct house *house, const struct step *steps, size_t count);
#define PLAY(house, steps) house_play(house, steps, COUNT(steps))

#endif
