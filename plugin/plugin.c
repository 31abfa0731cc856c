/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin: Mosquitto's entry points, and how Hearth's parts are wired together.
 *
 * A message's way through the house begins in on_message(). With broker.c this is the only file that includes
 * Mosquitto's headers. Everything here runs on the broker's own thread; what has to do with files is behind storage.h.
 */
#include "broker.h"
#include "broker_conf.h"
#include "intake.h"
#include "metrics.h"
#include "options.h"
#include "plugin_access.h"
#include "storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define EXPORT     __attribute__((visibility("default")))
#define DRAIN_MS   4000 /* how long stopping may wait for the history store; the rest stays in the journal */
#define ERROR_MAX  512
#define PLUGIN_API 5

#define METRICS_EVERY_S 10 /* or as often as the gauges, if that is more often */

struct plugin {
	mosquitto_plugin_id_t *identifier;
	struct options options;
	struct storage *storage;
	struct intake *intake;
	struct plugin_access door;
	struct metrics metrics;
	int64_t metrics_due_ms;
	int64_t ticked_ms;
};

static const struct broker_ops *const broker = &broker_mosquitto;

/* Mosquitto loads one copy of the code for any number of plugin lines, and a house has one Hearth. */
static struct plugin *loaded;

/* The coarse clock steps every few milliseconds and costs a fifth of the fine one. */
static int64_t mono_ms_now(void)
{
	struct timespec mono;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &mono);
	return (int64_t)mono.tv_sec * 1000 + mono.tv_nsec / 1000000;
}

