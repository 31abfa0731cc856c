/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_client: see ctrl_client.h.
 */
#include "ctrl_client.h"

#include "ctrl_password.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_TOPIC  "$CONTROL/hearth/v1"
#define RESPONSE_TOPIC "$CONTROL/hearth/v1/response"

#define LOOK_MS        50   /* how often a deadline is looked at */
#define AGAIN_FIRST_MS 200  /* before a sign-in that was put off is tried again; doubles */
#define AGAIN_MOST_MS  2000 /* up to this */
#define CONNACK_NONE   (-1)

struct ctrl_client {
	struct mosquitto *mosquitto;
	cJSON *data;   /* of the answer */
	char *refusal; /* of the answer */
	int connack;   /* reason code; CONNACK_NONE: not there yet */
	int puback;    /* reason code of a refused publish; 0: none */
	enum ctrl_answer answer;
	char correlation[17];
	char id[40];
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 16 digits that nobody else has. */
static void make_unique(char out[static 17])
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof random, 0) != sizeof random)
		random = (uint64_t)now_ms() << 20 ^ (uint64_t)getpid();
	snprintf(out, 17, "%016llx", (unsigned long long)random);
}

/* ---- what libmosquitto calls ---- */

static void on_connect(struct mosquitto *mosquitto, void *context, int code, int flags,
                       const mosquitto_property *properties)
{
	struct ctrl_client *client = context;

	(void)mosquitto, (void)flags, (void)properties;
	client->connack = code;
}

static void on_publish(struct mosquitto *mosquitto, void *context, int packet, int code,
                       const mosquitto_property *properties)
{
	struct ctrl_client *client = context;

	(void)mosquitto, (void)packet, (void)properties;
	if (code >= 128)
		client->puback = code;
}

static void on_message(struct mosquitto *mosquitto, void *context, const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
	struct ctrl_client *client = context;

	(void)mosquitto, (void)properties;
	if (client->answer != CTRL_ANSWER_OTHER || strcmp(message->topic, RESPONSE_TOPIC) != 0)
		return;
	client->answer = ctrl_answer_read(message->payload, (size_t)message->payloadlen, client->correlation, &client->data,
	                                  &client->refusal);
}

/* ---- connecting ---- */

static bool uses_tls(const struct ctrl_connection *connection)
{
	return connection->cafile || connection->capath || connection->port == 8883;
}

static int set_tls(struct ctrl_call *call, struct mosquitto *mosquitto)
{
	const struct ctrl_connection *connection = &call->connection;
	int rc = MOSQ_ERR_SUCCESS;

	if (!uses_tls(connection))
		return CTRL_OK;
	if (connection->cafile || connection->capath)
		rc = mosquitto_tls_set(mosquitto, connection->cafile, connection->capath, connection->certfile,
		                       connection->keyfile, NULL);
	else
		rc = mosquitto_int_option(mosquitto, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
	if (rc == MOSQ_ERR_SUCCESS && connection->ciphers)
		rc = mosquitto_tls_opts_set(mosquitto, 1, NULL, connection->ciphers);
	if (rc == MOSQ_ERR_SUCCESS)
		rc = mosquitto_tls_insecure_set(mosquitto, connection->insecure);
	if (rc == MOSQ_ERR_INVAL)
		return ctrl_fail(call, CTRL_FILE,
		                 "a file of --cafile, --capath, --cert or --key cannot be read, or a key misses its "
		                 "certificate");
	if (rc)
		return ctrl_fail(call, CTRL_NO_BROKER, "TLS: %s", mosquitto_strerror(rc));
	return CTRL_OK;
}

static int make_client(struct ctrl_call *call, int protocol)
{
	const struct ctrl_connection *connection = &call->connection;
	struct ctrl_client *client = call->client;

	if (client->mosquitto)
		mosquitto_destroy(client->mosquitto);
	client->connack = CONNACK_NONE;
	client->mosquitto = ctrl_must(mosquitto_new(connection->id ? connection->id : client->id, true, client));
	mosquitto_int_option(client->mosquitto, MOSQ_OPT_PROTOCOL_VERSION, protocol);
	mosquitto_connect_v5_callback_set(client->mosquitto, on_connect);
	mosquitto_publish_v5_callback_set(client->mosquitto, on_publish);
	mosquitto_message_v5_callback_set(client->mosquitto, on_message);
	if (connection->username &&
	    mosquitto_username_pw_set(client->mosquitto, connection->username, connection->password))
		return ctrl_fail(call, CTRL_USAGE, "-u: this is no user name that MQTT can carry");
	return set_tls(call, client->mosquitto);
}

/* Names, connections and TLS handshakes are waited for inside libmosquitto, with no way to say for how long. */
static void out_of_time(int signal)
{
	static const char line[] = "hearth: no connection to the broker in time\n";

	(void)signal;
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(CTRL_TIMED_OUT);
	_exit(CTRL_TIMED_OUT);
}

/* mosquitto_connect, but for so long only. */
static int connect_within(const struct ctrl_connection *connection, struct mosquitto *mosquitto, int64_t ms)
{
	const struct sigaction end = {.sa_handler = out_of_time};
	struct itimerval alarm = {.it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 + 1}};
	struct sigaction before;
	int port = connection->port == CTRL_PORT_USUAL ? (uses_tls(connection) ? 8883 : 1883) : connection->port;
	int rc, reason;

	sigaction(SIGALRM, &end, &before);
	setitimer(ITIMER_REAL, &alarm, NULL);
	rc = mosquitto_connect_bind_v5(mosquitto, connection->host, port, 60, connection->bind_address, NULL);
	reason = errno;
	alarm = (struct itimerval){0};
	setitimer(ITIMER_REAL, &alarm, NULL);
	sigaction(SIGALRM, &before, NULL);
	errno = reason;
	return rc;
}

