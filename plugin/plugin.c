/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin: Mosquitto's entry points, and how Hearth's parts are wired together.
 *
 * A message's way through the house begins in on_message(). With broker.c this is the only file that includes
 * Mosquitto's headers. Threads: the broker's own runs everything here; the keeper and the writer are started last and
 * stopped first.
 */
#include "broker.h"
#include "broker_conf.h"
#include "host.h"
#include "intake.h"
#include "journal.h"
#include "keeper.h"
#include "mailbox.h"
#include "options.h"
#include "state.h"
#include "store.h"
#include "writer.h"

#include <errno.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#define EXPORT     __attribute__((visibility("default")))
#define DRAIN_MS   4000 /* how long stopping may wait for the history store; the rest stays in the journal */
#define NOTICES    64   /* log lines that may wait for the next tick */
#define ERROR_MAX  512
#define PLUGIN_API 5

struct plugin {
	mosquitto_plugin_id_t *identifier;
	struct options options;
	struct mailbox *keeper_notices, *writer_notices, *gauges;
	struct host *host;
	struct journal *journal;
	struct state *state;
	struct intake *intake;
	struct writer *writer;
	struct keeper *keeper;
	int64_t ticked_ms;
};

static const struct broker_ops *const broker = &broker_mosquitto;

/* Mosquitto loads one copy of the code for any number of plugin lines, and a house has one Hearth. */
static struct plugin *loaded;

static struct instant instant_now(void)
{
	struct timespec wall, mono;
	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC_COARSE, &mono);
	return (struct instant){
		.wall_us = (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000,
		.mono_ms = (int64_t)mono.tv_sec * 1000 + mono.tv_nsec / 1000000,
	};
}

/* ---- what happens while the broker runs ---- */

static int on_message(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_message *e = event_data;
	struct plugin *plugin = userdata;
	struct message message = {
		.topic = slice_of(e->topic),
		.payload = {e->payload, e->payloadlen},
		.client = e->client,
		.retain = e->retain,
	};
	(void)event;
	/* intake → feed (journal → series → action) → broker: see intake.c, feed.c, action.c. */
	if (intake_message(plugin->intake, &message, instant_now()) == INTAKE_WITHHOLD)
		return MOSQ_ERR_ACL_DENIED;
	return MOSQ_ERR_SUCCESS;
}

/* How much of the journal the history store has not taken yet, in bytes. */
static uint64_t queue_bytes(const struct plugin *plugin)
{
	uint64_t head = journal_head(plugin->journal), stored = writer_position(plugin->writer);
	uint64_t from = stored > journal_begin(plugin->journal) ? stored : journal_begin(plugin->journal);
	return head > from ? head - from : 0;
}

static int on_tick(int event, void *event_data, void *userdata)
{
	struct plugin *plugin = userdata;
	struct instant now = instant_now();
	struct notice notice;
	struct host_sample sample;

	(void)event;
	(void)event_data;
	if (now.mono_ms == plugin->ticked_ms)
		return MOSQ_ERR_SUCCESS;
	plugin->ticked_ms = now.mono_ms;
	while (mailbox_get(plugin->keeper_notices, &notice) || mailbox_get(plugin->writer_notices, &notice))
		broker->log(notice.level, notice.text);
	while (mailbox_get(plugin->gauges, &sample))
		intake_gauges(plugin->intake, &sample, queue_bytes(plugin), now);
	intake_tick(plugin->intake, now);
	return MOSQ_ERR_SUCCESS;
}

/* SIGHUP: everything that can change at run time comes by MQTT, so there is nothing to read again. */
static int on_reload(int event, void *event_data, void *userdata)
{
	(void)event;
	(void)event_data;
	(void)userdata;
	return MOSQ_ERR_SUCCESS;
}

static const struct {
	int event;
	MOSQ_FUNC_generic_callback callback;
} events[] = {
	{MOSQ_EVT_MESSAGE, on_message},
	{MOSQ_EVT_TICK, on_tick},
	{MOSQ_EVT_RELOAD, on_reload},
};

/* ---- start and stop ---- */

static bool fail(const char *line)
{
	broker->log(NOTICE_ERROR, line);
	return false;
}

