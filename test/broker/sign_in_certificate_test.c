/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Client certificates: an account that takes one is signed in by a certificate with its name, on a listener that asks for
 * certificates; and what a listener with use_identity_as_username, where Mosquitto asks nobody, lets a name do.
 */
#include "accounts.h"
#include "client.h"
#include "house.h"
#include "patience.h"
#include "program.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOT_ALLOWED  5 /* CONNACK of MQTT 3.1.1 */
#define NOBODY       NULL
#define PATH         128
#define TOPIC        "hall/lamp/led/set"

struct scene {
	struct house *house;
	struct client *admin;
	int port;          /* asks for certificates, and for a user name */
	int identity_port; /* takes the certificate's name for the user name */
};

static char *path_of(const struct house *house, const char *name, const char *end, char path[static PATH])
{
	snprintf(path, PATH, "%s/%s.%s", house->folder, name, end);
	return path;
}

/* NAME.key and NAME.crt, the latter with the name in it, signed by the authority; NULL: it is one itself. */
static void make_certificate(const struct house *house, const char *name, const char *common_name,
                             const char *authority)
{
	char key[PATH], csr[PATH], crt[PATH], ca_key[PATH], ca_crt[PATH], subject[PATH];

	path_of(house, name, "key", key);
	path_of(house, name, "csr", csr);
	path_of(house, name, "crt", crt);
	snprintf(subject, sizeof(subject), "/CN=%s", common_name);
	if (authority == NULL) {
		program_run((const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		                                  "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", crt,
		                                  "-subj", subject, "-days", "2", NULL});
		return;
	}
	path_of(house, authority, "key", ca_key);
	path_of(house, authority, "crt", ca_crt);
	program_run((const char *const[]){"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
	                                  "-nodes", "-keyout", key, "-out", csr, "-subj", subject, NULL});
	program_run((const char *const[]){"openssl", "x509", "-req", "-in", csr, "-CA", ca_crt, "-CAkey", ca_key,
	                                  "-CAcreateserial", "-out", crt, "-days", "2", NULL});
}

static int add_listener(struct house *house, const char *more)
{
	int port = house_free_port();
	char ca[PATH], crt[PATH], key[PATH];

	house_conf(house, "listener %d 127.0.0.1\ncafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\n%s", port,
	           path_of(house, "ca", "crt", ca), path_of(house, "server", "crt", crt),
	           path_of(house, "server", "key", key), more);
	return port;
}

static struct scene begin(void)
{
	static const char *const names[] = {"server", "anna", "ben", "nobody"};
	struct scene s = {.house = house_new()};

	make_certificate(s.house, "ca", "authority", NULL);
	make_certificate(s.house, "strange", "authority", NULL);
	for (size_t i = 0; i < COUNT(names); i++)
		make_certificate(s.house, names[i], names[i], "ca");
	make_certificate(s.house, "forged", "anna", "strange");
	house_conf(s.house, "plugin_opt_sign_in_budget 50");
	s.port = add_listener(s.house, "");
	s.identity_port = add_listener(s.house, "use_identity_as_username true");
	accounts_init(s.house);
	house_start(s.house);
	s.admin = accounts_admin(s.house);
	client_subscribe(s.admin, "#");
	accounts_add(s.admin, "{'username':'anna','role':'resident','certificate':true}");
	accounts_add(s.admin, "{'username':'ben','role':'resident'}");
	return s;
}

static void end(struct scene *s)
{
	client_free(s->admin);
	house_free(s->house);
}

/* Connects with NAME.crt; the port decides what that is good for. */
static struct client *open_with(const struct scene *s, int port, const char *name, const char *user,
                                const char *password, const char *id)
{
	char ca[PATH], crt[PATH], key[PATH];

	return client_open(s->house, &(struct client_options){.version = CLIENT_V5,
	                                                      .user = user,
	                                                      .password = password,
	                                                      .id = id,
	                                                      .port = port,
	                                                      .ca = path_of(s->house, "ca", "crt", ca),
	                                                      .certificate = path_of(s->house, name, "crt", crt),
	                                                      .key = path_of(s->house, name, "key", key)});
}

