/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rooms: a house to try Hearth with: three rooms, in each a simulated board that runs the real firmware, and the weather outside. What
 * rules do about it is the broker's business; here is only the world that they act on.
 *
 *   day ──→ room ──→ board (a rig each) ──→ broker           weather ──→ broker
 *            ↑_________│ fan, lamp, window
 *
 * One thread: it waits for what the boards tell, for the control pipe, and for the next step, four a second. What happens is told on
 * stdout, a line each; and every hour of the house how things are.
 */
#include "clock.h"
#include "control.h"
#include "place.h"
#include "weather.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define STEP_S      0.25
#define DAY_SECONDS 360
#define FIRST_HOUR  17

static const char usage[] =
	"rooms --rig FILE --elf FILE --folder FOLDER --port PORT [--hour 0…24] [--day SECONDS]\n"
	"\n"
	"  --rig, --elf   the board's simulation and its firmware (build/test/sim/rig, build/firmware/hearth.elf)\n"
	"  --folder       LOCATION.eeprom and LOCATION.secret of each board, rooms.password, rooms.control\n"
	"  --port         the broker's, on this machine\n"
	"  --hour         what time it is at the start (17)\n"
	"  --day          how many seconds a day takes (360)\n";

static struct place places[PLACE_COUNT] = {
	{
		.location = "livingroom",
		.device = "uno1",
		.build = {.leak = 0.25, .window = 1.5, .fan = 1, .sun_heat = 1.5, .people = 0.3, .moisture = 45, .light = 900},
	},
	{
		.location = "bedroom",
		.device = "uno2",
		.build = {.leak = 0.2, .window = 1, .fan = 0.8, .sun_heat = 0.8, .people = 0.1, .moisture = 30, .light = 650},
	},
	{
		.location = "hall",
		.device = "uno3",
		.build = {.leak = 0.35, .fan = 0.8, .sun_heat = 0.3, .people = 0.1, .moisture = 15, .light = 350},
	},
};

struct arguments {
	struct place_files files;
	int port;
	double hour, day_seconds;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static bool parse_number(const char *name, const char *text, double least, double most, double *number)
{
	char *end;

	*number = strtod(text, &end);
	if (end != text && *end == '\0' && *number >= least && *number <= most)
		return true;
	fprintf(stderr, "rooms: --%s %s: wanted %g to %g\n", name, text, least, most);
	return false;
}

static bool parse(struct arguments *to, int argc, char *argv[])
{
	enum { RIG, ELF, FOLDER, PORT, HOUR, DAY, HELP };
	static const struct option options[] = {
		{"rig", required_argument, NULL, RIG},       {"elf", required_argument, NULL, ELF},
		{"folder", required_argument, NULL, FOLDER}, {"port", required_argument, NULL, PORT},
		{"hour", required_argument, NULL, HOUR},     {"day", required_argument, NULL, DAY},
		{"help", no_argument, NULL, HELP},           {NULL, 0, NULL, 0},
	};
	const char **const texts[] = {[RIG] = &to->files.rig, [ELF] = &to->files.elf, [FOLDER] = &to->files.folder};
	double port = 0;
	bool fine = true;
	int option;

	while (fine && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case RIG:
		case ELF:
		case FOLDER:
			*texts[option] = optarg;
			break;
		case PORT:
			fine = parse_number("port", optarg, 1, 65535, &port);
			break;
		case HOUR:
			fine = parse_number("hour", optarg, 0, 24, &to->hour);
			break;
		case DAY:
			fine = parse_number("day", optarg, 10, 86400, &to->day_seconds);
			break;
		case HELP:
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			fine = false;
		}
	}
	to->port = (int)port;
	if (fine && to->files.rig && to->files.elf && to->files.folder && to->port && optind == argc)
		return true;
	fputs(usage, stderr);
	return false;
}

/* ---- what people do ---- */

static struct place *find_place(const char *location)
{
	for (int i = 0; i < PLACE_COUNT; i++)
		if (strcmp(places[i].location, location) == 0)
			return &places[i];
	return NULL;
}