enum attempt { CONNECTED, PUT_OFF, OTHER_PROTOCOL, FAILED };

/* What the broker's CONNACK, or its absence, means. */
static enum attempt judge(struct ctrl_call *call, int protocol)
{
	int code = call->client->connack;
	const char *user = call->connection.username;

	switch (code) {
	case 0:
		return CONNECTED;
	case CONNACK_NONE:
	case CONNACK_REFUSED_SERVER_UNAVAILABLE:
	case MQTT_RC_SERVER_UNAVAILABLE:
	case MQTT_RC_SERVER_BUSY:
		return PUT_OFF;
	case CONNACK_REFUSED_PROTOCOL_VERSION:
	case MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION:
		if (protocol == MQTT_PROTOCOL_V5)
			return OTHER_PROTOCOL;
		break;
	case CONNACK_REFUSED_BAD_USERNAME_PASSWORD:
	case CONNACK_REFUSED_NOT_AUTHORIZED:
	case MQTT_RC_BAD_USERNAME_OR_PASSWORD:
	case MQTT_RC_NOT_AUTHORIZED:
		if (user)
			ctrl_fail(call, CTRL_NO_BROKER, "the broker refused to sign in %s: wrong password, or not from here", user);
		else
			ctrl_fail(call, CTRL_NO_BROKER, "the broker wants a user name: -u USERNAME");
		return FAILED;
	default:
		break;
	}
	ctrl_fail(call, CTRL_NO_BROKER, "the broker refused the connection: %s",
	          code < 128 ? mosquitto_connack_string(code) : mosquitto_reason_string(code));
	return FAILED;
}

static enum attempt try_once(struct ctrl_call *call, int protocol, int64_t deadline)
{
	struct ctrl_client *client = call->client;
	int64_t left = deadline - now_ms();
	int rc = connect_within(&call->connection, client->mosquitto, left > 1 ? left : 1);

	if (rc) {
		ctrl_fail(call, CTRL_NO_BROKER, "no connection to %s: %s", call->connection.host,
		          rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc));
		return FAILED;
	}
	while (rc == MOSQ_ERR_SUCCESS && client->connack == CONNACK_NONE && now_ms() < deadline)
		rc = mosquitto_loop(client->mosquitto, LOOK_MS, 1);
	return judge(call, protocol);
}

static int connect_until(struct ctrl_call *call, int64_t deadline)
{
	int protocol = call->connection.protocol;
	int64_t again_ms = AGAIN_FIRST_MS;

	for (;;) {
		int status = make_client(call, protocol);

		if (status)
			return status;
		switch (try_once(call, protocol, deadline)) {
		case CONNECTED:
			return CTRL_OK;
		case FAILED:
			return CTRL_NO_BROKER;
		case OTHER_PROTOCOL:
			protocol = MQTT_PROTOCOL_V311;
			continue;
		case PUT_OFF:
			break;
		}
		if (now_ms() + again_ms >= deadline)
			return ctrl_fail(call, CTRL_TIMED_OUT,
			                 "%s took no sign-in within %d s: it says nothing, or closes the connection (does it want "
			                 "TLS: --cafile?)",
			                 call->connection.host, call->connection.timeout_s);
		usleep((useconds_t)again_ms * 1000);
		again_ms = again_ms * 2 < AGAIN_MOST_MS ? again_ms * 2 : AGAIN_MOST_MS;
	}
}

static bool is_here(const char *host)
{
	return *host == '/' || strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strncmp(host, "127.", 4) == 0;
}

