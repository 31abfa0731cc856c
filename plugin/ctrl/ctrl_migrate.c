/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_migrate: starts moving the history, and shows how far that is until it is done. The broker does it; an end of this
 * program changes nothing.
 */
#include "ctrl_client.h"
#include "ctrl_print.h"
#include "ctrl_run.h"
#include "ctrl_text.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_S 1

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	interrupted = signal;
}

/* One line about an answer of getMove: its numbers and texts. On a terminal each takes the place of the one before. */
static void show(const cJSON *move)
{
	bool terminal = isatty(STDERR_FILENO) == 1;
	const cJSON *item;

	fputs(terminal ? "\r\033[K" : "", stderr);
	cJSON_ArrayForEach(item, move)
	{
		char *text = cJSON_IsString(item) ? ctrl_text_clean(item->valuestring) : cJSON_PrintUnformatted(item);
		char *name = ctrl_text_clean(item->string);

		if (text && (cJSON_IsNumber(item) || cJSON_IsString(item)))
			fprintf(stderr, "%s %s  ", name, text);
		free(text);
		free(name);
	}
	fputs(terminal ? "" : "\n", stderr);
}

enum phase { PHASE_RUNNING, PHASE_FINISHED, PHASE_FAILED };

static enum phase phase_of(const cJSON *move)
{
	const cJSON *phase = cJSON_GetObjectItemCaseSensitive(move, "phase");

	if (!cJSON_IsString(phase) || strcmp(phase->valuestring, "running") == 0)
		return PHASE_RUNNING;
	return strcmp(phase->valuestring, "finished") == 0 ? PHASE_FINISHED : PHASE_FAILED;
}

/* Looks until it is over; *move is the last answer. */
static int follow(struct ctrl_call *call, cJSON **move)
{
	cJSON *question = ctrl_must(cJSON_CreateObject());
	char *before = NULL;
	int status = CTRL_OK;

	ctrl_must(cJSON_AddStringToObject(question, "command", "getMove"));
	while (!interrupted) {
		char *now;

		cJSON_Delete(*move);
		status = ctrl_ask(call, question, move);
		if (status)
			break;
		now = ctrl_must(cJSON_PrintUnformatted(*move));
		if (!before || strcmp(before, now) != 0)
			show(*move);
		free(before);
		before = now;
		if (phase_of(*move) != PHASE_RUNNING)
			break;
		nanosleep(&(struct timespec){.tv_sec = LOOK_S}, NULL);
	}
	if (before && isatty(STDERR_FILENO) == 1)
		fputc('\n', stderr);
	free(before);
	cJSON_Delete(question);
	return status;
}

int ctrl_run_migrate(struct ctrl_call *call)
{
	const struct sigaction catch = {.sa_handler = on_signal};
	struct sigaction before;
	cJSON *move = NULL;
	const cJSON *why;
	int status;

	if (!ctrl_value(call, "to"))
		return ctrl_fail(call, CTRL_USAGE,
		                 "migrate: --to URL is missing; or is migrate status, or migrate stop, meant?");
	status = ctrl_ask(call, call->request, &move);
	if (status || ctrl_value(call, "no-wait")) {
		if (!status)
			ctrl_print(call, move);
		cJSON_Delete(move);
		return status;
	}
	sigaction(SIGINT, &catch, &before);
	status = follow(call, &move);
	sigaction(SIGINT, &before, NULL);
	if (interrupted) {
		fputs("hearth: it goes on in the broker; to look: migrate status, to stop it: migrate stop\n", stderr);
		status = CTRL_OK;
	} else if (!status && phase_of(move) == PHASE_FAILED) {
		why = cJSON_GetObjectItemCaseSensitive(move, "problem");
		status = ctrl_fail(call, CTRL_REFUSED, "the history was not moved: %s",
		                   cJSON_IsString(why) ? why->valuestring : "see migrate status");
	} else if (!status) {
		ctrl_print(call, call->json ? move : NULL);
	}
	cJSON_Delete(move);
	return status;
}