static const struct {
	const char *certificate, *user, *password;
	int connack;
} attempts[] = {
	{"anna", "anna", NULL, 0},
	{"anna", "anna", "whatever", 0},
	{"anna", "anna", ACCOUNTS_SECRET, 0},
	{"anna", "ben", NULL, REASON_NOT_AUTHORIZED}, /* it is anna's */
	{"anna", "ben", ACCOUNTS_SECRET, 0},
	{"anna", NOBODY, NULL, REASON_NOT_AUTHORIZED},
	{"anna", "Anna", NULL, REASON_NOT_AUTHORIZED},
	{"anna", "admin", NULL, REASON_NOT_AUTHORIZED},
	{"ben", "ben", NULL, REASON_NOT_AUTHORIZED}, /* his account takes none */
	{"ben", "ben", ACCOUNTS_SECRET, 0},
	{"ben", "anna", NULL, REASON_NOT_AUTHORIZED},
	{"nobody", "nobody", NULL, REASON_NOT_AUTHORIZED},
	{"nobody", "anna", NULL, REASON_NOT_AUTHORIZED},
	{"forged", "anna", NULL, CONNACK_NONE}, /* TLS ends it */
};

static void a_certificate_signs_in(void **state)
{
	struct scene s = begin();
	struct client *client;

	(void)state;
	for (size_t i = 0; i < COUNT(attempts); i++) {
		client = open_with(&s, s.port, attempts[i].certificate, attempts[i].user, attempts[i].password, NULL);
		if (client->connack != attempts[i].connack)
			fail_msg("%s with %s's certificate: CONNACK %d", attempts[i].user, attempts[i].certificate,
			         client->connack);
		client_free(client);
	}
	/* Without TLS there is no certificate. */
	client = client_open(s.house, &(struct client_options){.user = "anna"});
	assert_int_equal(client->connack, NOT_ALLOWED);
	client_free(client);
	end(&s);
}

static void a_certificate_is_not_all(void **state)
{
	static const char *const changes[] = {
		"{'command':'disableAccount','username':'anna'}",
		"{'command':'modifyAccount','username':'anna','disabled':null,'expires':'2020-01-01T00:00:00Z'}",
		"{'command':'modifyAccount','username':'anna','expires':null,'clientIds':['phone']}",
		"{'command':'modifyAccount','username':'anna','clientIds':null,'certificate':false}",
	};
	struct scene s = begin();
	struct client *client = open_with(&s, s.port, "anna", "anna", NULL, "tablet");

	(void)state;
	assert_int_equal(client->connack, 0);
	client_subscribe(client, TOPIC);
	house_signal(s.house, SIGHUP);
	house_wait_log(s.house, "Reloading config");
	client_publish(s.admin, TOPIC, "1");
	client_expect(client, TOPIC, "1", SOON); /* it is asked for again, and still there */
	for (size_t i = 0; i < COUNT(changes); i++) {
		accounts_do(s.admin, "%s", changes[i]);
		if (i == 0)
			assert_true(client_ends(client, SOON));
		client_free(client);
		client = open_with(&s, s.port, "anna", "anna", NULL, "tablet");
		if (client->connack != REASON_NOT_AUTHORIZED)
			fail_msg("%s: CONNACK %d", changes[i], client->connack);
	}
	client_free(client);
	end(&s);
}

/* Mosquitto signs these in by itself, whatever their accounts say of certificates; what they may do is their accounts'. */
static void an_identity_has_its_accounts_rights(void **state)
{
	static const struct {
		const char *certificate;
		bool allowed;
	} identities[] = {{"anna", true}, {"ben", true}, {"nobody", false}};
	struct scene s = begin();
	struct client *client;

	(void)state;
	for (size_t i = 0; i < COUNT(identities); i++) {
		bool allowed = identities[i].allowed, may_read, may_write;

		client = open_with(&s, s.identity_port, identities[i].certificate, "admin", ACCOUNTS_PASSWORD, NULL);
		if (client->connack != 0) {
			assert_false(allowed);
			client_free(client);
			continue;
		}
		may_read = client_try_subscribe(client, "hall/#") < 128;
		may_write = client_publish_bytes(client, TOPIC, "1", 1, false) != REASON_NOT_AUTHORIZED;
		if (may_read != allowed || may_write != allowed)
			fail_msg("%s: read %d, write %d", identities[i].certificate, may_read, may_write);
		assert_int_equal(client_publish_bytes(client, "hall/lamp/led/state", "1", 1, false), REASON_NOT_AUTHORIZED);
		client_free(client);
	}
	client = open_with(&s, s.identity_port, "anna", NULL, NULL, NULL);
	assert_int_equal(client->connack, 0);
	client_subscribe(client, CONTROL_RESPONSE);
	accounts_do(client, "{'command':'whoAmI'}");
	accounts_do(s.admin, "{'command':'disableAccount','username':'anna'}");
	assert_true(client_ends(client, SOON));
	client_free(client);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_certificate_signs_in, client_teardown),
		cmocka_unit_test_teardown(a_certificate_is_not_all, client_teardown),
		cmocka_unit_test_teardown(an_identity_has_its_accounts_rights, client_teardown),
	};

	return cmocka_run_group_tests_name("sign_in_certificate", tests, NULL, NULL);
}
