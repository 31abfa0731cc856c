/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * state_fixture: a temporary folder for a state file, which may become the place of a mount.
 */
#ifndef TEST_STATE_FIXTURE_H
#define TEST_STATE_FIXTURE_H

#include "state.h"

#include <ftw.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL UINT64_C(0xFEDCBA9876543210) /* an id with its highest bit set */

static char folder[64];
static char path[96];

static inline int make_folder(void **unused)
{
	(void)unused;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%.40s/hearth_XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/state.db", folder);
	return 0;
}

static inline int remove_one(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(name);
}

static inline int remove_folder(void **unused)
{
	(void)unused;
	umount2(folder, MNT_DETACH);
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline struct state *open_state(void)
{
	char error[256] = "";
	struct state *state = state_open(path, error, sizeof error);
	if (!state)
		fail_msg("%s", error);
	return state;
}

#endif
