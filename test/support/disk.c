/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See disk.h. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static pid_t locker;
static int locker_end; /* closing it ends the locker */

bool disk_mount(const char *folder, int kibibytes)
{
	static bool own;
	char options[64];

	if (!own && (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))
		return false;
	own = true;
	snprintf(options, sizeof(options), "size=%dk,mode=0700", kibibytes);
	if (mkdir(folder, 0700) != 0)
		fail_msg("%s: %s", folder, strerror(errno));
	if (mount("tmpfs", folder, "tmpfs", 0, options) == 0)
		return true;
	rmdir(folder);
	return false;
}

void disk_unmount(const char *folder)
{
	assert_int_equal(umount2(folder, MNT_DETACH), 0);
	assert_int_equal(rmdir(folder), 0);
}

static const char *big_file(const char *folder)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/big", folder);
	return path;
}

void disk_fill(const char *folder)
{
	static const char zeros[4096];
	int fd = open(big_file(folder), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		continue;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

void disk_free(const char *folder)
{
	assert_int_equal(unlink(big_file(folder)), 0);
}

void disk_read_only(const char *folder, bool read_only)
{
	if (mount("none", folder, NULL, MS_REMOUNT | (read_only ? MS_RDONLY : 0), NULL) != 0)
		fail_msg("%s: %s", folder, strerror(errno));
}

/* In the child: locks, says so, and waits for the other end to be closed. */
static void hold(const char *database, int say, int wait_for)
{
	sqlite3 *db;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sqlite3_open_v2(database, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(db, 5000) != SQLITE_OK ||
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK || write(say, "", 1) != 1)
		_exit(1);
	while (read(wait_for, &byte, 1) > 0)
		continue;
	sqlite3_close(db);
	_exit(0);
}

void disk_lock(const char *database)
{
	int ready[2], end[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(end, O_CLOEXEC), 0);
	locker = fork();
	assert_true(locker >= 0);
	if (locker == 0) {
		close(end[1]);
		hold(database, ready[1], end[0]);
	}
	close(ready[1]);
	close(end[0]);
	locker_end = end[1];
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

void disk_unlock(void)
{
	int status;

	close(locker_end);
	assert_int_equal(waitpid(locker, &status, 0), locker);
	assert_int_equal(status, 0);
}
