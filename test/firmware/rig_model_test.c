/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rig_model_test: the WizFi250 that the rig simulates: every row of its AT dialogue, each error, its
 * connection, and its wires (rig_model_wire.h).
 */
#include "rig_model_fixture.h"
#include "rig_model_wire.h"

/* ---- commands that need no peer ---- */

enum stage { STARTED, WITH_NETWORK, JUST_JOINED };

struct line {
	const char *command, *answer;
	enum stage stage;
	unsigned ms;
};

#define X16  "xxxxxxxxxxxxxxxx"
#define X64  X16 X16 X16 X16
#define X240 X64 X64 X64 X16 X16 X16

static void answers_each_command(void **state)
{
	static const struct line lines[] = {
		{"AT\r", OK, STARTED, 2},
		{"\nA\nT\n\r", OK, STARTED, 2},
		{"\r", "", STARTED, 2},
		{"AT\n", "", STARTED, 2},
		{"AT+MECHO=1\r", OK, STARTED, 2},
		{"AT+MECHO=2\r", INPUT, STARTED, 2},
		{"AT+WSET=0,home\r", OK, STARTED, 2},
		{"AT+WSET=0,\r", INPUT, STARTED, 2},
		{"AT+WSET=0," X16 X16 "\r", OK, STARTED, 2},
		{"AT+WSET=0," X16 X16 "x\r", INPUT, STARTED, 2},
		{"AT+WSET=1,home\r", MODE, STARTED, 2},
		{"AT+WSEC=0,,12345678\r", OK, STARTED, 2},
		{"AT+WSEC=0,WPA2AES,with,commas\r", OK, STARTED, 2},
		{"AT+WSEC=0,,1234567\r", INPUT, STARTED, 2},
		{"AT+WSEC=0,," X64 "\r", INPUT, STARTED, 2},
		{"AT+WSEC=0,NONE,12345678\r", INPUT, STARTED, 2},
		{"AT+WSEC=0,OPEN\r", OK, STARTED, 2},
		{"AT+WNET=1\r", OK, STARTED, 2},
		{"AT+WNET=0,10.0.0.2,255.0.0.0,10.0.0.1\r", OK, STARTED, 2},
		{"AT+WNET=0,10.0.0.2\r", INPUT, STARTED, 2},
		{"AT+WJOIN\r", WIFI, STARTED, 2},
		{"AT+WLEAVE\r", WIFI, STARTED, 2},
		{"AT+FDNS=broker,1000\r", WIFI, STARTED, 2},
		{"AT+SCON=O,TCN,127.0.0.1,1883,,0\r", WIFI, STARTED, 2},
		{"AT+SSEND=0,,,5\r", WIFI, STARTED, 2},
		{"AT+SMGMT=ALL\r", OK, STARTED, 2},
		{"AT+NOTHING\r", INPUT, STARTED, 2},
		{"ATX\r", INPUT, STARTED, 2},
		{"at\r", INPUT, STARTED, 2},
		{"AT+WJOINT\r", INPUT, STARTED, 2},
		{"AT+WSET=0,home," X240 "x\r", OK, STARTED, 2},     /* 256 bytes */
		{"AT+WSET=0,home," X240 "xx\r", INPUT, STARTED, 2}, /* 257 */
		{"AT+WJOIN\r", "", WITH_NETWORK, 299},
		{"AT+WJOIN\r", JOINED, WITH_NETWORK, 300},
		{"AT+WSCAN\r",
	     "Index/SSID/BSSID/RSSI(-dBm)/MaxDataRate(Mbps)/NetworkType/Security/RadioBand(GHz)/Channel\r\n"
	     "1/home/aa:bb:cc:dd:ee:ff/-45/54.0/Infra/WPA2/2.4GHz/6\r\n"
	     "2/next door/aa:bb:cc:dd:ee:fe/-71/54.0/Infra/WPA2/2.4GHz/11\r\n" OK,
	     WITH_NETWORK, 1500},
		{"AT+WJOIN\rAT\r", "[ERROR]\r\n" JOINED, WITH_NETWORK, 300},
		{"AT\rAT\r", "[ERROR]\r\n" OK, WITH_NETWORK, 2},
		{"AT+WJOIN\r", WIFI, JUST_JOINED, 2},
		{"AT+WLEAVE\r", "\r\n[Link-Down Event]\r\n" OK, JUST_JOINED, 2},
		{"AT+FDNS=broker.local,1000\r", "", JUST_JOINED, 49},
		{"AT+FDNS=broker.local,1000\r", "127.0.0.1\r\n" OK, JUST_JOINED, 50},
		{"AT+FDNS=127.0.0.9,1000\r", "127.0.0.9\r\n" OK, JUST_JOINED, 50},
		{"AT+FDNS=nobody,1000\r", "", JUST_JOINED, 999},
		{"AT+FDNS=nobody,1000\r", "[ERROR]\r\n", JUST_JOINED, 1000},
		{"AT+FDNS=nobody\r", INPUT, JUST_JOINED, 2},
		{"AT+SCON=O,TCN,broker.local,1883,,0\r", INPUT, JUST_JOINED, 2},
		{"AT+SCON=O,TCN,127.0.0.1,65536,,0\r", INPUT, JUST_JOINED, 2},
		{"AT+SCON=O,UCN,127.0.0.1,1883,,0\r", INPUT, JUST_JOINED, 2},
		{"AT+SCON=O,TCN,127.0.0.1,1883\r", INPUT, JUST_JOINED, 2},
		{"AT+SCON=O,TCN,127.0.0.1,1883,,1\r", MODE, JUST_JOINED, 2},
		{"AT+SCON=O,TCN,192.0.2.1,1883,,0\r", OK "\r\n[DISCONNECT 0]\r\n", JUST_JOINED, 8},
		{"AT+SSEND=0,,,5\r", SCID, JUST_JOINED, 2},
		{"AT+SMGMT=0\r", SCID, JUST_JOINED, 2},
		{"AT+SMGMT=SOME\r", INPUT, JUST_JOINED, 2},
		{"AT+MRESET\r", OK "\r\n[Reset Event]\r\n", JUST_JOINED, 2},
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct scene *scene = *state;

		if (lines[i].stage == JUST_JOINED)
			join(scene);
		else
			start(scene);
		assert_true(wizfi250_name(scene->module, "broker.local", "127.0.0.1"));
		if (lines[i].stage == WITH_NETWORK) {
			say(scene, "AT+WSET=0,home\r", 2, OK);
			say(scene, "AT+WSEC=0,,correct horse\r", 2, OK);
		}
		say(scene, lines[i].command, lines[i].ms, lines[i].answer);
		wizfi250_power(scene->module, false, scene->now);
	}
}

