/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_fixture: see control_fixture.h.
 */
#include "control_fixture.h"

#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct fake_client people[SCENE_PEOPLE] = {
	{.id = "c-anna", .user = "anna", .certificate = "anna"},
	{.id = "c-mark", .user = "mark", .certificate = "mark"},
	{.id = "c-rita", .user = "rita", .certificate = "rita"},
	{.id = "c-gus", .user = "gus", .certificate = "gus"},
	{.id = "c-hall/uno1", .user = "hall/uno1", .certificate = "hall/uno1"},
	{.id = "c-serv", .user = "serv", .certificate = "serv"},
};

static const char *const accounts[SCENE_PEOPLE] = {
	"{'username':'anna','role':'admin','certificate':true}",
	"{'username':'mark','role':'manager','locations':['hall'],'certificate':true}",
	"{'username':'rita','role':'resident','certificate':true,'password':'%s'}",
	"{'username':'gus','role':'guest','certificate':true}",
	"{'username':'hall/uno1','role':'device','location':'hall','device':'uno1','certificate':true}",
	"{'username':'serv','role':'service','certificate':true,'grants':[{'allow':'read','topic':'hall/uno1/#'}]}",
};

static int64_t clock_us(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t monotonic_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

/* The clock that tells what a command costs: nothing on any machine, but that each look at it takes as long as a test says. */
static int64_t look_us, looked_us;

static int64_t scene_clock_us(void)
{
	looked_us += look_us;
	return looked_us;
}

void scene_slow(int64_t us)
{
	look_us = us;
}

struct instant scene_now(const struct scene *scene)
{
	return (struct instant){clock_us(CLOCK_REALTIME) + scene->ahead_ms * 1000, monotonic_us() / 1000 + scene->ahead_ms};
}

/* ---- making ---- */

static void quote(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			*text = '"';
	}
}

static const char *rita_hash(void)
{
	static char hash[PASSWORD_TEXT_MAX];
	static const uint8_t salt[12] = "twelve bytes";
	if (hash[0] == '\0')
		assert_true(password_make(slice_of(RITA_PASSWORD), PASSWORD_ITERATIONS, salt, hash));
	return hash;
}

static void restore_accounts(struct scene *scene)
{
	for (size_t i = 0; i < COUNT(accounts); i++) {
		char body[512], name[64];
		snprintf(body, sizeof body, accounts[i], rita_hash()); /* NOLINT(clang-diagnostic-format-nonliteral) */
		quote(body);
		snprintf(name, sizeof name, "account/%s", people[i].user);
		access_restore(scene->access, &(struct document){slice_of(name), slice_of(body)});
	}
	assert_int_equal(account_count(access_accounts(scene->access)), COUNT(accounts));
}

static void each_metric(void *context, void (*callback)(void *to, const char *name, uint64_t value), void *to)
{
	(void)context;
	callback(to, "readings/received", 7);
	callback(to, "store/lag", 0);
}

/* The right to command, as the plugin has it asked. */
static bool may(void *context, struct slice user, bool write, struct slice filter)
{
	const struct scene *scene = context;
	return access_user_may(scene->access, user, write ? RIGHT_WRITE : RIGHT_READ, filter);
}

static void open_storage(struct scene *scene, bool still)
{
	char error[512] = "", path[160];
	struct option_line lines[] = {
		{"node", "node1"}, {"sync_ms", "10"}, {"journal_max", "16M"}, {"gauges_every", "0"}, {"state_dir", path}};

	snprintf(path, sizeof path, "%s/hearth", scene->folder);
	if (!options_read(lines, COUNT(lines), &scene->options, error))
		fail_msg("%s", error);
	scene->storage = storage_open(&scene->options, error, sizeof error);
	if (scene->storage == NULL)
		fail_msg("%s", error);
	if (!still)
		return;
	snprintf(path, sizeof path, "%s/still", scene->folder);
	scene->journal = journal_open(&(struct journal_options){.directory = path, .quota = 16 << 20}, error, sizeof error);
	if (scene->journal == NULL)
		fail_msg("%s", error);
}

void scene_make(struct scene *scene, bool still)
{
	const char *base = getenv("TMPDIR");

	memset(scene, 0, sizeof *scene);
	scene_slow(0);
	fake_broker_reset();
	snprintf(scene->folder, sizeof scene->folder, "%.80s/hearth_XXXXXX", base != NULL ? base : "/tmp");
	assert_non_null(mkdtemp(scene->folder));
	open_storage(scene, still);
	scene->intake = intake_new(&(struct intake_options){
		.broker = &fake_broker,
		.journal = still ? scene->journal : storage_journal(scene->storage),
		.options = &scene->options,
		.seed = 4711,
		.now = scene_now(scene),
	});
	assert_non_null(scene->intake);
	scene->hasher = hasher_start();
	assert_non_null(scene->hasher);
	scene->access = access_new(&(struct access_options){
		.broker = &fake_broker,
		.feed = intake_feed(scene->intake),
		.hasher = scene->hasher,
		.seed = 4711,
		.budget_percent = 5,
		.clock_us = monotonic_us,
	});
	assert_non_null(scene->access);
	restore_accounts(scene);
	intake_permit(scene->intake, &(struct catalog_permission){may, scene});
	scene->control = control_new(&(struct control_options){
		.broker = &fake_broker,
		.access = scene->access,
		.intake = scene->intake,
		.storage = scene->storage,
		.options = &scene->options,
		.each_metric = each_metric,
		.clock_us = scene_clock_us,
	});
	assert_non_null(scene->control);
	for (size_t i = 0; i < COUNT(people); i++)
		scene_connect(scene, people[i].user);
}

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(name);
}

