/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * provision: makes a board a device of this house, over its USB console (../console.h): types settings, saves them, and waits until the
 * device says that it is online, or why it is not.
 *
 * What goes on is told on stderr, the outcome in stdout's one line. No secret is printed, nor taken from an argument.
 */
#include "secret.h"
#include "serial.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COMMAND_MAX  256
#define SETTINGS_MAX 64
#define ANSWER_MS    1000
#define SAVE_MS      10000 /* the EEPROM takes 3.4 ms a byte */
#define STATUS_MS    1000
#define LINK         "link: "
#define TROUBLE      "trouble: "
#define ENV_WIFI_KEY "HEARTH_WIFI_KEY"
#define ENV_SECRET   "HEARTH_DEVICE_SECRET"

static const char usage[] =
	"provision --port /dev/ttyUSB0 [--ssid NAME] [--broker HOST] [--location L] [--device D] [NAME=VALUE…]\n"
	"\n"
	"Sets up a Hearth device over its USB cable, and waits until it is online.\n"
	"\n"
	"  --port PATH         the serial port; opening it resets most boards\n"
	"  --ssid NAME         the WiFi network; its key is in HEARTH_WIFI_KEY (empty: none), or is asked for\n"
	"  --broker HOST       the broker's address or name\n"
	"  --port-number N     the broker's port (a new device has 1883)\n"
	"  --location L        where the device is: the first level of its topics\n"
	"  --device D          its name: the second level\n"
	"  --secret-stdin      the device's secret is in what comes on standard input, as from\n"
	"                      mosquitto_ctrl hearth device add LOCATION DEVICE; else it is in HEARTH_DEVICE_SECRET,\n"
	"                      or is asked for when --device is given (empty: it stays)\n"
	"  --start SECONDS     how long to wait for the device's console (10)\n"
	"  --wait SECONDS      how long to wait until it is online (60; 0: not at all)\n"
	"  --help              this\n"
	"\n"
	"NAME=VALUE is any other setting that the console's `show` lists, such as period_s=60.\n"
	"What is not given stays as it is on the device.\n";

struct setting {
	const char *name;
	const char *value;
};

struct plan {
	const char *port;
	int start_s, wait_s;
	bool secret_stdin;
	const char *ssid, *device;
	size_t count;
	struct setting settings[SETTINGS_MAX];
	char key[SECRET_MAX], secret[SECRET_MAX];
};

/* ---- what is wanted ---- */

static bool plan_add(struct plan *plan, const char *name, const char *value)
{
	if (plan->count == SETTINGS_MAX) {
		fprintf(stderr, "provision: more than %d settings\n", SETTINGS_MAX);
		return false;
	}
	/* A CR would end the line, and what is behind it would be a command. */
	for (const char *at = value; *at; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7F) {
			fprintf(stderr, "provision: %s has a control character\n", name);
			return false;
		}
	}
	plan->settings[plan->count++] = (struct setting){name, value};
	return true;
}

static bool plan_seconds(const char *option, const char *text, int *seconds)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || number < 0 || number > 3600) {
		fprintf(stderr, "provision: --%s: wanted 0 to 3600 seconds\n", option);
		return false;
	}
	*seconds = (int)number;
	return true;
}

/* NAME=VALUE */
static bool plan_argument(struct plan *plan, char *argument)
{
	char *equals = strchr(argument, '=');

	if (!equals || equals == argument || strcspn(argument, " ") < (size_t)(equals - argument)) {
		fputs("provision: wanted NAME=VALUE behind the options; see --help\n", stderr);
		return false;
	}
	*equals = '\0';
	if (strcmp(argument, "key") == 0 || strcmp(argument, "secret") == 0) {
		fprintf(stderr,
		        "provision: %s is no argument, for others can read arguments: wanted " ENV_WIFI_KEY ", " ENV_SECRET
		        " or --secret-stdin\n",
		        argument);
		return false;
	}
	return plan_add(plan, argument, equals + 1);
}