static void echoes_until_told_not_to(void **state)
{
	struct scene *scene = *state;

	wizfi250_power(scene->module, true, scene->now);
	say(scene, "AT\r", 999, ""); /* it does not listen yet */
	pass(scene, 1);
	expect(scene, BANNER);
	say(scene, "AT\r", 2, "AT\r" OK);
	say(scene, "AT\r\n", 2, "AT\r\n" OK);
	say(scene, "AT+MECHO=0\r", 2, "AT+MECHO=0\r" OK);
	say(scene, "AT\r", 2, OK);
}

static void does_not_join_what_is_not_there(void **state)
{
	struct scene *scene = *state;

	start(scene);
	say(scene, "AT+WSET=0,other\r", 2, OK);
	say(scene, "AT+WSEC=0,,correct horse\r", 2, OK);
	say(scene, "AT+WJOIN\r", 2999, "");
	say(scene, "", 1, "[ERROR]\r\n");
	say(scene, "AT+WSET=0,home\r", 2, OK);
	say(scene, "AT+WSEC=0,,wrong horse\r", 2, OK);
	say(scene, "AT+WJOIN\r", 3000, "[ERROR]\r\n");
	say(scene, "AT+WSEC=0,,correct horse\r", 2, OK);
	wizfi250_access_point(scene->module, false, scene->now);
	say(scene, "AT+WJOIN\r", 3000, "[ERROR]\r\n");
	wizfi250_access_point(scene->module, true, scene->now);
	wizfi250_dhcp(scene->module, WIZFI250_DHCP_OFF);
	say(scene, "AT+WJOIN\r", 4299, LINK_UP);
	say(scene, "", 1, "[ERROR]\r\n");
	say(scene, "AT+SCON=O,TCN,127.0.0.1,%,,0\r", 2, WIFI);
	wizfi250_dhcp(scene->module, WIZFI250_DHCP_ZERO);
	say(scene, "AT+WJOIN\r", 300, LINK_UP "  IP Addr    : 0.0.0.0\r\n  Gateway    : 0.0.0.0\r\n[OK]\r\n");
	say(scene, "AT+SCON=O,TCN,127.0.0.1,%,,0\r", 8, OK "\r\n[DISCONNECT 0]\r\n");
}

