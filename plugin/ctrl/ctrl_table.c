/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_table: every command of `mosquitto_ctrl hearth`: its words, its arguments and options, the request that they make and how the
 * answer is printed. A new command is a row here; help and completion follow.
 */
#include "ctrl_command.h"
#include "ctrl_help.h"
#include "ctrl_print.h"
#include "ctrl_run.h"

/* An option: name, key in the request, what its value is called, help. */
#define TEXT(name, key, value, help)                                                                                   \
	{                                                                                                                  \
		name, key, value, help, CTRL_TEXT, 0, false                                                                    \
	}
#define LIST(name, key, value, help)                                                                                   \
	{                                                                                                                  \
		name, key, value, help, CTRL_LIST, 0, false                                                                    \
	}
#define FLAG(name, key, help)                                                                                          \
	{                                                                                                                  \
		name, key, NULL, help, CTRL_TEXT, 0, false                                                                     \
	}
#define YES_NO(name, key, help)                                                                                        \
	{                                                                                                                  \
		name, key, "yes|no", help, CTRL_YES_NO, 0, false                                                               \
	}
#define LETTER(letter, name, value, help)                                                                              \
	{                                                                                                                  \
		name, NULL, value, help, CTRL_TEXT, letter, false                                                              \
	}
/* The same, whose empty value takes the key away. */
#define NULL_TEXT(name, key, value, help)                                                                              \
	{                                                                                                                  \
		name, key, value, help, CTRL_TEXT, 0, true                                                                     \
	}
#define NULL_LIST(name, key, value, help)                                                                              \
	{                                                                                                                  \
		name, key, value, help, CTRL_LIST, 0, true                                                                     \
	}

#define PAGE                                                                                                           \
	{"count", "count", "N", "show so many", CTRL_NUMBER, 0, false},                                                    \
	{                                                                                                                  \
		"offset", "offset", "N", "begin after so many", CTRL_NUMBER, 0, false                                          \
	}
#define NEW_PASSWORD                                                                                                   \
	TEXT("new-password-file", NULL, "FILE", "the new password is in its first line (-: standard input)"),              \
		FLAG("generate", NULL, "make a password and show it this once")

#define ROLES "admin|manager|resident|guest|service"

const struct ctrl_option ctrl_globals[] = {
	LETTER('h', "host", "HOST", "the broker's name or address (default: localhost)"),
	LETTER('p', "port", "PORT", "its port (default: 1883, with TLS 8883)"),
	LETTER(0, "unix", "PATH", "its socket, in place of host and port"),
	LETTER('u', "username", "USERNAME", "who signs in"),
	LETTER('P', "pw", "PASSWORD", "that user's password; others on this machine can see it here"),
	LETTER(0, "password-file", "FILE", "that user's password is in its first line (-: standard input)"),
	LETTER('i', "id", "ID", "the client id"),
	LETTER(0, "cafile", "FILE", "use TLS, and trust who is certified by these"),
	LETTER(0, "capath", "FOLDER", "the same, from a folder"),
	LETTER(0, "cert", "FILE", "the certificate to show the broker"),
	LETTER(0, "key", "FILE", "its private key"),
	LETTER(0, "insecure", NULL, "do not look whether the broker's certificate is for this host"),
	LETTER(0, "timeout", "SECONDS", "how long to wait for the connection, and for each answer (default: 10)"),
	LETTER(0, "json", NULL, "print the answer as JSON"),
	LETTER(0, "help", NULL, "explain the command"),
	{0},
};

#define USERNAME                                                                                                       \
	{                                                                                                                  \
		"USERNAME", "username", false, false                                                                           \
	}
#define LOCATION                                                                                                       \
	{                                                                                                                  \
		"LOCATION", "location", false, false                                                                           \
	}
#define DEVICE                                                                                                         \
	{                                                                                                                  \
		"DEVICE", "device", false, false                                                                               \
	}
#define CLIENT_ID                                                                                                      \
	{                                                                                                                  \
		"CLIENT_ID", "clientId", false, false                                                                          \
	}
#define TOPIC                                                                                                          \
	{                                                                                                                  \
		"TOPIC", "topic", false, false                                                                                 \
	}