static void obey(void *context, const char *line)
{
	struct control_command command;
	const char *wanted = control_parse(line, &command);
	struct place *place = wanted ? NULL : find_place(command.location);

	(void)context;
	if (!place) {
		clock_say("not understood; wanted %s", wanted ? wanted : "livingroom, bedroom or hall");
		return;
	}
	switch (command.verb) {
	case CONTROL_FIRE:
		place_fire(place, command.number);
		break;
	case CONTROL_WIFI:
		place_wifi(place, command.on);
		break;
	case CONTROL_TEMPERATURE:
		place_temperature(place, command.number, command.is_change);
		break;
	}
}

/* ---- the world goes on ---- */

static void say_how_it_is(const struct outdoor *outdoor, double hour)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	if (!to)
		return;
	fprintf(to, "outdoor %.1f °C %.0f %%", outdoor->temperature, outdoor->humidity);
	for (int i = 0; i < PLACE_COUNT; i++) {
		fputs(" | ", to);
		place_write(&places[i], hour, to);
	}
	fclose(to);
	clock_say("%s", text);
	free(text);
}

static void step(struct weather *weather, double from, double until)
{
	const struct outdoor outdoor = day_outdoor(until);

	for (int i = 0; i < PLACE_COUNT; i++)
		place_step(&places[i], from, until - from);
	weather_poll(weather, &outdoor, clock_seconds());
	if (floor(until) > floor(from))
		say_how_it_is(&outdoor, until);
}

/* Nothing that the weather's connection brings cannot wait for the next step. */
static void wait_until(double seconds, struct control *control)
{
	enum { CONTROL = PLACE_COUNT, COUNT };
	struct pollfd look[COUNT];
	double left;

	while (!stopped && (left = seconds - clock_seconds()) > 0) {
		for (int i = 0; i < PLACE_COUNT; i++)
			look[i] = (struct pollfd){.fd = places[i].runs ? places[i].board.out : -1, .events = POLLIN};
		look[CONTROL] = (struct pollfd){.fd = control->file, .events = POLLIN};
		if (poll(look, COUNT, (int)ceil(left * 1000)) <= 0)
			continue;
		for (int i = 0; i < PLACE_COUNT; i++)
			place_poll(&places[i]);
		control_poll(control, obey, NULL);
	}
}

static void live(struct control *control, struct weather *weather)
{
	double next = clock_seconds(), from = clock_hour();

	while (!stopped) {
		const double until = clock_hour();

		step(weather, from, until);
		from = until;
		/* After a stop of the whole machine it does not run after the steps that it missed. */
		next = fmax(next + STEP_S, clock_seconds());
		wait_until(next, control);
	}
}

static bool start_places(const struct arguments *arguments)
{
	for (int i = 0; i < PLACE_COUNT; i++)
		if (!place_start(&places[i], &arguments->files, arguments->port, arguments->hour))
			return false;
	return true;
}

static void end_places(void)
{
	for (int i = 0; i < PLACE_COUNT; i++)
		if (places[i].board.pid > 0)
			board_end(&places[i].board);
	for (int i = 0; i < PLACE_COUNT; i++)
		board_wait(&places[i].board);
}

static void handle_signals(void)
{
	const struct sigaction on_stop = {.sa_handler = stop};

	sigaction(SIGINT, &on_stop, NULL);
	sigaction(SIGTERM, &on_stop, NULL);
	sigaction(SIGHUP, &on_stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* The script that started it may be killed: then it ends too. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

int main(int argc, char *argv[])
{
	struct arguments arguments = {.hour = FIRST_HOUR, .day_seconds = DAY_SECONDS};
	struct control control = {.file = -1};
	struct weather *weather = NULL;
	char path[sizeof control.path];
	int status = EXIT_FAILURE;

	if (!parse(&arguments, argc, argv))
		return 2;
	handle_signals();
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(path, sizeof path, "%s/rooms.password", arguments.files.folder);
	weather = weather_new(arguments.port, path);
	if (!weather)
		goto end;
	snprintf(path, sizeof path, "%s/rooms.control", arguments.files.folder);
	if (!control_open(&control, path)) {
		fprintf(stderr, "rooms: %s: %s\n", path, strerror(errno));
		goto end;
	}
	clock_start(arguments.hour, arguments.day_seconds);
	if (start_places(&arguments)) {
		live(&control, weather);
		status = EXIT_SUCCESS;
	}
end:
	end_places();
	control_close(&control);
	weather_free(weather);
	return status;
}
