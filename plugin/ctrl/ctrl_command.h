/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_command: what `mosquitto_ctrl hearth` can do, as rows of a table.
 *
 * Parsing, help and completion all read the rows, so a command is added by adding a row (ctrl_table.c). Most rows are one
 * request to the broker and a table of what it answers; those that are more have functions of their own.
 */
#ifndef HEARTH_CTRL_COMMAND_H
#define HEARTH_CTRL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct cJSON;
struct ctrl_call;

/* Exit codes, for scripts. They are part of the interface and never change. */
enum ctrl_status {
	CTRL_OK = 0,
	CTRL_REFUSED = 1,   /* the broker answered with an error */
	CTRL_USAGE = 2,     /* the command line is wrong */
	CTRL_NO_BROKER = 3, /* no connection, or the sign-in was refused */
	CTRL_TIMED_OUT = 4, /* no answer in time */
	CTRL_FILE = 5       /* a file, or memory */
};

enum ctrl_kind {
	CTRL_TEXT,
	CTRL_NUMBER, /* a whole number, 0 or more */
	CTRL_LIST,   /* repeated, or with commas; becomes an array */
	CTRL_YES_NO, /* becomes true or false */
	CTRL_TIME    /* "now", "24h" ago, a date, or ISO-8601; becomes ISO-8601 UTC */
};

/*
 * `value` is what help calls its value, such as FILE; one with a | in it lists all that it can be, such as yes|no; NULL: the
 * option takes none and becomes true. An option with a key goes into the request under that key.
 */
struct ctrl_option {
	const char *name; /* without its dashes; NULL ends a list */
	const char *key;
	const char *value;
	const char *help;
	enum ctrl_kind kind;
	char letter;   /* -u; 0: none */
	bool may_null; /* an empty value becomes null, which removes the key */
};

/* `name` as an option's `value`. */
struct ctrl_argument {
	const char *name; /* NULL ends a list */
	const char *key;
	bool optional;
	bool repeated; /* the last of them: as many as there are */
};

#define CTRL_ARGUMENTS_MAX 4
#define CTRL_OPTIONS_MAX   10

struct ctrl_command {
	const char *words;   /* such as "account add" */
	const char *summary; /* one line */
	const char *example; /* what follows "mosquitto_ctrl hearth " */
	const char *request; /* the command in $CONTROL/hearth/v1; NULL: `run` makes its own */
	const char *columns; /* of a table in its answer: these first, in this order; NULL: as they come */
	const char *done;    /* said when there is no more to say; NULL: nothing */
	const char *note;    /* said on standard error after the answer; NULL: nothing */
	/* Adds to the request what options and arguments do not say by themselves. NULL: nothing to add. */
	int (*prepare)(struct ctrl_call *call);
	/* In place of asking the broker once and printing its answer. NULL: that. */
	int (*run)(struct ctrl_call *call);
	/* In place of the general way to print an answer. NULL: that. */
	void (*print)(const struct cJSON *data);
	struct ctrl_argument arguments[CTRL_ARGUMENTS_MAX + 1];
	struct ctrl_option options[CTRL_OPTIONS_MAX + 1];
	bool hidden; /* from help and completion */
};

/* How to get to the broker. Texts are borrowed from the command line or from mosquitto_ctrl; NULL: not said. */
struct ctrl_connection {
	const char *host; /* or the path of a socket, if port is 0 */
	const char *bind_address;
	const char *id;
	const char *username;
	const char *password;
	const char *password_file;
	const char *cafile, *capath, *certfile, *keyfile, *ciphers;
	int port;     /* −1: the usual one */
	int protocol; /* MQTT's level: 3, 4, 5 */
	int timeout_s;
	bool insecure; /* the broker's certificate may name another host */
	bool quiet;
};

#define CTRL_PORT_USUAL (-1)

/* An option on the command line. */
struct ctrl_set {
	const struct ctrl_option *option;
	const char *value; /* NULL: it takes none */
};

#define CTRL_ERROR_MAX 1024

/* One run of one command. */
struct ctrl_call {
	const struct ctrl_command *command;
	struct cJSON *request; /* {"command":…} and what the command line says; NULL without one */
	const char **arguments;
	struct ctrl_set *set;
	size_t argument_count, set_count;
	struct ctrl_connection connection;
	struct ctrl_client *client; /* connected by the first question; NULL before */
	char *sign_in;              /* the password that was read for signing in; wiped and freed in the end */
	bool json;
	bool help;                  /* --help was asked for */
	char error[CTRL_ERROR_MAX]; /* one line for a person, once something went wrong */
};

/* The rows; the last has no words. */
extern const struct ctrl_command ctrl_commands[];
/* Options that every command takes; the last has no name. */
extern const struct ctrl_option ctrl_globals[];

/* The value of an option of the command line, the last one if repeated; "" for one that takes none; NULL: not given. */
const char *ctrl_value(const struct ctrl_call *call, const char *name);

/* Writes the call's error and returns `status`, so that a function can end with it. */
int ctrl_fail(struct ctrl_call *call, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Memory is either there, or the program ends with CTRL_FILE and says so: it holds nothing that could be lost. */
void *ctrl_must(void *memory);

#endif