int ctrl_client_connect(struct ctrl_call *call)
{
	struct ctrl_connection *connection = &call->connection;
	char unique[17];
	int status;

	if (call->client)
		return CTRL_OK;
	status = ctrl_password_sign_in(call);
	if (status)
		return status;
	if (connection->password && !connection->quiet && !uses_tls(connection) && !is_here(connection->host))
		fputs("hearth: warning: without TLS (--cafile) the password crosses the network readable\n", stderr);
	mosquitto_lib_init();
	call->client = ctrl_must(calloc(1, sizeof *call->client));
	make_unique(unique);
	snprintf(call->client->id, sizeof call->client->id, "hearth-ctrl-%s", unique);
	status = connect_until(call, now_ms() + (int64_t)connection->timeout_s * 1000);
	if (status)
		return status;
	/* The broker's plugin answers to this client whether it may subscribe or not. */
	mosquitto_subscribe(call->client->mosquitto, NULL, RESPONSE_TOPIC, 1);
	return CTRL_OK;
}

void ctrl_client_close(struct ctrl_call *call)
{
	struct ctrl_client *client = call->client;

	if (!client)
		return;
	if (client->connack == 0) {
		mosquitto_disconnect(client->mosquitto);
		mosquitto_loop(client->mosquitto, 0, 1);
	}
	mosquitto_destroy(client->mosquitto);
	cJSON_Delete(client->data);
	free(client->refusal);
	free(client);
	call->client = NULL;
	mosquitto_lib_cleanup();
}

/* ---- asking ---- */

static int publish(struct ctrl_call *call, const cJSON *command)
{
	struct ctrl_client *client = call->client;
	cJSON *root = ctrl_must(cJSON_CreateObject());
	cJSON *commands = ctrl_must(cJSON_AddArrayToObject(root, "commands"));
	cJSON *mine = ctrl_must(cJSON_Duplicate(command, true));
	char *payload;
	int rc;

	make_unique(client->correlation);
	ctrl_must(cJSON_AddStringToObject(mine, "correlationData", client->correlation));
	cJSON_AddItemToArray(commands, mine);
	payload = ctrl_must(cJSON_PrintUnformatted(root));
	rc = mosquitto_publish(client->mosquitto, NULL, REQUEST_TOPIC, (int)strlen(payload), payload, 1, false);
	/* It may hold a password. */
	explicit_bzero(payload, strlen(payload));
	cJSON_free(payload);
	cJSON_Delete(root);
	if (rc)
		return ctrl_fail(call, CTRL_NO_BROKER, "the request was not sent: %s", mosquitto_strerror(rc));
	return CTRL_OK;
}

static int wait_for_answer(struct ctrl_call *call)
{
	struct ctrl_client *client = call->client;
	int64_t deadline = now_ms() + (int64_t)call->connection.timeout_s * 1000;

	while (client->answer == CTRL_ANSWER_OTHER) {
		int rc = mosquitto_loop(client->mosquitto, LOOK_MS, 1);

		if (client->puback)
			return ctrl_fail(call, CTRL_REFUSED, "the broker does not take requests from %s: %s",
			                 call->connection.username ? call->connection.username : "clients without a user name",
			                 mosquitto_reason_string(client->puback));
		if (rc != MOSQ_ERR_SUCCESS && client->answer == CTRL_ANSWER_OTHER) {
			client->connack = CONNACK_NONE;
			return ctrl_fail(call, CTRL_NO_BROKER,
			                 "the broker closed the connection before it answered (%s); look whether it is done",
			                 mosquitto_strerror(rc));
		}
		if (now_ms() >= deadline)
			break;
	}
	if (client->answer == CTRL_ANSWER_YES)
		return CTRL_OK;
	if (client->answer == CTRL_ANSWER_ERROR)
		return ctrl_fail(call, CTRL_REFUSED, "%s", client->refusal);
	return ctrl_fail(
		call, CTRL_TIMED_OUT,
		"no answer within %d s: is the plugin loaded, is there an account (mosquitto_ctrl hearth init), and may "
		"this one ask?",
		call->connection.timeout_s);
}

int ctrl_ask(struct ctrl_call *call, const cJSON *command, cJSON **data)
{
	int status = ctrl_client_connect(call);

	*data = NULL;
	if (status)
		return status;
	call->client->answer = CTRL_ANSWER_OTHER;
	call->client->puback = 0;
	status = publish(call, command);
	if (!status)
		status = wait_for_answer(call);
	*data = call->client->data;
	call->client->data = NULL;
	free(call->client->refusal);
	call->client->refusal = NULL;
	return status;
}
