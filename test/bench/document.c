/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * document: see document.h.
 */
#include "document.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

void document_figure(cJSON *object, const char *name, double figure, int digits)
{
	double unit = pow(10, digits);
	cJSON_AddNumberToObject(object, name, nearbyint(figure * unit) / unit);
}

cJSON *document_new(const char *benchmark, const struct machine *machine)
{
	char now[32];
	time_t seconds = time(NULL);
	struct tm utc;
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));

	cJSON *root = cJSON_CreateObject();
	cJSON_AddStringToObject(root, "benchmark", benchmark);
	cJSON_AddStringToObject(root, "time", now);
	cJSON_AddStringToObject(root, "hearth", HEARTH_VERSION);
	cJSON *object = cJSON_AddObjectToObject(root, "machine");
	cJSON_AddStringToObject(object, "cpu", machine->cpu);
	cJSON_AddNumberToObject(object, "cores", machine->cores);
	cJSON_AddStringToObject(object, "kernel", machine->kernel);
	document_figure(object, "syscall_ns", machine->syscall_ns, 1);
	return root;
}

static void make_parent_folders(const char *path)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof(folder), "%s", path);
	for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(folder, 0777);
		*slash = '/';
	}
}

bool document_write(cJSON *root, const char *path, struct fault *fault)
{
	char *text = cJSON_Print(root);
	cJSON_Delete(root);
	if (text == NULL) {
		return fault_set(fault, "no memory");
	}
	make_parent_folders(path);
	FILE *file = fopen(path, "we");
	bool written = file != NULL && fprintf(file, "%s\n", text) > 0;
	if ((file != NULL && fclose(file) != 0) || !written) {
		fault_set(fault, "%s: %s", path, strerror(errno));
		written = false;
	}
	cJSON_free(text);
	return written;
}