void scene_remove(struct scene *scene)
{
	control_free(scene->control);
	access_free(scene->access);
	hasher_stop(scene->hasher);
	intake_free(scene->intake);
	if (scene->journal != NULL)
		journal_close(scene->journal);
	storage_close(scene->storage, 0);
	options_free(&scene->options);
	free(scene->text);
	assert_int_equal(nftw(scene->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	fake_broker_reset();
}

void scene_sync(struct scene *scene)
{
	char error[256] = "";
	if (!journal_sync(scene->journal, error, sizeof error))
		fail_msg("%s", error);
	if (!journal_sync(scene->journal, error, sizeof error)) /* and the mark that says so */
		fail_msg("%s", error);
}

void scene_tick(struct scene *scene)
{
	struct instant now = scene_now(scene);
	intake_tick(scene->intake, now);
	control_tick(scene->control, now);
	access_tick(scene->access, now);
}

/* ---- clients ---- */

const struct fake_client *scene_client(const char *user)
{
	for (size_t i = 0; i < COUNT(people); i++) {
		if (strcmp(people[i].user, user) == 0)
			return &people[i];
	}
	fail_msg("nobody is called %s", user);
	return NULL;
}

void scene_connect(struct scene *scene, const char *user)
{
	assert_int_equal(access_connect(scene->access, scene_client(user), user, NULL, scene_now(scene)), ACCESS_GRANTED);
}

void scene_publish(struct scene *scene, const char *user, const char *topic, const char *payload, bool retain)
{
	char text[4096];
	snprintf(text, sizeof text, "%s", payload);
	quote(text);
	struct message message = {slice_of(topic), slice_of(text), scene_client(user), retain};
	assert_int_equal(intake_message(scene->intake, &message, scene_now(scene)), INTAKE_PASS);
}

void scene_send(struct scene *scene, const char *user, struct slice payload)
{
	control_request(scene->control, scene_client(user), payload, scene_now(scene));
}

bool scene_answered(const struct scene *scene)
{
	return fake_responses() > scene->told;
}

const char *scene_answer(struct scene *scene)
{
	int64_t deadline_us = monotonic_us() + (int64_t)SCENE_PATIENCE_S * 1000000;

	while (!scene_answered(scene)) {
		if (monotonic_us() > deadline_us)
			fail_msg("no answer");
		poll(NULL, 0, 1); /* for the threads */
		scene_tick(scene);
	}
	return fake_response_at(scene->told++)->payload;
}

const char *scene_ask(struct scene *scene, const char *user, const char *command)
{
	size_t word = strcspn(command, " "), size = strlen(command) + 64;
	const char *rest = command[word] != '\0' ? command + word + 1 : "";
	char *request = malloc(size);

	assert_non_null(request);
	snprintf(request, size, "{'commands':[{'command':'%.*s'%s%s}]}", (int)word, command, *rest != '\0' ? "," : "",
	         rest);
	quote(request);
	scene_send(scene, user, slice_of(request));
	free(request);
	cJSON *answer = cJSON_Parse(scene_answer(scene));
	cJSON *response = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(answer, "responses"), 0);
	if (response == NULL)
		fail_msg("%s: no response", command);
	cJSON_DeleteItemFromObjectCaseSensitive(response, "command");
	free(scene->text);
	scene->text = cJSON_PrintUnformatted(response);
	cJSON_Delete(answer);
	return scene->text;
}

void scene_talk(struct scene *scene, const struct saying *sayings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char wanted[1024];
		snprintf(wanted, sizeof wanted, "%s", sayings[i].answer);
		quote(wanted);
		scene_ask(scene, sayings[i].user, sayings[i].command);
		quote(scene->text);
		if (strstr(scene->text, wanted) == NULL)
			fail_msg("%s says %s\n  answer: %s\n  wanted: %s", sayings[i].user, sayings[i].command, scene->text,
			         wanted);
		/* Who was dropped comes again, if there still is such an account. */
		const struct fake_client *client = scene_client(sayings[i].user);
		access_connect(scene->access, client, client->user, NULL, scene_now(scene));
	}
}

char *scene_accounts(const struct scene *scene)
{
	const struct account_table *table = access_accounts(scene->access);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (size_t i = 0; i < account_count(table); i++) {
		char *one = account_print(account_at(table, i), true);
		assert_non_null(one);
		fprintf(out, "%s\n", one);
		free(one);
	}
	fclose(out);
	return text;
}

bool scene_opens(const struct scene *scene, const char *user, const char *plain)
{
	struct password password;
	const struct account *account = account_find(access_accounts(scene->access), slice_of(user));
	assert_non_null(account);
	assert_true(password_read(account_password(account), &password));
	return password_verify(&password, slice_of(plain));
}
