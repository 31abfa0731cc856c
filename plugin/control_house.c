/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_house: sessions, metrics, the journal, and moving the history into another database.
 */
#include "control_internal.h"

#include <string.h>

/* ---- sessions ---- */

struct session_list {
	struct control_call *call;
	cJSON *list;
	size_t offset, count, passed;
};

static bool list_session(void *context, const struct access_session *session)
{
	struct session_list *sessions = context;
	struct control_call *call = sessions->call;

	control_work(call, CONTROL_WORK_LOOK);
	if (sessions->passed++ < sessions->offset)
		return true;
	cJSON *one = cJSON_CreateObject();
	control_put_text(call, one, "clientId", session->client_id);
	control_put_text(call, one, "username", session->user);
	control_put(call, one, "connected", cJSON_CreateBool(session->connected));
	control_put(call, one, "stored", cJSON_CreateBool(session->stored));
	control_append(call, sessions->list, one);
	return sessions->passed < sessions->offset + sessions->count;
}

enum control_outcome control_list_sessions(struct control_call *call)
{
	struct session_list sessions = {
		.call = call,
		.list = control_array(call, "sessions"),
		.offset = control_whole(call, "offset", 0),
		.count = control_count(call),
	};
	if (sessions.count > 0)
		access_each_session(call->control->options.access, list_session, &sessions);
	if (sessions.passed >= sessions.offset + sessions.count)
		control_put_number(call, control_data(call), "next", (double)sessions.passed);
	return CONTROL_DONE;
}

enum control_outcome control_drop_session(struct control_call *call)
{
	struct slice client_id = control_text(call, "clientId");

	if (slice_equal(client_id, call->client_id))
		return control_refuse(call, "clientId: found one's own; wanted another, or this could not be answered");
	if (!call->ticking) /* inside a message's callback nobody can be dropped */
		return CONTROL_WAIT;
	if (!access_drop(call->control->options.access, client_id))
		return control_refuse(call, "clientId: found \"%.*s\"; wanted a client that is connected",
		                      CONTROL_SHOWN(client_id));
	return CONTROL_DONE;
}

enum control_outcome control_forget_session(struct control_call *call)
{
	struct slice client_id = control_text(call, "clientId");

	if (!access_forget(call->control->options.access, client_id, call->now))
		return control_refuse(call,
		                      "clientId: found \"%.*s\"; wanted a session that is kept and not connected, "
		                      "and room in the journal",
		                      CONTROL_SHOWN(client_id));
	control_durably(call);
	return CONTROL_DONE;
}

/* ---- metrics and journal ---- */

struct metric_list {
	struct control_call *call;
	cJSON *metrics;
};

static void put_metric(void *to, const char *name, uint64_t value)
{
	struct metric_list *list = to;
	control_put_number(list->call, list->metrics, name, (double)value);
}

enum control_outcome control_get_metrics(struct control_call *call)
{
	const struct control_options *options = &call->control->options;
	struct metric_list list = {call, cJSON_CreateObject()};

	options->each_metric(options->context, put_metric, &list);
	control_put(call, control_data(call), "metrics", list.metrics);
	return CONTROL_DONE;
}

enum control_outcome control_get_journal(struct control_call *call)
{
	const struct control_options *options = &call->control->options;
	const struct journal *journal = intake_feed(options->intake)->journal;
	cJSON *data = control_data(call);

	control_put_number(call, data, "bytes", (double)journal_bytes(journal));
	control_put_number(call, data, "quota", (double)journal_quota(journal));
	control_put_number(call, data, "begin", (double)journal_begin(journal));
	control_put_number(call, data, "head", (double)journal_head(journal));
	control_put_number(call, data, "synced", (double)journal_synced(journal));
	control_put_number(call, data, "waiting", (double)storage_queue(options->storage));
	control_put_number(call, data, "lag", storage_lag_s(options->storage, call->now.wall_us));
	return CONTROL_DONE;
}

/* ---- moving the history ---- */

static const char *text_or_null(const struct control_call *call, const char *key)
{
	return control_text(call, key).ptr;
}

static void put_move(struct control_call *call)
{
	static const char *const phases[] = {
		[MOVE_NONE] = "none", [MOVE_RUNNING] = "running", [MOVE_FINISHED] = "finished", [MOVE_ERROR] = "failed"};
	struct storage_move_state state = storage_move_state(call->control->options.storage);
	cJSON *data = control_data(call);

	control_put(call, data, "phase", cJSON_CreateString(phases[state.phase]));
	control_put_number(call, data, "seriesDone", (double)state.series_done);
	control_put_number(call, data, "seriesAll", (double)state.series_all);
	control_put_number(call, data, "rows", (double)state.rows);
	if (state.error[0] != '\0')
		control_put(call, data, "problem", cJSON_CreateString(state.error));
}

enum control_outcome control_move_history(struct control_call *call)
{
	char error[CONTROL_ERROR_MAX] = "";

	if (!storage_move_start(call->control->options.storage, text_or_null(call, "to"),
	                        text_or_null(call, "passwordFile"), text_or_null(call, "ca"), error, sizeof error))
		return control_refuse(call, "to: %s", error);
	put_move(call);
	return CONTROL_DONE;
}

enum control_outcome control_get_move(struct control_call *call)
{
	put_move(call);
	return CONTROL_DONE;
}

enum control_outcome control_stop_move(struct control_call *call)
{
	if (storage_move_state(call->control->options.storage).phase != MOVE_RUNNING)
		return control_refuse(call, "no move is under way");
	storage_move_stop(call->control->options.storage);
	put_move(call);
	return CONTROL_DONE;
}