static struct instant instant_now(void)
{
	struct timespec wall;
	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct instant){
		.wall_us = (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000,
		.mono_ms = mono_ms_now(),
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

static void notices_log(struct plugin *plugin)
{
	struct notice notice;
	while (storage_notice(plugin->storage, &notice))
		broker->log(notice.level, notice.text);
}

static struct metric_values metrics_now(struct plugin *plugin, struct instant now)
{
	const struct intake_counters counters = intake_counters(plugin->intake);
	const struct access_counters door = access_counters(plugin->door.access);
	const struct sign_in_counters sign_in = sign_in_counters(access_sign_in(plugin->door.access));
	const struct journal *journal = storage_journal(plugin->storage);
	return (struct metric_values){{
		[METRIC_RECEIVED] = counters.received,
		[METRIC_REFUSED] = counters.refused,
		[METRIC_RESENT] = counters.resent,
		[METRIC_JOURNALED] = counters.stored,
		[METRIC_LOST] = counters.lost,
		[METRIC_STORED] = storage_stored(plugin->storage),
		[METRIC_REJECTED] = storage_rejected(plugin->storage),
		[METRIC_JOURNAL_BYTES] = journal_bytes(journal),
		[METRIC_JOURNAL_QUOTA] = journal_quota(journal),
		[METRIC_WAITING] = storage_queue(plugin->storage),
		[METRIC_LAG] = (uint64_t)storage_lag_s(plugin->storage, now.wall_us),
		[METRIC_FIRED] = counters.fired,
		[METRIC_COMMANDS] = counters.commands,
		[METRIC_DENIED] = door.denied,
		[METRIC_SIGN_INS_REFUSED] = door.refused,
		[METRIC_HASHED_HERE] = sign_in.hashed_here,
		[METRIC_HASHED_HERE_US] = sign_in.us_here,
		[METRIC_HASHED_THERE] = sign_in.hashed_there,
		[METRIC_PUT_OFF] = sign_in.later,
	}};
}

static void metrics_tell(struct plugin *plugin, struct instant now)
{
	const int every_s = plugin->options.gauges_every_s;
	const struct metric_values values = metrics_now(plugin, now);
	plugin->metrics_due_ms =
		now.mono_ms + 1000 * (every_s > 0 && every_s < METRICS_EVERY_S ? every_s : METRICS_EVERY_S);
	metrics_publish(&plugin->metrics, &values, broker);
}

static int on_tick(int event, void *event_data, void *userdata)
{
	struct plugin *plugin = userdata;
	struct host_sample sample;
	int64_t now_ms = mono_ms_now();

	(void)event;
	(void)event_data;
	access_reload(plugin->door.access, false);
	if (now_ms == plugin->ticked_ms) /* Mosquitto 2.0 ticks at the end of every loop */
		return MOSQ_ERR_SUCCESS;
	plugin->ticked_ms = now_ms;
	struct instant now = instant_now();
	notices_log(plugin);
	if (now.mono_ms >= plugin->metrics_due_ms) /* before the gauges are readings that wait */
		metrics_tell(plugin, now);
	while (storage_gauges(plugin->storage, &sample))
		intake_gauges(plugin->intake, &sample, storage_queue(plugin->storage), now);
	intake_tick(plugin->intake, now);
	control_tick(plugin->door.control, now); /* answers, before access drops who asked */
	access_tick(plugin->door.access, now);
	return MOSQ_ERR_SUCCESS;
}

/* SIGHUP: everything of ours that can change at run time comes by MQTT, so there is nothing to read again. */
static int on_reload(int event, void *event_data, void *userdata)
{
	struct plugin *plugin = userdata;
	(void)event;
	(void)event_data;
	access_reload(plugin->door.access, true);
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

static bool storage_init(struct plugin *plugin)
{
	char error[ERROR_MAX];
	plugin->storage = storage_open(&plugin->options, error, sizeof error);
	return plugin->storage != NULL || fail(error);
}

static void metric_each(void *context, void (*callback)(void *to, const char *name, uint64_t value), void *to)
{
	struct plugin *plugin = context;
	const struct metric_values values = metrics_now(plugin, instant_now());
	for (enum metric i = 0; i < METRIC_COUNT; i++)
		callback(to, metric_name(i), values.of[i]);
}

static bool access_init(struct plugin *plugin)
{
	char error[ERROR_MAX];
	plugin->door.identifier = plugin->identifier;
	plugin->door.now = instant_now;
	return plugin_access_init(&plugin->door, plugin->storage, plugin->intake, &plugin->options, error) || fail(error);
}

static bool control_init(struct plugin *plugin)
{
	plugin->door.control = control_new(&(struct control_options){
		.broker = broker,
		.access = plugin->door.access,
		.intake = plugin->intake,
		.storage = plugin->storage,
		.options = &plugin->options,
		.clock_us = plugin_access_clock_us,
		.each_metric = metric_each,
		.context = plugin,
	});
	return plugin->door.control != NULL || fail("no memory");
}

/* ---- the house as it was ---- */

struct restore {
	struct plugin *plugin;
	int pass;
	struct instant now;
};

static void restore_one(void *context, struct slice topic, struct slice payload, struct slice author)
{
	struct restore *restore = context;
	intake_restore(restore->plugin->intake, topic, payload, author, restore->pass, restore->now);
}

static void house_restore(struct plugin *plugin)
{
	struct restore restore = {.plugin = plugin, .now = instant_now()};
	for (; restore.pass < INTAKE_RESTORE_PASSES; restore.pass++)
		storage_each_retained(plugin->storage, restore_one, &restore);
	storage_forget_retained(plugin->storage);
}

static bool intake_init(struct plugin *plugin)
{
	struct intake_options options = {
		.broker = broker,
		.journal = storage_journal(plugin->storage),
		.options = &plugin->options,
		.now = instant_now(),
	};
	if (getrandom(&options.seed, sizeof options.seed, 0) != (ssize_t)sizeof options.seed)
		return fail("the system gives no random numbers");
	plugin->intake = intake_new(&options);
	return plugin->intake != NULL || fail("no memory");
}

static bool events_register(struct plugin *plugin)
{
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
		if (mosquitto_callback_register(plugin->identifier, events[i].event, events[i].callback, NULL, plugin) !=
		    MOSQ_ERR_SUCCESS)
			return fail("Mosquitto refused a callback");
	}
	if (!access_active(plugin->door.access)) {
		broker->log(NOTICE_INFO, "there are no accounts: who may do what is for the broker's own configuration to say."
		                         " With the broker stopped, mosquitto_ctrl hearth init makes the first");
		return true;
	}
	return plugin_access_register(&plugin->door) || fail("Mosquitto refused a callback");
}

/* Stops and frees whatever of it there is. */
static void plugin_free(struct plugin *plugin)
{
	if (plugin->storage != NULL) {
		storage_stop(plugin->storage, DRAIN_MS);
		notices_log(plugin);
	}
	control_free(plugin->door.control);
	plugin_access_free(&plugin->door);
	storage_close(plugin->storage, 0);
	intake_free(plugin->intake);
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
	if (plugin == NULL) {
		fail("no memory");
		return MOSQ_ERR_NOMEM;
	}
	plugin->identifier = identifier;

	if (!per_listener_check() || !options_init(plugin, options, option_count) || !storage_init(plugin) ||
	    !intake_init(plugin) || !access_init(plugin) || !control_init(plugin)) {
		plugin_free(plugin);
		return MOSQ_ERR_INVAL;
	}
	house_restore(plugin);
	if (!events_register(plugin)) {
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
	plugin_access_unregister(&plugin->door);
	plugin_free(plugin);
	loaded = NULL;
	return MOSQ_ERR_SUCCESS;
}
