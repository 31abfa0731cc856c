/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_trial: the same Mosquitto three times, side by side: with a plugin that does nothing, with Mosquitto's own dynamic
 * security, and with Hearth; the latter two with the same people (acl_people.h). What is measured is the CPU time of the
 * broker's main thread, in short slices that take turns, so that whatever else the machine does meets all alike.
 */
#ifndef BENCH_ACL_TRIAL_H
#define BENCH_ACL_TRIAL_H

#include "acl_crowd.h"
#include "machine.h"
#include "server.h"
#include "sign_in_accounts.h"

enum acl_variant { ACL_EMPTY, ACL_DYNAMIC, ACL_HEARTH, ACL_VARIANTS };

extern const char *const ACL_VARIANT_NAMES[ACL_VARIANTS];

#define ACL_ROUNDS_MAX 99
#define ACL_SLICES_MAX 99

struct acl_trial_setup {
	const char *mosquitto;
	const char *plugins[ACL_VARIANTS]; /* absolute paths */
	const char *folder;                /* exists */
	struct pins pins;
	int rounds;
	int slices; /* of a round */
	/* Called before each slice; false: stop. */
	bool (*go_on)(const char *what, int round);
};

struct acl_trial {
	const struct acl_trial_setup *setup;
	struct sign_in_passwords passwords;
	struct server servers[ACL_VARIANTS];
	char mosquitto_version[32];
};

/* Starts all three. acl_trial_close in any case. */
bool acl_trial_open(struct acl_trial *trial, const struct acl_trial_setup *setup, struct fault *fault);
void acl_trial_close(struct acl_trial *trial);

/* What everybody signs in with at this broker. */
const char *acl_trial_password(const struct acl_trial *trial, enum acl_variant variant);

/* Lets a crowd of this broker send, and says what each message cost the broker's main thread. */
bool acl_trial_cost(struct acl_trial *trial, enum acl_variant variant, struct acl_crowd *crowd, uint64_t messages_each,
                    double *ns, struct fault *fault);

/* A figure of one broker for one slice. */
typedef bool (*acl_measure)(void *context, enum acl_variant variant, double *ns, struct fault *fault);

struct acl_rounds {
	int count;
	double ns[ACL_VARIANTS][ACL_ROUNDS_MAX];         /* medians of the slices */
	double over_empty[ACL_VARIANTS][ACL_ROUNDS_MAX]; /* the same of the differences to the empty plugin … */
	double dynamic_by_hearth[ACL_ROUNDS_MAX];        /* … and of the quotients */
};

bool acl_trial_rounds(struct acl_trial *trial, const char *what, acl_measure measure, void *context,
                      struct acl_rounds *out, struct fault *fault);

#endif
