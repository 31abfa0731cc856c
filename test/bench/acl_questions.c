/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_questions: see acl_questions.h.
 */
#include "acl_questions.h"
#include "client.h"

#include <stdio.h>
#include <string.h>

#define MESSAGES_EACH    4   /* of a publisher in a slice */
#define MESSAGES_CHECKED 200 /* in a slice */

const struct acl_message_question ACL_MESSAGE_QUESTIONS[] = {
	{"own topics, QoS 0", ACL_SERVICES, .qos = 0, .least = 1.0},
	{"own topics, QoS 1", ACL_SERVICES, .qos = 1, .least = 1.0},
	{"readings, QoS 0", ACL_DEVICES, .qos = 0},
	{"readings, QoS 1", ACL_DEVICES, .qos = 1},
};
const int ACL_MESSAGE_QUESTION_COUNT = sizeof(ACL_MESSAGE_QUESTIONS) / sizeof(ACL_MESSAGE_QUESTIONS[0]);

const struct acl_check_question ACL_CHECK_QUESTIONS[] = {
	{"a device reads its own", ACL_DEVICES, true, "home/uno0000/fan/set", "home/uno0001/fan/set"},
	{"a resident reads", ACL_RESIDENTS, false, "check/here", "check/nobody"},
	{"a service with 20 grants", ACL_MANY, false, "check/here/again", "check/nobody/again"},
};
const int ACL_CHECK_QUESTION_COUNT = sizeof(ACL_CHECK_QUESTIONS) / sizeof(ACL_CHECK_QUESTIONS[0]);

/* ---- messages ---- */

struct messages {
	struct acl_trial *trial;
	const struct acl_message_question *question;
	struct acl_crowd *crowds[ACL_VARIANTS];
};

static void name_topic(const struct acl_message_question *question, int n, struct acl_member *out)
{
	const char *root = question->publishers == ACL_DEVICES ? "home" : "bench/line";
	snprintf(out->topic, sizeof(out->topic), "%s/uno%04d/temperature/value", root, n);
}

static void name_publisher(const void *context, int n, struct acl_member *out)
{
	const struct acl_message_question *question = context;
	acl_user(question->publishers, n, out->user, sizeof(out->user));
	name_topic(question, n, out);
}

static void name_follower(const void *context, int n, struct acl_member *out)
{
	acl_user(ACL_WATCHERS, n, out->user, sizeof(out->user));
	name_topic(context, n, out);
}

static bool measure_messages(void *context, enum acl_variant variant, double *ns, struct fault *fault)
{
	struct messages *messages = context;
	if (!acl_trial_cost(messages->trial, variant, messages->crowds[variant], MESSAGES_EACH, ns, fault)) {
		return false;
	}
	*ns /= MESSAGES_EACH * ACL_CLIENTS;
	return true;
}

bool acl_message_ask(struct acl_trial *trial, const struct acl_message_question *question, struct acl_rounds *out,
                     struct fault *fault)
{
	struct messages messages = {.trial = trial, .question = question};
	bool done = true;
	for (int variant = 0; done && variant < ACL_VARIANTS; variant++) {
		const struct acl_crowd_plan plan = {
			.name = question->name,
			.port = trial->servers[variant].port,
			.password = acl_trial_password(trial, (enum acl_variant)variant),
			.publishers = ACL_CLIENTS,
			.followed = true,
			.qos = question->qos,
			.spin = trial->setup->pins.pinned,
			.publisher = name_publisher,
			.follower = name_follower,
			.context = question,
		};
		messages.crowds[variant] = acl_crowd_open(&plan, fault);
		done = messages.crowds[variant] != NULL || fault_add(fault, ACL_VARIANT_NAMES[variant]);
	}
	done = done && acl_trial_rounds(trial, question->name, measure_messages, &messages, out, fault);
	for (int variant = 0; variant < ACL_VARIANTS; variant++) {
		acl_crowd_close(messages.crowds[variant]);
	}
	return done;
}

/* ---- checks ---- */

struct checks {
	struct acl_trial *trial;
	const struct acl_check_question *question;
	struct acl_crowd *crowds[ACL_VARIANTS][2]; /* to the topic with sessions, to that without */
};

/* Leaves stored sessions with a subscription behind. */
static bool make_sessions(struct acl_trial *trial, enum acl_variant variant, const struct acl_check_question *question,
                          struct fault *fault)
{
	char user[48];
	char client_id[64];
	for (int n = 0; n < ACL_READERS; n++) {
		struct client client;
		acl_user(question->readers, question->one_reader ? 0 : n, user, sizeof(user));
		snprintf(client_id, sizeof(client_id), "session-%d-%d", (int)question->readers, n);
		const struct identity who = {
			.client_id = client_id, .user = user, .password = acl_trial_password(trial, variant), .stored = true};
		if (!client_sign_in(&client, trial->servers[variant].port, &who, fault)) {
			return false;
		}
		bool subscribed = client_subscribe(&client, question->topic, 0, fault);
		client_close(&client);
		if (!subscribed) {
			return false;
		}
	}
	return true;
}

static void name_conductor(const void *context, int n, struct acl_member *out)
{
	acl_user(ACL_CONDUCTOR, n, out->user, sizeof(out->user));
	snprintf(out->topic, sizeof(out->topic), "%s", (const char *)context);
}

static struct acl_crowd *open_conductor(struct acl_trial *trial, enum acl_variant variant, const char *topic,
                                        struct fault *fault)
{
	const struct acl_crowd_plan plan = {
		.name = topic,
		.port = trial->servers[variant].port,
		.password = acl_trial_password(trial, variant),
		.publishers = 1,
		.spin = trial->setup->pins.pinned,
		.publisher = name_conductor,
		.context = topic,
	};
	return acl_crowd_open(&plan, fault);
}

static bool measure_checks(void *context, enum acl_variant variant, double *ns, struct fault *fault)
{
	struct checks *checks = context;
	double ns_each[2];
	for (int i = 0; i < 2; i++) {
		if (!acl_trial_cost(checks->trial, variant, checks->crowds[variant][i], MESSAGES_CHECKED, &ns_each[i], fault)) {
			return false;
		}
	}
	*ns = (ns_each[0] - ns_each[1]) / MESSAGES_CHECKED / ACL_READERS;
	return true;
}

bool acl_check_ask(struct acl_trial *trial, const struct acl_check_question *question, struct acl_rounds *out,
                   struct fault *fault)
{
	struct checks checks = {.trial = trial, .question = question};
	bool done = true;
	for (int variant = 0; done && variant < ACL_VARIANTS; variant++) {
		const char *const topics[2] = {question->topic, question->lonely_topic};
		done = make_sessions(trial, (enum acl_variant)variant, question, fault);
		for (int i = 0; done && i < 2; i++) {
			checks.crowds[variant][i] = open_conductor(trial, (enum acl_variant)variant, topics[i], fault);
			done = checks.crowds[variant][i] != NULL;
		}
		done = done || fault_add(fault, ACL_VARIANT_NAMES[variant]);
	}
	done = done && acl_trial_rounds(trial, question->name, measure_checks, &checks, out, fault);
	for (int variant = 0; variant < ACL_VARIANTS; variant++) {
		acl_crowd_close(checks.crowds[variant][0]);
		acl_crowd_close(checks.crowds[variant][1]);
	}
	return done;
}
