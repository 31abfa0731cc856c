/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * disk: small disks that can be full or read-only, and databases that another program has locked.
 *
 * Disks are mounted in a mount namespace of the test program's own, which the brokers it starts inherit: they go with the
 * last of these processes, however that ends.
 *
 * All but disk_mount fails the running test if it cannot do what it says.
 */
#ifndef TEST_DISK_H
#define TEST_DISK_H

#include <stdbool.h>

/* Makes the folder and mounts a disk of so many KiB on it. False if that is not permitted here: skip the test. */
bool disk_mount(const char *folder, int kibibytes);
void disk_unmount(const char *folder); /* and removes the folder */

/* A file FOLDER/big takes all room there is, or has come to be again; disk_free removes it. */
void disk_fill(const char *folder);
void disk_free(const char *folder);

void disk_read_only(const char *folder, bool read_only);

/* Another process has a transaction for writing open on the database until disk_unlock. One at a time. */
void disk_lock(const char *database);
void disk_unlock(void);

#endif