static bool options_init(struct plugin *plugin, const struct mosquitto_opt *options, int count)
{
	char error[OPTIONS_ERROR_MAX];
	struct option_line *lines = calloc((size_t)count + 1, sizeof *lines);
	if (lines == NULL)
		return fail("no memory");
	for (int i = 0; i < count; i++)
		lines[i] = (struct option_line){options[i].key, options[i].value};
	bool ok = options_read(lines, (size_t)count, &plugin->options, error);
	free(lines);
	return ok || fail(error);
}

/* On Mosquitto 2.0.11 no timer runs then, and on every version each listener would want a Hearth of its own. */
static bool per_listener_check(void)
{
	char command_line[4096];
	FILE *file = fopen("/proc/self/cmdline", "r");
	size_t len = file != NULL ? fread(command_line, 1, sizeof command_line, file) : 0;
	if (file != NULL)
		fclose(file);
	return !broker_conf_per_listener(command_line, len) ||
	       fail("per_listener_settings true: wanted false, since one Hearth serves all listeners of a house");
}

/* The history store is opened by its own thread; here it only has to be one that can work. */
static bool store_check(const struct plugin *plugin, const struct store_ops *ops, const char *location)
{
	char error[ERROR_MAX], line[2 * ERROR_MAX];
	struct store *store;
	enum store_result result = ops->open(location, plugin->options.node, &store, error, sizeof error);
	if (result == STORE_NEVER) {
		snprintf(line, sizeof line, "plugin_opt_store %s: %s", plugin->options.store, error);
		return fail(line);
	}
	if (result == STORE_OK)
		ops->close(store);
	return true;
}

static bool state_init(struct plugin *plugin)
{
	char path[ERROR_MAX], error[ERROR_MAX], line[3 * ERROR_MAX];
	const char *dir = plugin->options.state_dir;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		snprintf(line, sizeof line, "plugin_opt_state_dir %s: %s; wanted a folder that the broker's user may write",
		         dir, strerror(errno));
		return fail(line);
	}
	if (snprintf(path, sizeof path, "%s/journal", dir) >= (int)sizeof path)
		return fail("plugin_opt_state_dir: the path is too long");
	struct journal_options journal = {.directory = path, .quota = plugin->options.journal_max};
	plugin->journal = journal_open(&journal, error, sizeof error);
	if (plugin->journal == NULL) {
		snprintf(line, sizeof line, "plugin_opt_state_dir %s: %s", dir, error);
		return fail(line);
	}
	snprintf(path, sizeof path, "%s/state.db", dir);
	plugin->state = state_open(path, error, sizeof error);
	if (plugin->state == NULL || !keeper_catch_up(plugin->journal, plugin->state, error, sizeof error)) {
		snprintf(line, sizeof line, "plugin_opt_state_dir %s: %s", dir, error);
		return fail(line);
	}
	return true;
}

struct restore {
	struct plugin *plugin;
	int pass;
	struct instant now;
};

static void restore_one(void *context, struct slice topic, struct slice payload, int64_t time_us)
{
	struct restore *restore = context;
	(void)time_us;
	intake_restore(restore->plugin->intake, topic, payload, restore->pass, restore->now);
}

static bool intake_init(struct plugin *plugin)
{
	struct intake_options options = {
		.broker = broker, .journal = plugin->journal, .options = &plugin->options, .now = instant_now()};
	if (getrandom(&options.seed, sizeof options.seed, 0) != (ssize_t)sizeof options.seed)
		return fail("the system gives no random numbers");
	plugin->intake = intake_new(&options);
	if (plugin->intake == NULL)
		return fail("no memory");
	struct restore restore = {.plugin = plugin, .now = options.now};
	for (; restore.pass < INTAKE_RESTORE_PASSES; restore.pass++) {
		if (!state_each_retained(plugin->state, restore_one, &restore))
			return fail(state_error(plugin->state));
	}
	return true;
}

static uint64_t stored_position(void *context)
{
	const struct plugin *plugin = context;
	return writer_position(plugin->writer);
}

