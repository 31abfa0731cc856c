/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_cases: who may do what, as tables: what the roles may (account_cases_roles.h), and what grants and denials make
 * of it (account_cases_grants.h). A row is one question to one account, its answer, and the rule that decides it.
 *
 * Plain data, so that a test of a whole broker can ask the same.
 */
#ifndef HEARTH_TEST_ACCOUNT_CASES_H
#define HEARTH_TEST_ACCOUNT_CASES_H

enum account_case_action { PUBLISH, RECEIVE, SUBSCRIBE };
enum account_case_answer {
	NO,
	YES,
	/* Of what a subscription asks for: */
	NOTHING,
	SOME,
	ALL
};

struct account_case {
	const char *name;
	const char *account; /* document */
	enum account_case_action action;
	enum account_case_answer answer;
	const char *client_id;
	const char *topic; /* or filter */
	const char *rule;  /* that decides; empty: none matches, or a subscription */
};

/* Accounts without grants of their own. */
#define ADMIN         "{\"username\":\"root\",\"role\":\"admin\"}"
#define MANAGER       "{\"username\":\"max\",\"role\":\"manager\"}"
#define MANAGER_HALL  "{\"username\":\"mia\",\"role\":\"manager\",\"locations\":[\"hall\"]}"
#define RESIDENT      "{\"username\":\"rita\",\"role\":\"resident\"}"
#define RESIDENT_HALL "{\"username\":\"rob\",\"role\":\"resident\",\"locations\":[\"hall\",\"거실\"]}"
#define GUEST         "{\"username\":\"guy\",\"role\":\"guest\"}"
#define GUEST_HALL    "{\"username\":\"gina\",\"role\":\"guest\",\"locations\":[\"hall\"]}"
#define DEVICE        "{\"username\":\"livingroom/uno1\",\"role\":\"device\",\"location\":\"livingroom\",\"device\":\"uno1\"}"
#define SERVICE_NONE  "{\"username\":\"nobody\",\"role\":\"service\"}"

#define ALLOW(rights, topic) "{\"allow\":\"" rights "\",\"topic\":\"" topic "\"}"
#define DENY(rights, topic)  "{\"deny\":\"" rights "\",\"topic\":\"" topic "\"}"

/* And with them, one a line. */
/* clang-format off */
#define GRANTED \
	"{\"username\":\"tom\",\"role\":\"resident\",\"locations\":[\"hall\"],\"grants\":[" \
	ALLOW("read", "greenhouse/#") "," \
	DENY("read", "greenhouse/safe/#") "," \
	ALLOW("read", "greenhouse/safe/door/state") "," \
	DENY("write", "hall/door1/+/set") "," \
	DENY("write", "hall/+/+/ack") "," \
	DENY("read", "+/+/+/alarm") "," \
	ALLOW("all", "garden/+") "]}"
#define DENY_WINS \
	"{\"username\":\"judge\",\"role\":\"service\",\"grants\":[" \
	ALLOW("all", "a/b") "," \
	DENY("read", "a/b") "," \
	ALLOW("read", "#") "," \
	DENY("read", "+/q") "," \
	DENY("read", "p/q") "," \
	ALLOW("read", "p/+") "," \
	DENY("read", "+/r") "," \
	ALLOW("read", "m/+/+") "," \
	DENY("read", "+/n/o") "," \
	ALLOW("read", "k/#") "," \
	DENY("read", "k/+") "," \
	DENY("read", "k") "," \
	DENY("read", "+/y/x") "]}"
#define MUTE \
	"{\"username\":\"mute\",\"role\":\"resident\",\"grants\":[" \
	DENY("all", "#") "]}"
#define ADMIN_DENIED \
	"{\"username\":\"half\",\"role\":\"admin\",\"grants\":[" \
	DENY("write", "vault/#") "," \
	DENY("read", "$SYS/#") "]}"
#define DEVICE_DENIED \
	"{\"username\":\"hall/uno9\",\"role\":\"device\",\"location\":\"hall\",\"device\":\"uno9\",\"grants\":[" \
	DENY("write", "hall/uno9/t/value") "," \
	DENY("read", "hall/uno9/+/config") "," \
	DENY("write", "hall/#") "," \
	DENY("write", "%l/%d/u/error") "]}"
#define SERVICE \
	"{\"username\":\"nora\",\"role\":\"service\",\"grants\":[" \
	ALLOW("write", "+/+/+/set") "," \
	ALLOW("read", "#") "," \
	ALLOW("read", "$SYS/broker/#") "," \
	ALLOW("write", "$CONTROL/hearth/v1") "," \
	ALLOW("write", "services/%u/log") "]}"
#define BY_CLIENT \
	"{\"username\":\"zoe\",\"role\":\"service\",\"location\":\"hall\",\"device\":\"bell\",\"grants\":[" \
	ALLOW("write", "clients/%c/#") "," \
	ALLOW("read", "in/x%cy") "," \
	ALLOW("read", "at/%u/%l/%d/%c") "," \
	ALLOW("read", "%c/#") "," \
	ALLOW("read", "tie/%c") "," \
	DENY("read", "tie/bob") "," \
	DENY("read", "secret/%c") "," \
	ALLOW("read", "secret/+") "]}"
/* clang-format on */

#endif