/* ---- a connection ---- */

static void sends_exactly_what_was_announced(void **state)
{
	struct scene *scene = *state;

	join(scene);
	connect_to_peer(scene);
	say(scene, "AT+SSEND=0,,,11\r", 2, "[0,,,11]\r\n");
	say(scene, "hello", 20, "");
	peer_hears_nothing(scene);
	say(scene, "\r\nAT+W", 1, ""); /* eleven bytes, whatever they are */
	peer_has(scene, "hello\r\nAT+W");
	say(scene, "", 1, OK);
	say(scene, "AT\r", 2, OK);
	say(scene, "AT+SSEND=0,,,2048\r", 2, "[0,,,2048]\r\n");
}

static void refuses_sizes_and_sockets(void **state)
{
	static const struct {
		const char *command, *answer;
	} cases[] = {
		{"AT+SSEND=0,,,0\r", INPUT},
		{"AT+SSEND=0,,,2049\r", INPUT},
		{"AT+SSEND=0,,,x\r", INPUT},
		{"AT+SSEND=0,,\r", INPUT},
		{"AT+SSEND=1,,,5\r", SCID},
		{"AT+SSEND=0,10.0.0.1,1,5\r", INPUT},
		{"AT+SSEND=0,,,5,many\r", INPUT},
		{"AT+SCON=O,TCN,127.0.0.1,%,,0\r", SCID},
		{"AT+SSEND=0,,,1,1000\r", "[0,,,1]\r\n"},
	};
	struct scene *scene = *state;

	join(scene);
	connect_to_peer(scene);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		say(scene, cases[i].command, 2, cases[i].answer);
}

static void hands_over_what_comes(void **state)
{
	static char many[3000];
	struct scene *scene = *state;
	char wanted[100];
	size_t heads[3];

	join(scene);
	connect_to_peer(scene);
	peer_sends(scene, "two\r\nlines", 10);
	expect(scene, "{0,127.0.0.1,%,10}two\r\nlines\r\n");
	/* 3,000 bytes are three parts. */
	memset(many, 'x', sizeof many);
	peer_sends(scene, many, sizeof many);
	heads[0] = (size_t)snprintf(wanted, sizeof wanted, "{0,127.0.0.1,%s,1460}", scene->port);
	heads[1] = heads[0];
	heads[2] = (size_t)snprintf(wanted, sizeof wanted, "{0,127.0.0.1,%s,80}", scene->port);
	for (int ms = 0; ms < SOON_MS && scene->length < sizeof many + heads[0] + heads[1] + heads[2] + 6; ms++) {
		poll(NULL, 0, 1);
		pass(scene, 1);
	}
	assert_int_equal(scene->length, sizeof many + heads[0] + heads[1] + heads[2] + 6);
	assert_string_equal(scene->said + scene->length - 82 - heads[2] + 0, strstr(scene->said, wanted));
}