#define FILTER                                                                                                         \
	{                                                                                                                  \
		"FILTER", "filter", true, false                                                                                \
	}

const struct ctrl_command ctrl_commands[] = {
	{.words = "init",
     .summary = "make the first administrator, or give one a new password; on the broker's machine, the broker stopped",
     .example = "init --generate",
     .run = ctrl_run_init,
     .options = {TEXT("state-dir", NULL, "FOLDER", "plugin_opt_state_dir (default: /var/lib/mosquitto/hearth)"),
                 TEXT("username", NULL, "USERNAME", "the administrator's name (default: admin)"),
                 TEXT("password-file", NULL, "FILE", "the password is in its first line (-: standard input)"),
                 FLAG("generate", NULL, "make a password and show it this once")}},
	{.words = "whoami",
     .summary = "who the broker takes you for, and what you may call",
     .example = "-u anna whoami",
     .request = "whoAmI"},
	{.words = "check",
     .summary = "may an account do this, and which rule says so?",
     .example = "check --account anna write livingroom/fan1/motor/set",
     .request = "checkAccess",
     .arguments = {{"read|write|subscribe", "action", false, false}, TOPIC},
     .options = {TEXT("account", "username", "USERNAME", "whose rights (default: one's own)"),
                 TEXT("client-id", "clientId", "ID", "as this client")}},

	{.words = "account list",
     .summary = "all accounts",
     .example = "account list",
     .request = "listAccounts",
     .columns = "username role locations location device disabled expires clientIds certificate grants",
     .prepare = ctrl_prepare_list_accounts,
     .run = ctrl_run_list,
     .options = {FLAG("names", NULL, "names alone"), PAGE}},
	{.words = "account show",
     .summary = "one account",
     .example = "account show anna",
     .request = "getAccount",
     .columns = "allow deny topic",
     .arguments = {USERNAME}},
	{.words = "account add",
     .summary = "make an account for a person or a service; for a device: device add",
     .example = "account add anna --role manager --location livingroom",
     .request = "createAccount",
     .done = "The account is made.",
     .run = ctrl_run_account_secret,
     .arguments = {USERNAME},
     .options = {TEXT("role", "role", ROLES, "what it may do (default: resident)"),
                 LIST("location", "locations", "LOCATION", "only there; may be repeated (default: everywhere)"),
                 LIST("client-id", "clientIds", "ID", "only as this client, or with * at its end; may be repeated"),
                 TEXT("expires", "expires", "TIME", "no sign-in from then on, such as 2027-01-01T00:00:00Z"),
                 YES_NO("certificate", "certificate", "may sign in by a certificate with its name"),
                 FLAG("disabled", "disabled", "no sign-in until it is enabled"), NEW_PASSWORD,
                 FLAG("no-password", NULL, "no sign-in by password")}},
	{.words = "account modify",
     .summary = "change what is given; an empty value takes it away",
     .example = "account modify anna --role resident --location ''",
     .request = "modifyAccount",
     .done = "The account is changed.",
     .arguments = {USERNAME},
     .options = {TEXT("role", "role", ROLES, "what it may do"),
                 NULL_LIST("location", "locations", "LOCATION", "only there; may be repeated"),
                 NULL_LIST("client-id", "clientIds", "ID", "only as this client; may be repeated"),
                 NULL_TEXT("expires", "expires", "TIME", "no sign-in from then on"),
                 YES_NO("certificate", "certificate", "may sign in by a certificate with its name")}},
	{.words = "account remove",
     .summary = "remove an account and end its connections",
     .example = "account remove anna",
     .request = "deleteAccount",
     .done = "The account is removed.",
     .arguments = {USERNAME}},
	{.words = "account password",
     .summary = "change a password: one's own, or as administrator anybody's",
     .example = "account password anna",
     .request = "setPassword",
     .done = "The password is changed.",
     .run = ctrl_run_account_secret,
     .arguments = {{"USERNAME", "username", true, false}},
     .options = {NEW_PASSWORD}},
	{.words = "account enable",
     .summary = "let an account sign in again",
     .example = "account enable anna",
     .request = "enableAccount",
     .done = "The account may sign in.",
     .arguments = {USERNAME}},
	{.words = "account disable",
     .summary = "let an account sign in no more, and end its connections",
     .example = "account disable anna",
     .request = "disableAccount",
     .done = "The account may not sign in.",
     .arguments = {USERNAME}},

	{.words = "grant add",
     .summary = "allow or deny an account what its role does not say; all: read and write",
     .example = "grant add anna allow read 'greenhouse/#'",
     .request = "addGrant",
     .done = "The account is changed.",
     .prepare = ctrl_prepare_grant,
     .arguments = {USERNAME, {"allow|deny", NULL, false, false}, {"read|write|all", NULL, false, false}, TOPIC}},
	{.words = "grant remove",
     .summary = "take such a grant or denial away",
     .example = "grant remove anna allow read 'greenhouse/#'",
     .request = "removeGrant",
     .done = "The account is changed.",
     .prepare = ctrl_prepare_grant,
     .arguments = {USERNAME, {"allow|deny", NULL, false, false}, {"read|write|all", NULL, false, false}, TOPIC}},

	{.words = "device add",
     .summary = "make a device's account and show its secret this once",
     .example = "device add livingroom uno1",
     .request = "addDevice",
     .note = "the secret is shown this once; device secret makes another",
     .arguments = {LOCATION, DEVICE},
     .options = {LIST("client-id", "clientIds", "ID", "only as this client; may be repeated")}},
	{.words = "device list",
     .summary = "devices, and whether they are connected",
     .example = "device list livingroom",
     .request = "listDevices",
     .columns = "location device username online disabled clientIds",
     .run = ctrl_run_list,
     .arguments = {{"LOCATION", "location", true, false}},
     .options = {PAGE}},
	{.words = "device rename",
     .summary = "give a device, its account, configs and history another name",
     .example = "device rename livingroom uno1 kitchen uno1",
     .request = "renameDevice",
     .done = "The device is renamed.",
     .arguments =
         {LOCATION, DEVICE, {"NEW_LOCATION", "newLocation", false, false}, {"NEW_DEVICE", "newDevice", false, false}}},
	{.words = "device secret",
     .summary = "another secret for a device, shown this once; the old one ends",
     .example = "device secret livingroom uno1",
     .request = "newSecret",
     .note = "the secret is shown this once",
     .arguments = {LOCATION, DEVICE}},
	{.words = "device remove",
     .summary = "remove a device's account; its history stays",
     .example = "device remove livingroom uno1 --configs",
     .request = "removeDevice",
     .done = "The device is removed.",
     .arguments = {LOCATION, DEVICE},
     .options = {FLAG("configs", "configs", "and its configs")}},

	{.words = "session list",
     .summary = "clients that are connected, or whose sessions are kept",
     .example = "session list",
     .request = "listSessions",
     .columns = "clientId username connected stored",
     .run = ctrl_run_list,
     .options = {PAGE}},
	{.words = "session drop",
     .summary = "end a client's connection",
     .example = "session drop phone-1",
     .request = "dropSession",
     .done = "The connection is ended.",
     .arguments = {CLIENT_ID}},
	{.words = "session forget",
     .summary = "let another account have a client id that a session is kept for",
     .example = "session forget phone-1",
     .request = "forgetSession",
     .done = "The client id is free.",
     .arguments = {CLIENT_ID}},

	{.words = "series",
     .summary = "topics that carried something",
     .example = "series 'livingroom/#'",
     .request = "listSeries",
     .columns = "topic",
     .run = ctrl_run_list,
     .arguments = {FILTER},
     .options = {PAGE}},
	{.words = "latest",
     .summary = "the latest value of a topic, or of all that a filter matches",
     .example = "latest 'livingroom/+/temperature/value'",
     .request = "getLatest",
     .columns = "topic time value text age",
     .prepare = ctrl_prepare_latest,
     .run = ctrl_run_list,
     .arguments = {{"TOPIC_OR_FILTER", NULL, true, false}},
     .options = {PAGE}},
	{.words = "history",
     .summary = "stored values of a topic, as they came or in so many steps",
     .example = "history livingroom/uno1/temperature/value --from 7d --buckets 168",
     .request = "getHistory",
     .prepare = ctrl_prepare_history,
     .print = ctrl_print_history,
     .arguments = {TOPIC},
     .options = {{"from", "from", "TIME", "90s, 24h, 7d ago, 2026-11-22, or ISO-8601 (default: 24h)", CTRL_TIME, 0,
                  false},
                 {"to", "to", "TIME", "the same (default: now)", CTRL_TIME, 0, false},
                 {"buckets", "buckets", "N", "least, mean, most and count of N steps", CTRL_NUMBER, 0, false}}},

	{.words = "config list",
     .summary = "configs, whose they are, and whether they are in force",
     .example = "config list 'livingroom/#'",
     .request = "listConfigs",
     .columns = "topic author suspended",
     .run = ctrl_run_list,
     .arguments = {FILTER},
     .options = {PAGE}},
	{.words = "config show",
     .summary = "a config",
     .example = "config show livingroom/uno1/temperature/config",
     .request = "getConfig",
     .print = ctrl_print_config,
     .arguments = {TOPIC}},
	{.words = "config set",
     .summary = "put a config in force: from a file, from standard input (-), or as it is",
     .example = "config set livingroom/uno1/temperature/config '{\"unit\":\"°C\",\"max\":85}'",
     .request = "setConfig",
     .done = "The config is in force.",
     .prepare = ctrl_prepare_config,
     .arguments = {TOPIC, {"FILE_OR_JSON", NULL, false, false}}},
	{.words = "config remove",
     .summary = "remove a config",
     .example = "config remove livingroom/uno1/temperature/config",
     .request = "removeConfig",
     .done = "The config is removed.",
     .arguments = {TOPIC}},

	{.words = "metrics", .summary = "counters since the broker's start", .example = "metrics", .request = "getMetrics"},
	{.words = "journal",
     .summary = "how full the journal is, and what waits in it",
     .example = "journal",
     .request = "getJournal"},
	{.words = "backup",
     .summary = "write accounts, configs and switches into a file that its owner alone can read (-: standard output)",
     .example = "backup /root/hearth.json",
     .request = "backup",
     .run = ctrl_run_backup,
     .arguments = {{"FILE", NULL, false, false}}},
	{.words = "restore",
     .summary = "put back what a backup holds",
     .example = "restore /root/hearth.json",
     .request = "restore",
     .run = ctrl_run_restore,
     .arguments = {{"FILE", NULL, false, false}},
     .options = {FLAG("replace-accounts", "replaceAccounts", "also over accounts that are there")}},
	{.words = "import",
     .summary = "make accounts of a password file of Mosquitto's",
     .example = "import /etc/mosquitto/passwd --role resident",
     .request = "importPasswords",
     .run = ctrl_run_import,
     .arguments = {{"PASSWORD_FILE", NULL, false, false}},
     .options = {TEXT("role", "role", ROLES, "of the accounts that are made (default: resident)"),
                 FLAG("replace", "replace", "also new passwords for accounts that are there")}},
	{.words = "migrate",
     .summary = "copy the history into another database while the broker runs",
     .example = "migrate --to mariadb://hearth@db1,db2/hearth --store-password-file /etc/mosquitto/db.secret",
     .request = "moveHistory",
     .run = ctrl_run_migrate,
     .options = {TEXT("to", "to", "URL", "as plugin_opt_store"),
                 TEXT("store-password-file", "passwordFile", "FILE",
                      "as plugin_opt_store_password_file; the broker reads it"),
                 TEXT("store-ca", "ca", "FILE", "as plugin_opt_store_ca; the broker reads it"),
                 FLAG("no-wait", NULL, "start it and return")}},
	{.words = "migrate status", .summary = "how far that is", .example = "migrate status", .request = "getMove"},
	{.words = "migrate stop",
     .summary = "stop it; the history stays where it is",
     .example = "migrate stop",
     .request = "stopMove",
     .done = "It is being stopped."},

	{.words = "help",
     .summary = "explain a command",
     .example = "help account add",
     .run = ctrl_run_help,
     .arguments = {{"COMMAND", NULL, true, true}}},
	{.words = "completion",
     .summary = "the script for bash; words: what can stand in place of the last word",
     .example = "completion bash",
     .run = ctrl_run_completion,
     .arguments = {{"bash|words", NULL, false, false}, {"WORD", NULL, true, true}},
     .hidden = true},
	{.words = NULL},
};
