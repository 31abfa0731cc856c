/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_trial: see acl_trial.h.
 */
#include "acl_trial.h"
#include "acl_people.h"
#include "median.h"

#include <stdio.h>
#include <string.h>

const char *const ACL_VARIANT_NAMES[ACL_VARIANTS] = {"empty", "dynamic", "hearth"};

static bool write_people(struct acl_trial *trial, enum acl_variant variant, char *conf, size_t size,
                         struct fault *fault)
{
	const struct acl_trial_setup *setup = trial->setup;
	char path[PATH_MAX];
	int len = snprintf(conf, size, "plugin %s\n", setup->plugins[variant]);
	if (variant == ACL_EMPTY) {
		return true;
	}
	snprintf(path, sizeof(path), "%.3000s/people-%s", setup->folder, ACL_VARIANT_NAMES[variant]);
	if (variant == ACL_DYNAMIC) {
		snprintf(conf + len, size - (size_t)len, "plugin_opt_config_file %s\n", path);
		return acl_people_write_dynamic(path, &trial->passwords, fault);
	}
	snprintf(conf + len, size - (size_t)len, "plugin_opt_state_dir %s\nplugin_opt_gauges_every 0\n", path);
	return acl_people_write_hearth(path, &trial->passwords, fault);
}

bool acl_trial_open(struct acl_trial *trial, const struct acl_trial_setup *setup, struct fault *fault)
{
	char folder[PATH_MAX];
	char conf[3 * PATH_MAX];
	*trial = (struct acl_trial){.setup = setup};
	if (!sign_in_passwords_make(&trial->passwords, fault)) {
		return false;
	}
	for (int variant = 0; variant < ACL_VARIANTS; variant++) {
		snprintf(folder, sizeof(folder), "%.3000s/%s", setup->folder, ACL_VARIANT_NAMES[variant]);
		if (!write_people(trial, (enum acl_variant)variant, conf, sizeof(conf), fault) ||
		    !server_start(&trial->servers[variant], folder, setup->mosquitto, conf, &setup->pins, fault)) {
			return fault_add(fault, ACL_VARIANT_NAMES[variant]);
		}
		server_go_first(&trial->servers[variant]);
	}
	server_version(&trial->servers[ACL_EMPTY], trial->mosquitto_version, sizeof(trial->mosquitto_version));
	return true;
}

void acl_trial_close(struct acl_trial *trial)
{
	for (int variant = 0; variant < ACL_VARIANTS; variant++) {
		server_remove(&trial->servers[variant]);
	}
}

const char *acl_trial_password(const struct acl_trial *trial, enum acl_variant variant)
{
	return variant == ACL_HEARTH ? trial->passwords.secret : SIGN_IN_PASSWORD;
}

bool acl_trial_cost(struct acl_trial *trial, enum acl_variant variant, struct acl_crowd *crowd, uint64_t messages_each,
                    double *ns, struct fault *fault)
{
	struct server_cpu before;
	struct server_cpu after;
	struct server *server = &trial->servers[variant];
	if (!server_cpu_read(server, &before, fault)) {
		return false;
	}
	if (!acl_crowd_run(crowd, messages_each, fault)) {
		return server_fault_add(server, fault);
	}
	if (!server_cpu_read(server, &after, fault)) {
		return false;
	}
	*ns = (double)(after.main_ns - before.main_ns);
	return true;
}

/* ---- rounds ---- */

/* The slices of a round, by broker. */
struct slices {
	double ns[ACL_VARIANTS][ACL_SLICES_MAX];
};

static bool measure_slice(acl_measure measure, void *context, int slice, struct slices *out, struct fault *fault)
{
	for (int turn = 0; turn < ACL_VARIANTS; turn++) {
		/* Every other slice backwards. */
		int variant = slice % 2 == 0 ? turn : ACL_VARIANTS - 1 - turn;
		if (!measure(context, (enum acl_variant)variant, &out->ns[variant][slice], fault)) {
			return fault_add(fault, ACL_VARIANT_NAMES[variant]);
		}
	}
	return true;
}

static void summarize(const struct slices *slices, int count, int round, struct acl_rounds *out)
{
	double figures[ACL_SLICES_MAX];
	for (int variant = 0; variant < ACL_VARIANTS; variant++) {
		memcpy(figures, slices->ns[variant], sizeof(figures));
		out->ns[variant][round] = median(figures, count);
		for (int i = 0; i < count; i++) {
			figures[i] = slices->ns[variant][i] - slices->ns[ACL_EMPTY][i];
		}
		out->over_empty[variant][round] = median(figures, count);
	}
	for (int i = 0; i < count; i++) {
		figures[i] = slices->ns[ACL_DYNAMIC][i] / slices->ns[ACL_HEARTH][i];
	}
	out->dynamic_by_hearth[round] = median(figures, count);
}

bool acl_trial_rounds(struct acl_trial *trial, const char *what, acl_measure measure, void *context,
                      struct acl_rounds *out, struct fault *fault)
{
	const struct acl_trial_setup *setup = trial->setup;
	struct slices slices;
	*out = (struct acl_rounds){.count = setup->rounds};
	for (int round = -1; round < setup->rounds; round++) { /* the first one warms up */
		int count = round < 0 ? 2 : setup->slices;
		for (int slice = 0; slice < count; slice++) {
			if (!setup->go_on(what, round)) {
				return fault_set(fault, "stopped");
			}
			if (!measure_slice(measure, context, slice, &slices, fault)) {
				return fault_add(fault, what);
			}
		}
		if (round >= 0) {
			summarize(&slices, count, round, out);
		}
	}
	return true;
}
