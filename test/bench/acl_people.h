/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_people: who signs in to the brokers that are compared, and what each may: the same for Hearth, as accounts, and for
 * Mosquitto's dynamic security plugin, as clients with roles. Version 2.0 of that puts no names into topics, so that whoever
 * has topics of its own has a role of its own.
 */
#ifndef BENCH_ACL_PEOPLE_H
#define BENCH_ACL_PEOPLE_H

#include "fault.h"
#include "sign_in_accounts.h"

enum acl_group {
	ACL_CONDUCTOR, /* may do everything */
	ACL_SERVICES,  /* bench/line/unoN/…: what a device may, by grants, on topics that are none of Hearth's */
	ACL_DEVICES,   /* home/unoN/…: by the role of a device */
	ACL_WATCHERS,  /* read bench/# and home/# by grants */
	ACL_RESIDENTS, /* read everything, by their role */
	ACL_MANY,      /* services with 20 grants; the tenth is to read check/# */
	ACL_GROUPS
};

#define ACL_CLIENTS 500 /* services, devices, watchers */
#define ACL_READERS 200 /* residents, services with many grants */

/* The user name of a group's n-th member. */
void acl_user(enum acl_group group, int n, char *out, size_t size);

/* Puts all of them into Hearth's state folder, with the secret. */
bool acl_people_write_hearth(const char *state_dir, const struct sign_in_passwords *passwords, struct fault *fault);

/* Writes all of them as the JSON file of dynamic security, with SIGN_IN_PASSWORD. */
bool acl_people_write_dynamic(const char *path, const struct sign_in_passwords *passwords, struct fault *fault);

#endif
