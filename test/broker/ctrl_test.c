/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * `mosquitto_ctrl hearth …` as people and scripts use it: the real mosquitto_ctrl with our module, and a real broker.
 *
 * The module mosquitto_ctrl_hearth.so lies beside the plugin. mosquitto_ctrl has no terminal here, and its home is the house's folder.
 */
#include "accounts.h"
#include "client.h"
#include "house.h"
#include "patience.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WORDS_MAX 40
#define OUT_MAX   65536
#define ADMIN     "correct horse battery"

/* What the last run of mosquitto_ctrl said. */
static char out[OUT_MAX], err[OUT_MAX];

static void read_into(char text[static OUT_MAX], int file)
{
	ssize_t len = pread(file, text, OUT_MAX - 1, 0);

	assert_true(len >= 0);
	text[len] = '\0';
	close(file);
}

/* In the child. */
static void become(const struct house *house, const char *password, char **words, int to_out, int to_err)
{
	char folder[PATH_MAX];
	int nothing = open("/dev/null", O_RDONLY);
	const char *preload = getenv("HEARTH_PRELOAD");

	/* Without a terminal that passwords could be asked on. */
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(folder, sizeof folder, "%s", house_plugin());
	setenv("LD_LIBRARY_PATH", dirname(folder), 1);
	setenv("HOME", house->folder, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("HEARTH_PASSWORD");
	if (password)
		setenv("HEARTH_PASSWORD", password, 1);
	if (preload && *preload)
		setenv("LD_PRELOAD", preload, 1);
	/* What mosquitto_ctrl itself does not free is not ours. */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	if (chdir(house->folder) != 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(to_out, STDOUT_FILENO) < 0 ||
	    dup2(to_err, STDERR_FILENO) < 0)
		_exit(126);
	execvp(words[0], words);
	_exit(127);
}

/* Runs the words to their end in the house's folder; their exit code. */
static int run(const struct house *house, const char *password, char **words)
{
	int to_out = memfd_create("out", MFD_CLOEXEC), to_err = memfd_create("err", MFD_CLOEXEC), status = 0;
	pid_t pid;

	assert_true(to_out >= 0 && to_err >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		become(house, password, words, to_out, to_err);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	read_into(out, to_out);
	read_into(err, to_err);
	if (!WIFEXITED(status))
		fail_msg("%s ended with wait status %#x: %s", words[0], (unsigned)status, err);
	return WEXITSTATUS(status);
}

/* `mosquitto_ctrl BEFORE hearth -p PORT LINE`, the lines split at spaces. */
static int ctrl_with(const struct house *house, const char *before, const char *password, const char *line)
{
	char text[1024], port[16], *words[WORDS_MAX] = {"mosquitto_ctrl"}, *rest, *word, copy[256];
	int count = 1;

	snprintf(copy, sizeof copy, "%s", before);
	for (rest = copy; (word = strsep(&rest, " ")) != NULL;)
		if (*word)
			words[count++] = word;
	snprintf(port, sizeof port, "%d", house->port);
	words[count++] = "hearth";
	words[count++] = "-h";
	words[count++] = "127.0.0.1";
	words[count++] = "-p";
	words[count++] = port;
	assert_true(snprintf(text, sizeof text, "%s", line) < (int)sizeof text);
	for (rest = text; (word = strsep(&rest, " ")) != NULL;) {
		assert_true(count < WORDS_MAX - 1);
		if (*word)
			words[count++] = word;
	}
	return run(house, password, words);
}

static int ctrl(const struct house *house, const char *user, const char *password, const char *line)
{
	char before[64];

	snprintf(before, sizeof before, "-u %s", user);
	return ctrl_with(house, before, password, line);
}

/* As the administrator; it must end so. */
static void admin(const struct house *house, int status, const char *line)
{
	int got = ctrl(house, "admin", ADMIN, line);

	if (got != status)
		fail_msg("%s: exit code %d, wanted %d: %s%s", line, got, status, out, err);
	if (status != 0 && (strncmp(err, "hearth: ", 8) != 0 || strchr(err, '\n') != err + strlen(err) - 1))
		fail_msg("%s: wanted one line about what is wrong, found: %s", line, err);
}

static void expect_out(const char *text)
{
	if (!strstr(out, text))
		fail_msg("wanted \"%s\" in: %s", text, out);
}

static void expect_err(const char *text)
{
	if (!strstr(err, text))
		fail_msg("wanted \"%s\" in: %s", text, err);
}

/* A text of the answer that was printed with --json; valid until the next call. */
static const char *json_text(const char *key)
{
	static char text[256];
	cJSON *answer = cJSON_Parse(out);
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(answer, key);

	if (!cJSON_IsString(item))
		fail_msg("wanted \"%s\" in: %s", key, out);
	snprintf(text, sizeof text, "%s", item->valuestring);
	cJSON_Delete(answer);
	return text;
}

static void write_file(const struct house *house, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", house->folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void init(const struct house *house)
{
	char line[128];

	write_file(house, "admin.password", ADMIN "\n");
	snprintf(line, sizeof line, "init --state-dir %s/hearth --password-file admin.password", house->folder);
	if (ctrl(house, "admin", NULL, line) != 0)
		fail_msg("init: %s", err);
	assert_null(strstr(out, ADMIN));
}

/* A house with an administrator, that runs. */
static struct house *new_house(void)
{
	struct house *house = house_new();

	init(house);
	house_start(house);
	return house;
}

/* ---- init ---- */

static void init_makes_an_administrator_and_resets_a_lost_password(void **state)
{
	struct house *house = house_new();
	char line[128], password[64];

	(void)state;
	snprintf(line, sizeof line, "init --state-dir %s/hearth --generate --json", house->folder);
	assert_int_equal(ctrl(house, "admin", NULL, line), 0);
	snprintf(password, sizeof password, "%s", json_text("password"));
	house_start(house);
	assert_int_equal(ctrl(house, "admin", password, "whoami"), 0);
	expect_out("admin");
	assert_int_equal(ctrl(house, "admin", "wrong password", "whoami"), 3);
	expect_err("refused to sign in admin");
	/* A broker that runs is not disturbed. */
	assert_int_equal(ctrl(house, "admin", NULL, line), 5);
	assert_int_equal(ctrl(house, "admin", password, "whoami"), 0);
	house_stop(house);
	init(house);
	expect_out("has a new password");
	house_start(house);
	assert_int_equal(ctrl(house, "admin", password, "whoami"), 3);
	admin(house, 0, "whoami");
	house_free(house);
}

static void init_leaves_other_accounts_alone(void **state)
{
	struct house *house = new_house();
	char line[128];

	(void)state;
	write_file(house, "anna.password", "a password of hers\n");
	admin(house, 0, "account add anna --new-password-file anna.password");
	house_stop(house);
	init(house);
	snprintf(line, sizeof line, "init --state-dir %s/hearth --username anna --generate", house->folder);
	assert_int_equal(ctrl(house, "admin", NULL, line), 2);
	expect_err("anna is a resident");
	house_start(house);
	assert_int_equal(ctrl(house, "anna", "a password of hers", "whoami"), 0);
	house_free(house);
}

/* ---- the exit codes ---- */

static void exit_codes_say_what_is_wrong(void **state)
{
	struct house *house = house_new();

	(void)state;
	assert_int_equal(ctrl(house, "admin", ADMIN, "whoami"), 3);
	assert_int_equal(ctrl(house, "admin", ADMIN, "acount list"), 2);
	expect_err("is \"account list\" meant?");
	assert_int_equal(ctrl(house, "admin", NULL, "whoami"), 2);
	expect_err("no password for admin");
	assert_int_equal(ctrl(house, "admin", NULL, "whoami --password-file missing"), 5);
	/* With no account nobody is answered. */
	house_start(house);
	assert_int_equal(ctrl(house, "admin", ADMIN, "whoami --timeout 1"), 4);
	house_stop(house);
	init(house);
	house_start(house);
	admin(house, 1, "account show nobody");
	admin(house, 5, "restore missing");
	admin(house, 5, "backup missing/file");
	admin(house, 0, "help");
	expect_out("Exit codes");
	admin(house, 0, "account add --help");
	expect_out("Example:");
	house_free(house);
}

static void the_connection_is_as_mosquitto_ctrl_was_told(void **state)
{
	struct house *house = new_house();
	char text[96];

	(void)state;
	assert_int_equal(ctrl_with(house, "-V mqttv311 -u admin -P correct", NULL, "whoami"), 3);
	assert_int_equal(ctrl_with(house, "-V mqttv311 -u admin", ADMIN, "whoami"), 0);
	assert_int_equal(ctrl_with(house, "-u nobody", ADMIN, "-u admin whoami"), 0);
	assert_int_equal(ctrl_with(house, "-u admin", NULL, "--password-file admin.password whoami --json"), 0);
	assert_string_equal(json_text("username"), "admin");
	/* The configuration file that mosquitto_ctrl reads. */
	snprintf(text, sizeof text, "%s/.config", house->folder);
	assert_int_equal(mkdir(text, 0700), 0);
	write_file(house, ".config/mosquitto_ctrl", "-u admin\n-i desk\n");
	assert_int_equal(ctrl_with(house, "", ADMIN, "session list"), 0);
	expect_out("desk");
	house_free(house);
}

/* ---- accounts ---- */

static void accounts_live_and_end(void **state)
{
	struct house *house = new_house();
	struct client *anna;

	(void)state;
	write_file(house, "first", "the first password\n");
	write_file(house, "second", "the second password\n");
	admin(house, 0, "account add anna --role manager --location livingroom --new-password-file first");
	admin(house, 1, "account add anna --new-password-file first");
	admin(house, 0, "account list");
	expect_out("username  role");
	expect_out("anna      manager");
	admin(house, 0, "account show anna");
	expect_out("livingroom");
	assert_null(strstr(out, "$7$"));

	assert_int_equal(ctrl(house, "anna", "the first password", "account list"), 1);
	assert_int_equal(ctrl(house, "anna", "the first password", "account password --new-password-file second"), 0);
	assert_int_equal(ctrl(house, "anna", "the first password", "whoami"), 3);
	assert_int_equal(ctrl(house, "anna", "the second password", "whoami"), 0);
	admin(house, 0, "account password anna --new-password-file first");

	admin(house, 0, "account modify anna --role resident --location=");
	admin(house, 0, "account show anna");
	expect_out("resident");
	assert_null(strstr(out, "livingroom"));

	admin(house, 0, "account disable anna");
	assert_int_equal(ctrl(house, "anna", "the first password", "whoami"), 3);
	admin(house, 0, "account enable anna");
	anna = accounts_sign_in(house, CLIENT_V3, "anna", "the first password");
	assert_non_null(anna);
	client_free(anna);
	admin(house, 0, "account remove anna");
	admin(house, 1, "account remove anna");
	assert_null(accounts_sign_in(house, CLIENT_V3, "anna", "the first password"));

	admin(house, 0, "account add bob --generate --json");
	client_free(accounts_sign_in(house, CLIENT_V3, "bob", json_text("password")));
	house_free(house);
}

static void grants_are_added_checked_and_removed(void **state)
{
	struct house *house = new_house();

	(void)state;
	admin(house, 0, "account add node --role service --no-password");
	admin(house, 0, "check --account node read hall/pir/motion/value");
	expect_out("allowed     no");
	admin(house, 0, "grant add node allow read hall/#");
	admin(house, 0, "grant add node deny all hall/door1/#");
	admin(house, 0, "check --account node read hall/pir/motion/value");
	expect_out("allowed     yes");
	expect_out("hall/#");
	admin(house, 0, "check --account node read hall/door1/door/state");
	expect_out("allowed     no");
	admin(house, 0, "account show node");
	expect_out("allow  deny  topic");
	admin(house, 0, "grant remove node allow read hall/#");
	admin(house, 1, "grant remove node allow read hall/#");
	house_free(house);
}

static void a_password_file_is_imported(void **state)
{
	struct house *house = new_house();
	char *first[] = {"mosquitto_passwd", "-c", "-b", "passwd", "old1", "an old password", NULL};
	char *second[] = {"mosquitto_passwd", "-b", "passwd", "old2", "another password", NULL};

	(void)state;
	assert_int_equal(run(house, NULL, first), 0);
	assert_int_equal(run(house, NULL, second), 0);
	admin(house, 0, "import passwd --role guest --json");
	assert_int_equal(ctrl(house, "old1", "an old password", "whoami --json"), 0);
	assert_string_equal(json_text("role"), "guest");
	assert_int_equal(ctrl(house, "old2", "another password", "whoami"), 0);
	write_file(house, "broken", "# a comment\n\nanna:no hash\n");
	admin(house, 1, "import broken");
	house_free(house);
}

/* ---- devices, values, configs ---- */

static void a_device_gets_a_secret_and_a_name(void **state)
{
	struct house *house = new_house();
	struct client *device;
	char secret[64];

	(void)state;
	admin(house, 0, "device add 거실 uno1 --json");
	snprintf(secret, sizeof secret, "%s", json_text("secret"));
	device = accounts_sign_in(house, CLIENT_V3, "거실/uno1", secret);
	assert_non_null(device);
	client_publish(device, "거실/uno1/temperature/value", "23.5");
	admin(house, 0, "device list");
	expect_out("거실      uno1");
	admin(house, 0, "latest");
	expect_out("거실/uno1/temperature/value");
	expect_out("23.5");
	admin(house, 0, "latest 거실/uno1/temperature/value --json");
	admin(house, 0, "series 거실/#");
	expect_out("거실/uno1/temperature/value");
	admin(house, 0, "session list");
	expect_out("거실/uno1");
	client_free(device);

	admin(house, 0, "device secret 거실 uno1 --json");
	assert_null(accounts_sign_in(house, CLIENT_V3, "거실/uno1", secret));
	snprintf(secret, sizeof secret, "%s", json_text("secret"));
	admin(house, 0, "device rename 거실 uno1 kitchen uno2");
	assert_null(accounts_sign_in(house, CLIENT_V3, "거실/uno1", secret));
	device = accounts_sign_in(house, CLIENT_V3, "kitchen/uno2", secret);
	assert_non_null(device);
	client_free(device);
	admin(house, 0, "device remove kitchen uno2");
	assert_null(accounts_sign_in(house, CLIENT_V3, "kitchen/uno2", secret));
	house_free(house);
}

static void a_history_is_a_table(void **state)
{
	struct house *house = new_house();
	struct client *client = accounts_sign_in(house, CLIENT_V3, "admin", ADMIN);
	int64_t deadline = deadline_in(SOON);

	(void)state;
	assert_non_null(client);
	client_publish(client, "hall/uno1/light/value", "417");
	do {
		look_again();
		admin(house, 0, "history hall/uno1/light/value --from 1h");
	} while (!strstr(out, "417") && now_ms() < deadline);
	expect_out("time");
	expect_out("417");
	admin(house, 0, "history hall/uno1/light/value --from 1h --buckets 6");
	expect_out("avg");
	expect_out("417");
	admin(house, 2, "history hall/uno1/light/value --from yesterday");
	client_free(client);
	house_free(house);
}

static void configs_are_set_shown_and_removed(void **state)
{
	struct house *house = new_house();

	(void)state;
	admin(house, 0, "config set hall/uno1/light/config {\"min\":0,\"max\":1000}");
	admin(house, 0, "config show hall/uno1/light/config");
	expect_out("\"max\":\t1000");
	admin(house, 0, "config list");
	expect_out("hall/uno1/light/config  admin");
	write_file(house, "config.json", "{\"max\": 500}\n");
	admin(house, 0, "config set hall/uno1/light/config config.json");
	admin(house, 1, "config set hall/uno1/light/config {\"max\":\"hot\"}");
	admin(house, 0, "config show hall/uno1/light/config");
	expect_out("500");
	admin(house, 0, "config remove hall/uno1/light/config");
	admin(house, 1, "config show hall/uno1/light/config");
	house_free(house);
}

/* ---- the whole ---- */

static void sessions_are_dropped(void **state)
{
	struct house *house = new_house();
	struct client *client = accounts_sign_in(house, CLIENT_V3, "admin", ADMIN);
	char line[96];

	(void)state;
	assert_non_null(client);
	admin(house, 0, "session list");
	expect_out(client->id);
	snprintf(line, sizeof line, "session drop %s", client->id);
	admin(house, 0, line);
	admin(house, 1, "session drop nobody");
	client_free(client);
	house_free(house);
}

static void a_backup_brings_back_what_was(void **state)
{
	struct house *house = new_house();
	char path[128];
	struct stat file;

	(void)state;
	write_file(house, "password", "a password of hers\n");
	admin(house, 0, "account add anna --new-password-file password");
	admin(house, 0, "config set hall/uno1/light/config {\"max\":1000}");
	admin(house, 0, "backup backup.json");
	snprintf(path, sizeof path, "%s/backup.json", house->folder);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0600);
	admin(house, 0, "account remove anna");
	admin(house, 0, "config remove hall/uno1/light/config");
	admin(house, 0, "restore backup.json");
	assert_int_equal(ctrl(house, "anna", "a password of hers", "whoami"), 0);
	admin(house, 0, "config show hall/uno1/light/config");
	write_file(house, "backup.json", "{\"version\":1}");
	admin(house, 5, "restore backup.json");
	house_free(house);
}

static void the_house_tells_how_it_is(void **state)
{
	struct house *house = new_house();

	(void)state;
	admin(house, 0, "metrics");
	expect_out("readings/received");
	admin(house, 0, "journal");
	expect_out("quota");
	admin(house, 0, "migrate status");
	expect_out("none");
	admin(house, 1, "migrate stop");
	admin(house, 1, "migrate --to nonsense");
	admin(house, 2, "migrate");
	house_free(house);
}

static void bash_completes(void **state)
{
	struct house *house = house_new();
	char *words[] = {"bash", "-c",
	                 "source <(mosquitto_ctrl hearth completion bash) && "
	                 "COMP_WORDS=(mosquitto_ctrl -p 1883 hearth account pass) COMP_CWORD=5 && "
	                 "_mosquitto_ctrl_hearth mosquitto_ctrl && echo \"${COMPREPLY[@]}\"",
	                 NULL};

	(void)state;
	assert_int_equal(run(house, NULL, words), 0);
	assert_string_equal(out, "password\n");
	assert_string_equal(err, "");
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(init_makes_an_administrator_and_resets_a_lost_password, client_teardown),
		cmocka_unit_test_teardown(init_leaves_other_accounts_alone, client_teardown),
		cmocka_unit_test_teardown(exit_codes_say_what_is_wrong, client_teardown),
		cmocka_unit_test_teardown(the_connection_is_as_mosquitto_ctrl_was_told, client_teardown),
		cmocka_unit_test_teardown(accounts_live_and_end, client_teardown),
		cmocka_unit_test_teardown(grants_are_added_checked_and_removed, client_teardown),
		cmocka_unit_test_teardown(a_password_file_is_imported, client_teardown),
		cmocka_unit_test_teardown(a_device_gets_a_secret_and_a_name, client_teardown),
		cmocka_unit_test_teardown(a_history_is_a_table, client_teardown),
		cmocka_unit_test_teardown(configs_are_set_shown_and_removed, client_teardown),
		cmocka_unit_test_teardown(sessions_are_dropped, client_teardown),
		cmocka_unit_test_teardown(a_backup_brings_back_what_was, client_teardown),
		cmocka_unit_test_teardown(the_house_tells_how_it_is, client_teardown),
		cmocka_unit_test_teardown(bash_completes, client_teardown),
	};

	return cmocka_run_group_tests_name("ctrl", tests, NULL, NULL);
}