static bool threads_start(struct plugin *plugin, const struct store_ops *ops, const char *location)
{
	struct options *options = &plugin->options;

	plugin->keeper_notices = mailbox_new(sizeof(struct notice), NOTICES);
	plugin->writer_notices = mailbox_new(sizeof(struct notice), NOTICES);
	plugin->gauges = mailbox_new(sizeof(struct host_sample), 4);
	plugin->host = host_new("", options->state_dir);
	if (!plugin->keeper_notices || !plugin->writer_notices || !plugin->gauges || !plugin->host)
		return fail("no memory");
	plugin->writer = writer_start(&(struct writer_options){
		.journal = plugin->journal,
		.ops = ops,
		.location = location,
		.node = options->node,
		.notices = plugin->writer_notices,
	});
	if (plugin->writer == NULL)
		return fail("the writer thread cannot be started");
	plugin->keeper = keeper_start(&(struct keeper_options){
		.journal = plugin->journal,
		.state = plugin->state,
		.host = plugin->host,
		.sync_ms = options->sync_ms,
		.gauges_every_s = options->gauges_every_s,
		.notices = plugin->keeper_notices,
		.gauges = plugin->gauges,
		.stored = stored_position,
		.context = plugin,
	});
	return plugin->keeper != NULL || fail("the keeper thread cannot be started");
}

static bool events_register(struct plugin *plugin)
{
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
		if (mosquitto_callback_register(plugin->identifier, events[i].event, events[i].callback, NULL, plugin) !=
		    MOSQ_ERR_SUCCESS)
			return fail("Mosquitto refused a callback");
	}
	return true;
}

/* Stops and frees whatever of it there is. */
static void plugin_free(struct plugin *plugin)
{
	if (plugin->keeper != NULL) /* first, since it asks the writer how far it is */
		keeper_stop(plugin->keeper);
	if (plugin->writer != NULL)
		writer_stop(plugin->writer, DRAIN_MS);
	intake_free(plugin->intake);
	if (plugin->journal != NULL)
		journal_close(plugin->journal);
	state_close(plugin->state);
	host_free(plugin->host);
	mailbox_free(plugin->gauges);
	mailbox_free(plugin->writer_notices);
	mailbox_free(plugin->keeper_notices);
	options_free(&plugin->options);
	free(plugin);
}

EXPORT int mosquitto_plugin_version(int supported_version_count, const int *supported_versions)
{
	for (int i = 0; i < supported_version_count; i++) {
		if (supported_versions[i] == PLUGIN_API)
			return PLUGIN_API;
	}
	return -1;
}

EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata, struct mosquitto_opt *options,
                                 int option_count)
{
	if (loaded != NULL) {
		fail("loaded twice: wanted one plugin line for mosquitto_hearth.so");
		return MOSQ_ERR_INVAL;
	}
	struct plugin *plugin = calloc(1, sizeof *plugin);
	if (plugin == NULL)
		return MOSQ_ERR_NOMEM;
	plugin->identifier = identifier;

	const struct store_ops *store = &store_sqlite;
	const char *location;
	if (!per_listener_check() || !options_init(plugin, options, option_count)) {
		plugin_free(plugin);
		return MOSQ_ERR_INVAL;
	}
	location = strchr(plugin->options.store, ':') + 1;
	if (!state_init(plugin) || !store_check(plugin, store, location) || !intake_init(plugin) ||
	    !threads_start(plugin, store, location) || !events_register(plugin)) {
		plugin_free(plugin);
		return MOSQ_ERR_INVAL;
	}
	broker_logf(broker, NOTICE_INFO, "version " HEARTH_VERSION " on node %s: state in %s, history in %s",
	            plugin->options.node, plugin->options.state_dir, plugin->options.store);
	loaded = plugin;
	*userdata = plugin;
	return MOSQ_ERR_SUCCESS;
}

EXPORT int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int option_count)
{
	struct plugin *plugin = userdata;
	(void)options;
	(void)option_count;
	if (plugin == NULL)
		return MOSQ_ERR_SUCCESS;
	struct intake_counters counters = intake_counters(plugin->intake);
	broker_logf(broker, NOTICE_INFO, "stopping: %llu messages, %llu stored, %llu refused, %llu lost, %llu commands",
	            (unsigned long long)counters.messages, (unsigned long long)counters.stored,
	            (unsigned long long)counters.refused, (unsigned long long)counters.lost,
	            (unsigned long long)counters.commands);
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
		mosquitto_callback_unregister(plugin->identifier, events[i].event, events[i].callback, NULL);
	plugin_free(plugin);
	loaded = NULL;
	return MOSQ_ERR_SUCCESS;
}
