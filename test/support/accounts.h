/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * accounts: a house with accounts, administrated as people do it: `mosquitto_ctrl hearth init` while the broker is stopped,
 * $CONTROL/hearth/v1 while it runs.
 *
 * Commands are JSON in which ' stands for ", as many as one likes with commas between them; they go out as one request.
 *
 * Environment: the plugin's folder (house.h) has mosquitto_ctrl_hearth.so too.
 */
#ifndef TEST_ACCOUNTS_H
#define TEST_ACCOUNTS_H

#include <stddef.h>

struct cJSON;
struct client;
struct house;

#define ACCOUNTS_ADMIN    "admin"
#define ACCOUNTS_PASSWORD "tea for two, please" /* the administrator's, which is stretched as people's are */
#define ACCOUNTS_SECRET   "hearth-abcdefghijklmnopqrstuvwxya" /* in place of a password: needs no stretching */
#define CONTROL_REQUEST   "$CONTROL/hearth/v1"
#define CONTROL_RESPONSE  "$CONTROL/hearth/v1/response"

/* Makes the administrator. The broker is stopped, and need never have run. */
void accounts_init(const struct house *house);

/* A house that runs with an administrator, whose sign-ins wait for nothing that is not needed. */
struct house *accounts_house(void);

/*
 * Signs in; comes again for as long as it is put off. NULL: refused. The client fences as one from client_open, which is
 * where others are made.
 */
struct client *accounts_sign_in(const struct house *house, int version, const char *user, const char *password);
/* The same by MQTT 5 as administrator, who must be let in and gets his answers. */
struct client *accounts_admin(const struct house *house);

/* ---- commands ---- */

/* The list of answers, one for each command; the caller deletes it. */
struct cJSON *accounts_ask(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, but all must succeed. */
void accounts_do(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The error of one command that must fail; the caller frees it. */
char *accounts_refusal(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Makes accounts out of documents (plugin/account.h) without a password, all at once; they sign in with ACCOUNTS_SECRET. One
 * that is there is replaced.
 */
void accounts_add_all(struct client *admin, const char *const documents[], size_t count);
/* The same of one, in which ' stands for ". */
void accounts_add(struct client *admin, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Makes a device's account; returns its secret, which the caller frees. Its user name is LOCATION/DEVICE. */
char *accounts_add_device(struct client *admin, const char *location, const char *device);

/* Sends a request and does not wait for the answer. */
void accounts_send(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