static bool plan_arguments(struct plan *plan, int argc, char **argv)
{
	enum { PORT = 256, SSID, BROKER, PORT_NUMBER, LOCATION, DEVICE, SECRET_STDIN, START, WAIT, HELP };
	static const struct option options[] = {
		{"port", required_argument, NULL, PORT},
		{"ssid", required_argument, NULL, SSID},
		{"broker", required_argument, NULL, BROKER},
		{"port-number", required_argument, NULL, PORT_NUMBER},
		{"location", required_argument, NULL, LOCATION},
		{"device", required_argument, NULL, DEVICE},
		{"secret-stdin", no_argument, NULL, SECRET_STDIN},
		{"start", required_argument, NULL, START},
		{"wait", required_argument, NULL, WAIT},
		{"help", no_argument, NULL, HELP},
		{0},
	};
	bool fine = true;
	int option;

	while (fine && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case PORT:
			plan->port = optarg;
			break;
		case SSID:
			plan->ssid = optarg;
			fine = plan_add(plan, "ssid", optarg);
			break;
		case BROKER:
			fine = plan_add(plan, "broker", optarg);
			break;
		case PORT_NUMBER:
			fine = plan_add(plan, "port", optarg);
			break;
		case LOCATION:
			fine = plan_add(plan, "location", optarg);
			break;
		case DEVICE:
			plan->device = optarg;
			fine = plan_add(plan, "device", optarg);
			break;
		case SECRET_STDIN:
			plan->secret_stdin = true;
			break;
		case START:
			fine = plan_seconds("start", optarg, &plan->start_s);
			break;
		case WAIT:
			fine = plan_seconds("wait", optarg, &plan->wait_s);
			break;
		case HELP:
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			fine = false;
		}
	}
	while (fine && optind < argc)
		fine = plan_argument(plan, argv[optind++]);
	if (fine && !plan->port)
		fputs("provision: wanted --port, such as /dev/ttyUSB0 or /dev/ttyACM0; see --help\n", stderr);
	return fine && plan->port;
}

static bool plan_secrets(struct plan *plan)
{
	bool key = secret_from_environment(ENV_WIFI_KEY, plan->key);
	bool secret = secret_from_environment(ENV_SECRET, plan->secret);

	if (plan->secret_stdin)
		secret = secret_find(stdin, plan->secret);
	if (plan->secret_stdin && !secret)
		return false;
	if (plan->ssid && !key && !(key = secret_ask("WiFi key (empty: an open network)", plan->key))) {
		fputs("provision: no WiFi key: wanted " ENV_WIFI_KEY " (empty: an open network), or a terminal to ask on\n",
		      stderr);
		return false;
	}
	if (plan->device && !secret) {
		if (!secret_ask("The device's secret (empty: it stays)", plan->secret)) {
			fputs("provision: no secret: wanted --secret-stdin, " ENV_SECRET ", or a terminal to ask on\n", stderr);
			return false;
		}
		secret = plan->secret[0] != '\0';
	}
	return (!key || plan_add(plan, "key", plan->key)) && (!secret || plan_add(plan, "secret", plan->secret));
}

/* ---- the device ---- */

static int fail_port(const struct serial *serial)
{
	if (serial->gone)
		fputs("provision: the port is gone: was the board unplugged?\n", stderr);
	else if (serial->received > 0)
		fputs("provision: the device sends something, but not as Hearth's: is another program flashed? (make flash)\n",
		      stderr);
	else
		fputs("provision: nothing comes from the device: is Hearth's firmware on it (make flash), is it this port,\n"
		      "provision: is the cable one with data wires, does another program have the port open?\n",
		      stderr);
	puts("provision: failed: no console");
	return EXIT_FAILURE;
}

