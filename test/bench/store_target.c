/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_target: see store_target.h. A backend more is a line more.
 */
#include "store_target.h"

#include <string.h>

const struct store_backend *const store_backends[STORE_BACKENDS] = {&store_target_sqlite, &store_target_mariadb};

bool store_backend_chosen(const char *text, const struct store_backend *backend)
{
	return strcmp(text, "all") == 0 || strcmp(text, backend->name) == 0;
}

bool store_backend_known(const char *text, struct fault *fault)
{
	for (int i = 0; i < STORE_BACKENDS; i++) {
		if (store_backend_chosen(text, store_backends[i])) {
			return true;
		}
	}
	return fault_set(fault, "--backend \"%s\": wanted sqlite, mariadb or all", text);
}
