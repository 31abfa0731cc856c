/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rules_bench: configs → series → action, with a recorder where commands leave: for scenes of rules.
 *
 * A scene is a list of steps: something happens at a time, and exactly these commands leave ("" for none), written
 * "hall/lamp/led=1" and joined by a blank. Configs are written with ' for ".
 */
#ifndef TEST_RULES_BENCH_H
#define TEST_RULES_BENCH_H

#include "action.h"
#include "catalog.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum deed { DO_VALUE, DO_CONFIG, DO_AUTO, DO_OVERRIDE, DO_TICK };

struct step {
	enum deed deed;
	int at_ms;        /* after BENCH_MS */
	const char *name; /* a sensor, a location or an actuator */
	const char *text; /* a value, or a config */
	const char *sent;
};

#define VALUE(at, sensor, text, sent)                                                                                  \
	{                                                                                                                  \
		DO_VALUE, at, sensor, text, sent                                                                               \
	}
#define CONFIG(sensor, text)                                                                                           \
	{                                                                                                                  \
		DO_CONFIG, 0, sensor, text, ""                                                                                 \
	}
#define RULES(sensor, rules) CONFIG(sensor, "{'rules':[" rules "]}")
#define AUTO(location, text, sent)                                                                                     \
	{                                                                                                                  \
		DO_AUTO, 0, location, text, sent                                                                               \
	}
#define OVERRIDE(actuator)                                                                                             \
	{                                                                                                                  \
		DO_OVERRIDE, 0, actuator, NULL, ""                                                                             \
	}
#define TICK(at, sent)                                                                                                 \
	{                                                                                                                  \
		DO_TICK, at, NULL, NULL, sent                                                                                  \
	}

/* The sensors and the actuator of most scenes, all in one location. */
#define A    "hall/s1/a"
#define B    "hall/s2/b"
#define C    "hall/s3/c"
#define LAMP "hall/lamp/led"

#define SET(target, to) "{'set':'" target "','to':" to "}"
/* A rule that is true at 1 and false at 0, with `else` and without; `more` is "" or further keys and a comma. */
#define SWITCH(name, more, then_to, else_to)                                                                           \
	"{'name':'" name "'," more "'when':{'equals':1},'then':[" SET(LAMP, then_to) "],'else':[" SET(LAMP, else_to) "]}"
#define SWITCH_ON(name, more, then_to) "{'name':'" name "'," more "'when':{'equals':1},'then':[" SET(LAMP, then_to) "]}"
/* The lamp is the brighter the darker it is. */
#define DIM(more) "{'name':'dim','always':[{'set':'" LAMP "','scale':{'from':[0,50],'to':[255,0]" more "}}]}"
/* Above 28 for 5 s. */
#define SLOW "{'name':'slow','when':{'above':28,'for':5},'then':[" SET(LAMP, "1") "],'else':[" SET(LAMP, "0") "]}"

#define BENCH_MS         100000 /* the monotonic clock when a bench is made */
#define BENCH_SERIES_MAX 1000

struct bench {
	struct series_table *series;
	struct action *action;
	struct catalog *catalog;
	char sent[1024];     /* as in a scene; a test empties it */
	struct command last; /* its value's text is not kept */
	size_t commands, loops;
	const char *loop_rule; /* of the last loop */
};

void bench_make(struct bench *bench);
void bench_remove(struct bench *bench);

/* The `value` series of a sensor, bound to its config. */
struct series *bench_series(struct bench *bench, const char *sensor);

/* Puts the config of a sensor in force, or tries to. */
enum catalog_result bench_put(struct bench *bench, const char *sensor, const char *text, struct config_error *error);
/* The same, which must be taken. */
void bench_config(struct bench *bench, const char *sensor, const char *text);

/* Takes a value in that so many commands led to. */
void bench_value(struct bench *bench, const char *sensor, const char *text, int hop, int at_ms);

/* The cmocka test of a scene. At most 64 in a program. */
struct CMUnitTest scene_test(const char *name, const struct step *steps, size_t count);
#define SCENE(list) scene_test(#list, list, sizeof(list) / sizeof((list)[0]))

#endif
