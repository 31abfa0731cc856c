/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rig: arguments, putting the parts together, and the loop. See rig.h.
 */
#include "rig.h"

#include "events.h"
#include "script.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The EEPROM's file is looked after ten times a second. */
#define SAVE_EACH (100000 / PACE_SLICE_US)

struct arguments {
	const char *elf, *symbols, *eeprom, *ssid, *key, *pty;
	bool is_virtual, trace, stats;
	unsigned seed;
};

static struct rig rig;
static volatile sig_atomic_t terminated;

static void terminate(int signal)
{
	(void)signal;
	terminated = 1;
}

static uint64_t now_us(void)
{
	return board_us(rig.board);
}

/* Returns −1, or the status to exit with. */
static int parse(struct arguments *to, int argc, char *argv[])
{
	enum { ELF, SYMBOLS, EEPROM, SSID, KEY, PTY, VIRTUAL, TRACE, STATS, SEED, HELP };
	static const struct option options[] = {
		{"elf", required_argument, NULL, ELF},       {"symbols", required_argument, NULL, SYMBOLS},
		{"eeprom", required_argument, NULL, EEPROM}, {"ssid", required_argument, NULL, SSID},
		{"key", required_argument, NULL, KEY},       {"pty", required_argument, NULL, PTY},
		{"virtual", no_argument, NULL, VIRTUAL},     {"trace", no_argument, NULL, TRACE},
		{"stats", no_argument, NULL, STATS},         {"seed", required_argument, NULL, SEED},
		{"help", no_argument, NULL, HELP},           {NULL, 0, NULL, 0},
	};
	const char **const texts[] = {
		[ELF] = &to->elf,   [SYMBOLS] = &to->symbols, [EEPROM] = &to->eeprom,
		[SSID] = &to->ssid, [KEY] = &to->key,         [PTY] = &to->pty,
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case VIRTUAL:
			to->is_virtual = true;
			break;
		case TRACE:
			to->trace = true;
			break;
		case STATS:
			to->stats = true;
			break;
		case SEED:
			to->seed = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case HELP:
			fputs(rig_help, stdout);
			return 0;
		case '?':
			return 2;
		default:
			*texts[option] = optarg;
		}
	}
	if (to->elf && optind == argc)
		return -1;
	fputs("rig: --elf FILE is wanted; --help tells the rest\n", stderr);
	return 2;
}

static bool build(const struct arguments *arguments)
{
	rig.board = board_new(arguments->elf);
	if (!rig.board)
		return false;
	events_begin(stdout, now_us);
	rig.module = wizfi250_new(arguments->ssid, arguments->key);
	rig.memory = memory_new(rig.board, arguments->symbols);
	rig.eeprom = eeprom_new(rig.board, arguments->eeprom);
	rig.console = console_new(rig.board, arguments->pty);
	rig.dht = dht_new(rig.board);
	rig.sensors = sensors_new(rig.board);
	rig.observers = observers_new(rig.board);
	if (!rig.module || !rig.memory || !rig.eeprom || !rig.console || !rig.dht || !rig.sensors || !rig.observers)
		return false;
	rig.bus = bus_new(rig.board, rig.module);
	wizfi250_trace(rig.module, arguments->trace);
	pace_init(&rig.pace, arguments->is_virtual);
	return rig.bus;
}

static void take_apart(void)
{
	bus_free(rig.bus);
	observers_free(rig.observers);
	sensors_free(rig.sensors);
	dht_free(rig.dht);
	console_free(rig.console);
	eeprom_free(rig.eeprom);
	memory_free(rig.memory);
	wizfi250_free(rig.module);
	board_free(rig.board);
}

static void run_slice(void)
{
	static unsigned slices;
	uint64_t until = board_avr(rig.board)->cycle + BOARD_CYCLES(PACE_SLICE_US);

	if (rig.run_until && until > rig.run_until)
		until = rig.run_until;
	board_run(rig.board, until);
	bus_poll(rig.bus);
	console_poll(rig.console);
	if (++slices % SAVE_EACH == 0)
		eeprom_save(rig.eeprom);
	pace_wait(&rig.pace, board_us(rig.board), socket_awaited(wizfi250_socket(rig.module)));
}

static void end_run(void)
{
	const uint64_t gap = socket_longest_gap(wizfi250_socket(rig.module), board_us(rig.board));

	rig.run_until = 0;
	events_tell("keepalive %llu.%06llu", (unsigned long long)(gap / 1000000), (unsigned long long)(gap % 1000000));
	events_tell("ran");
}

static void loop(void)
{
	while (!rig.quit && !terminated && !ferror(stdout)) {
		script_poll(&rig);
		if (rig.quit)
			break;
		if (rig.pace.is_virtual && !rig.run_until) {
			script_wait(100);
			continue;
		}
		run_slice();
		if (rig.run_until && board_avr(rig.board)->cycle >= rig.run_until)
			end_run();
	}
}

int main(int argc, char *argv[])
{
	struct arguments arguments = {.seed = (unsigned)time(NULL) ^ (unsigned)getpid()};
	const struct sigaction on_terminate = {.sa_handler = terminate};
	int status = parse(&arguments, argc, argv);

	if (status >= 0)
		return status;
	status = 1;
	srandom(arguments.seed);
	sigaction(SIGTERM, &on_terminate, NULL);
	sigaction(SIGINT, &on_terminate, NULL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (build(&arguments)) {
		board_power(rig.board, true);
		loop();
		if (arguments.stats)
			events_tell("stats core %.4f", (double)pace_share(&rig.pace) / 1e6);
		status = 0;
	}
	take_apart();
	return status;
}