static void hands_over_what_comes_while_it_is_sent_to(void **state)
{
	struct scene *scene = *state;

	join(scene);
	connect_to_peer(scene);
	say(scene, "AT+SSEND=0,,,4\r", 2, "[0,,,4]\r\n");
	say(scene, "ab", 1, "");
	peer_sends(scene, "set", 3);
	expect(scene, "{0,127.0.0.1,%,3}set\r\n");
	say(scene, "cd", 2, OK);
	peer_has(scene, "abcd");
}

static void tells_that_the_peer_has_closed(void **state)
{
	struct scene *scene = *state;

	join(scene);
	connect_to_peer(scene);
	peer_sends(scene, "last", 4);
	close(scene->peer);
	scene->peer = -1;
	expect(scene, "{0,127.0.0.1,%,4}last\r\n\r\n[DISCONNECT 0]\r\n");
	say(scene, "AT+SSEND=0,,,4\r", 2, SCID);
	/* In the middle of a command's bytes: it takes them all the same. */
	connect_to_peer(scene);
	say(scene, "AT+SSEND=0,,,4\r", 2, "[0,,,4]\r\n");
	close(scene->peer);
	scene->peer = -1;
	expect(scene, "\r\n[DISCONNECT 0]\r\n");
	say(scene, "AT+\r", 2, SCID);
	/* Nobody listens. */
	close(scene->listener);
	scene->listener = -1;
	send_text(scene, "AT+SCON=O,TCN,127.0.0.1,%,,0\r");
	expect(scene, OK "\r\n[DISCONNECT 0]\r\n");
}

static void closes_when_told(void **state)
{
	struct scene *scene = *state;

	join(scene);
	connect_to_peer(scene);
	say(scene, "AT+SMGMT=ALL\r", 2, OK);
	peer_sees_the_end(scene);
	connect_to_peer(scene);
	wizfi250_drop(scene->module, scene->now);
	expect(scene, "");
	listen_to(scene);
	expect(scene, "\r\n[DISCONNECT 0]\r\n");
	peer_sees_the_end(scene);
}

/* A module that goes away tells its peer nothing. */
static void vanishes(void **state)
{
	struct scene *scene = *state;

	join(scene);
	connect_to_peer(scene);
	wizfi250_access_point(scene->module, false, scene->now);
	say(scene, "", 1, "\r\n[Link-Down Event]\r\n");
	say(scene, "AT+SSEND=0,,,4\r", 2, WIFI);
	peer_hears_nothing(scene);

	wizfi250_access_point(scene->module, true, scene->now);
	say(scene, "AT+WJOIN\r", 300, JOINED);
	connect_to_peer(scene);
	wizfi250_restart(scene->module, scene->now);
	say(scene, "", 1048, "\r\n[Reset Event]\r\n");
	say(scene, "", 2, BANNER);
	peer_hears_nothing(scene);
	wizfi250_power(scene->module, false, scene->now);

	join(scene);
	connect_to_peer(scene);
	wizfi250_freeze(scene->module, scene->now);
	say(scene, "AT\r", 5000, "");
	peer_hears_nothing(scene);
	wizfi250_pin(scene->module, true, scene->now);
	pass(scene, 9);
	wizfi250_pin(scene->module, false, scene->now); /* too short */
	say(scene, "AT\r", 5000, "");
	wizfi250_pin(scene->module, true, scene->now);
	pass(scene, 10);
	wizfi250_pin(scene->module, false, scene->now);
	say(scene, "", 999, "");
	say(scene, "", 1, BANNER);
	say(scene, "AT+SSEND=0,,,4\r", 2, "AT+SSEND=0,,,4\r" WIFI);
}

static void lets_nothing_pass_while_stalled(void **state)
{
	struct scene *scene = *state;

	join(scene);
	connect_to_peer(scene);
	socket_stall(wizfi250_socket(scene->module), true);
	say(scene, "AT+SSEND=0,,,4\r", 2, "[0,,,4]\r\n");
	say(scene, "lost", 2, OK);
	peer_sends(scene, "late", 4);
	say(scene, "", 60000, "");
	peer_hears_nothing(scene);
	socket_stall(wizfi250_socket(scene->module), false);
	expect(scene, "{0,127.0.0.1,%,4}late\r\n");
	peer_has(scene, "lost");

	socket_stall(wizfi250_socket(scene->module), true);
	say(scene, "AT+SMGMT=ALL\r", 2, OK);
	peer_hears_nothing(scene);
	say(scene, "AT+SCON=O,TCN,127.0.0.1,%,,0\r", 5000, OK);
	say(scene, "", 4, "\r\n[DISCONNECT 0]\r\n");
}

