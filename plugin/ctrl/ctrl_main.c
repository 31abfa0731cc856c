/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_main: where `mosquitto_ctrl hearth …` begins.
 *
 * mosquitto_ctrl loads mosquitto_ctrl_hearth.so and calls ctrl_main with the words behind `hearth` and a struct of its own.
 * It has read its configuration file and the options before `hearth` by then. If ctrl_main returned MOSQ_ERR_SUCCESS, it would go on
 * to send a request that we have not made; a negative number makes it exit with 0 in silence. Any other would be printed
 * as an error of libmosquitto's. So success is returned as −1, and else the program ends here with a code of its own.
 */
#include "ctrl_command.h"
#include "ctrl_help.h"
#include "ctrl_parse.h"
#include "ctrl_run.h"
#include "ctrl_text.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * The beginning of struct mosq_ctrl: the same in Mosquitto 2.0.11, 2.0.22 and 2.1.2 (built with TLS, as packages are).
 * What follows differs by version. The header is not installed, so it is described here; the texts are NULL if not given.
 */
struct mosquitto_ctrl_config {
	char *id;
	int protocol_version; /* 5 if not given */
	int keepalive;
	char *host; /* "localhost" if not given */
	int port;   /* −1: not given; 0: host is the path of a socket */
	int qos;
	char *bind_address;
	bool debug;
	bool quiet;
	char *username;
	char *password;
	char *options_file;
	char *cafile;
	char *capath;
	char *certfile;
	char *keyfile;
	char *ciphers;
	bool insecure;
};

#define EXPORT    __attribute__((visibility("default")))
#define TIMEOUT_S 10

EXPORT int ctrl_main(int argc, char *argv[], const struct mosquitto_ctrl_config *config);
EXPORT void ctrl_help(void);

static struct ctrl_connection connection_of(const struct mosquitto_ctrl_config *config)
{
	return (struct ctrl_connection){
		.host = config->host ? config->host : "localhost",
		.bind_address = config->bind_address,
		.id = config->id,
		.username = config->username,
		.password = config->password,
		.cafile = config->cafile,
		.capath = config->capath,
		.certfile = config->certfile,
		.keyfile = config->keyfile,
		.ciphers = config->ciphers,
		.port = config->port,
		.protocol = config->protocol_version,
		.timeout_s = TIMEOUT_S,
		.insecure = config->insecure,
		.quiet = config->quiet,
	};
}

static int run(int argc, char *const *argv, struct ctrl_call *call)
{
	struct timespec now;
	int status;

	clock_gettime(CLOCK_REALTIME, &now);
	status = ctrl_parse(argc, argv, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, call);
	if (status)
		return status;
	if (!call->help)
		return ctrl_run(call);
	if (call->command->run == ctrl_run_help)
		return ctrl_run_help(call);
	ctrl_help_command(stdout, call->command);
	return CTRL_OK;
}

int ctrl_main(int argc, char *argv[], const struct mosquitto_ctrl_config *config)
{
	struct ctrl_call call = {.connection = connection_of(config)};
	int status = run(argc, argv, &call);

	if (status) {
		char *clean = ctrl_text_clean(call.error);

		fflush(stdout);
		fprintf(stderr, "hearth: %s\n", clean);
		free(clean);
	}
	ctrl_call_free(&call);
	if (status)
		exit(status);
	return -1;
}

void ctrl_help(void)
{
	ctrl_help_all(stdout);
}
