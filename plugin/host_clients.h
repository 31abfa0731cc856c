/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host_clients: counts the TCP clients of this process. Private to host*.c.
 */
#ifndef HEARTH_HOST_CLIENTS_H
#define HEARTH_HOST_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Counts the established TCP connections, IPv4 and IPv6, to ports that this process listens on. A connection that
 * it has not accepted yet, or has closed, is none; one that it holds under several descriptors is one.
 *
 * May be called from any thread, also one that has unshared its descriptors: the main thread's are counted. `root` as
 * for host_new. False if the descriptors could not be listed, if there is no table of connections, or without memory.
 */
bool host_clients_count(const char *root, size_t *out);

#endif