/* While nobody fetches, the peer is held back; nothing is lost. */
static void holds_the_peer_back(void **state)
{
	static uint8_t block[65536];
	struct scene *scene = *state;
	size_t sent = 0, got = 0, frame = 0;
	uint8_t byte;
	char head[40];
	size_t head_length = 0;

	for (size_t i = 0; i < sizeof block; i++)
		block[i] = (uint8_t)(i * 31 + i / 256);
	join(scene);
	connect_to_peer(scene);
	peer_sends(scene, block, sizeof block);
	sent = sizeof block;
	for (int ms = 0; ms < 50; ms++) {
		scene->now += 1000;
		wizfi250_poll(scene->module, scene->now);
		poll(NULL, 0, 1);
	}
	assert_in_range(wizfi250_waiting(scene->module), 2048, 2048 + 1460 + 40);
	for (int ms = 0; ms < SOON_MS && got < sent; ms++) {
		scene->now += 1000;
		wizfi250_poll(scene->module, scene->now);
		if (!wizfi250_waiting(scene->module))
			poll(NULL, 0, 1);
		while (wizfi250_give(scene->module, &byte)) {
			if (frame) {
				assert_int_equal(byte, block[got++]);
				frame--;
				continue;
			}
			/* "\r\n" of the part before, then "{0,ip,port,n}" */
			assert_true(head_length < sizeof head - 1);
			head[head_length++] = (char)byte;
			if (byte != '}')
				continue;
			head[head_length] = '\0';
			frame = strtoul(strrchr(head, ',') + 1, NULL, 10);
			head_length = 0;
		}
	}
	assert_int_equal(got, sent);
}

static void counts_the_traffic(void **state)
{
	struct scene *scene = *state;
	const struct socket_traffic *traffic;

	join(scene);
	connect_to_peer(scene);
	pass(scene, 30000);
	say(scene, "AT+SSEND=0,,,4\r", 2, "[0,,,4]\r\n");
	say(scene, "ping", 2, OK);
	peer_sends(scene, "pong!", 5);
	expect(scene, "{0,127.0.0.1,%,5}pong!\r\n");
	traffic = socket_traffic(wizfi250_socket(scene->module), 0);
	assert_non_null(traffic);
	assert_int_equal(traffic->sent, 4);
	assert_int_equal(traffic->received, 5);
	assert_in_range(traffic->longest_gap, 30000000, 30100000);
	assert_in_range(socket_longest_gap(wizfi250_socket(scene->module), scene->now), 30000000, 30100000);
	assert_in_range(socket_longest_gap(wizfi250_socket(scene->module), scene->now), 0, SOON_MS * 1000);
	assert_null(socket_traffic(wizfi250_socket(scene->module), 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_each_command),
		TEST(echoes_until_told_not_to),
		TEST(does_not_join_what_is_not_there),
		TEST(sends_exactly_what_was_announced),
		TEST(refuses_sizes_and_sockets),
		TEST(hands_over_what_comes),
		TEST(hands_over_what_comes_while_it_is_sent_to),
		TEST(tells_that_the_peer_has_closed),
		TEST(closes_when_told),
		TEST(vanishes),
		TEST(lets_nothing_pass_while_stalled),
		TEST(holds_the_peer_back),
		TEST(counts_the_traffic),
		TEST(escapes_both_ways),
		TEST(stops_the_host_when_its_buffer_fills),
		TEST(floats_freezes_and_lies),
		TEST(stands_garbage),
	};

	return cmocka_run_group_tests_name("rig_model", tests, NULL, NULL);
}