static bool send_setting(struct serial *serial, const struct setting *setting)
{
	char command[COMMAND_MAX];
	enum serial_answer answer;
	int length = snprintf(command, sizeof command, "set %s %s", setting->name, setting->value);

	if (length < 0 || (size_t)length >= sizeof command) {
		printf("provision: failed: %s is too long\n", setting->name);
		return false;
	}
	answer = serial_command(serial, command, ANSWER_MS, NULL, NULL);
	explicit_bzero(command, sizeof command);
	if (answer == SERIAL_ERROR)
		printf("provision: failed: %s: the device says: %s\n", setting->name,
		       serial->line + sizeof SERIAL_ERROR_TEXT - 1);
	else if (answer == SERIAL_NONE)
		printf("provision: failed: %s: the device did not answer\n", setting->name);
	else
		fprintf(stderr, "provision: %s is set\n", setting->name);
	return answer == SERIAL_OK;
}

struct status {
	char link[SERIAL_LINE_MAX], trouble[SERIAL_LINE_MAX];
};

static void hear_status(void *context, const char *line)
{
	struct status *status = context;

	if (strncmp(line, LINK, sizeof LINK - 1) == 0)
		snprintf(status->link, sizeof status->link, "%s", line + sizeof LINK - 1);
	else if (strncmp(line, TROUBLE, sizeof TROUBLE - 1) == 0)
		snprintf(status->trouble, sizeof status->trouble, "%s", line + sizeof TROUBLE - 1);
}

/* Not everything with a prompt is Hearth's, and nothing else is to get a secret. */
static bool is_hearth(struct serial *serial)
{
	struct status status = {"", ""};

	return serial_command(serial, "status", ANSWER_MS, hear_status, &status) == SERIAL_OK && status.link[0] != '\0';
}

/* Asks every second; tells what is new. True: online. */
static bool wait_online(struct serial *serial, int seconds)
{
	int64_t deadline = serial_now() + (int64_t)seconds * 1000;
	struct status told = {"", ""}, now = {"nothing", ""};

	while (!serial->gone && serial_now() < deadline) {
		struct status asked = {"", ""};

		if (serial_command(serial, "status", ANSWER_MS, hear_status, &asked) == SERIAL_OK && asked.link[0])
			now = asked;
		if (strcmp(now.link, "online") == 0)
			return true;
		if (strcmp(now.link, told.link) != 0 || strcmp(now.trouble, told.trouble) != 0)
			fprintf(stderr, "provision: %s%s%s\n", now.link, now.trouble[0] ? ": " : "", now.trouble);
		told = now;
		nanosleep(&(struct timespec){.tv_sec = STATUS_MS / 1000}, NULL);
	}
	if (serial->gone)
		puts("provision: failed: saved, but the port is gone");
	else
		printf("provision: failed: saved, but not online after %d s: %s%s%s\n", seconds, now.link,
		       now.trouble[0] ? "; the last attempt: " : "", now.trouble);
	return false;
}

static int run(const struct plan *plan, struct serial *serial)
{
	char banner[SERIAL_LINE_MAX];

	fputs("provision: waiting for the device\n", stderr);
	if (!serial_wait_prompt(serial, banner, serial_now() + (int64_t)plan->start_s * 1000))
		return fail_port(serial);
	if (!is_hearth(serial))
		return fail_port(serial);
	if (banner[0])
		fprintf(stderr, "provision: %s\n", banner);
	for (size_t i = 0; i < plan->count; i++)
		if (!send_setting(serial, &plan->settings[i]))
			return EXIT_FAILURE;
	if (serial_command(serial, "save", SAVE_MS, NULL, NULL) != SERIAL_OK) {
		puts("provision: failed: the device did not save");
		return EXIT_FAILURE;
	}
	if (plan->wait_s == 0) {
		puts("provision: done: saved");
		return EXIT_SUCCESS;
	}
	if (!wait_online(serial, plan->wait_s))
		return EXIT_FAILURE;
	puts("provision: done: the device is online");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct plan plan = {.start_s = 10, .wait_s = 60};
	struct serial serial = {.fd = -1};
	int status = EXIT_FAILURE;

	if (plan_arguments(&plan, argc, argv) && plan_secrets(&plan) && serial_open(&serial, plan.port)) {
		status = run(&plan, &serial);
		serial_close(&serial);
	}
	explicit_bzero(plan.key, sizeof plan.key);
	explicit_bzero(plan.secret, sizeof plan.secret);
	return status;
}
