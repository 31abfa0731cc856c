/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Whatever happens to a device, it comes back by itself: it publishes and obeys again, and its processor has not begun anew unless
 * that was the fault.
 *
 * Faults that take long have a board each. They begin at once, when all boards are online, and each ends when it has lasted long
 * enough, whichever test runs; so all of them together take little longer than the longest. What is quick happens meanwhile, one
 * fault after the other, to a board that they share.
 */
#include "accounts.h"
#include "boards.h"
#include "client.h"
#include "house.h"
#include "patience.h"
#include "rig.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A silence is noticed soon, at the price of more traffic. */
#define SETTINGS "period_s 5;keepalive_s 10"

/* From the end of a fault: the longest wait between two attempts, a quarter more for its jitter, and a whole attempt. */
#define BACK_S 60

struct fault {
	const char *name;
	void (*begin)(struct fault *fault);
	void (*end)(struct fault *fault); /* NULL: it is over by itself */
	const char *reset;                /* the one line about a reset that it causes; NULL: none */
	const char *trouble;              /* what the console says of it while it lasts; NULL: is not asked */
	int lasts_s;
	bool is_quick;
	bool is_outage;  /* lasts twenty times as long if TEST_LONG is set */
	bool is_unheard; /* the board keeps its connection throughout */
	bool is_felt;    /* it has lost its connection when the fault ends */

	bool is_over; /* and the board has come back */
	struct board *board;
	size_t resets, losses; /* of the board before it began */
	size_t losses_at_end;
	int64_t ends_ms; /* INT64_MAX: it has ended, or not begun */
};

static struct house *house, *other_house;
static struct client *admin, *other_admin;

/* ---- faults ---- */

static void drop(struct fault *fault)
{
	rig_do(fault->board->rig, "tcp drop");
}

static void stall(struct fault *fault)
{
	rig_do(fault->board->rig, "tcp stall on");
}

static void stall_no_more(struct fault *fault)
{
	rig_do(fault->board->rig, "tcp stall off");
}

static void lose_access_point(struct fault *fault)
{
	rig_do(fault->board->rig, "wifi off");
}

static void find_access_point(struct fault *fault)
{
	rig_do(fault->board->rig, "wifi on");
}

static void restart_module(struct fault *fault)
{
	rig_do(fault->board->rig, "module reset");
}

static void freeze_module(struct fault *fault)
{
	rig_do(fault->board->rig, "module freeze");
}

static void kill_broker(struct fault *fault)
{
	(void)fault;
	client_free(other_admin);
	other_admin = NULL;
	house_kill(other_house);
}

static void start_broker(struct fault *fault)
{
	house_start(other_house);
	other_admin = boards_admin(other_house);
	fault->board->admin = other_admin;
}

static void change_secret(struct fault *fault)
{
	accounts_do(admin, "{'command':'newSecret','location':'" BOARDS_LOCATION "','device':'%s'}", fault->board->name);
}

static void change_it_back(struct fault *fault)
{
	board_account(admin, fault->board->name);
}

/* An address is asked for when the network is joined. */
static void give_no_address(struct fault *fault)
{
	rig_do(fault->board->rig, "dhcp off");
	rig_do(fault->board->rig, "module reset");
}

static void give_address(struct fault *fault)
{
	rig_do(fault->board->rig, "dhcp on");
}

static void disturb_wire(struct fault *fault)
{
	rig_do(fault->board->rig, "wire garbage 1000");
}

static void disturb_connection(struct fault *fault)
{
	rig_do(fault->board->rig, "tcp garbage 1000");
}

static void hang(struct fault *fault)
{
	rig_do(fault->board->rig, "hang");
}

static void brown_out(struct fault *fault)
{
	rig_do(fault->board->rig, "power brownout");
}

static void pause_shortly(struct fault *fault)
{
	rig_do(fault->board->rig, "wire pause 1500");
}

static void pause_long(struct fault *fault)
{
	rig_do(fault->board->rig, "wire pause 15000");
}

static void know_no_name(struct fault *fault)
{
	rig_type(fault->board->rig, "set broker broker.house");
	rig_type(fault->board->rig, "save");
}

static void know_name(struct fault *fault)
{
	rig_do(fault->board->rig, "dns broker.house 127.0.0.1");
}

static void clock_to(struct fault *fault, const char *count)
{
	rig_do(fault->board->rig, "poke clock_count %s", count);
}

/* The wrap is sixteen seconds ahead: the session may end by the leap, which is no part of any clock, but not by the wrap. */
static void wrap_clock_online(struct fault *fault)
{
	clock_to(fault, "00C0FFFF");
}

static void look_at_clock(struct fault *fault)
{
	const struct rig_line *line = rig_last(fault->board->rig, "input poke");
	double wrapped = line->time + 16.384;

	line = rig_last(fault->board->rig, "module disconnected");
	if (line != NULL && line->time > wrapped - 6)
		fail_msg("the connection was lost at %f, the clock's wrap was at %f", line->time, wrapped);
	rig_do(fault->board->rig, "peek clock_count+2 2");
	rig_wait(fault->board->rig, 5, "ram 0000");
}

static void wrap_clock_waiting(struct fault *fault)
{
	rig_do(fault->board->rig, "wifi off");
	rig_wait(fault->board->rig, 5, "module left");
	clock_to(fault, "00F0FFFF");
}

/* The last one has a house of its own, whose broker goes away. */
static struct fault faults[] = {
	{.name = "connection dropped", .begin = drop, .is_quick = true},
	{.name = "brown-out", .begin = brown_out, .is_quick = true, .reset = "reset brownout"},
	{.name = "module resets itself", .begin = restart_module, .is_quick = true},
	{.name = "watchdog bites", .begin = hang, .is_quick = true, .reset = "reset watchdog"},
	{.name = "module holds up (XOFF)", .begin = pause_shortly, .is_quick = true, .is_unheard = true, .lasts_s = 2},
	{.name = "refused",
     .is_felt = true,
     .begin = change_secret,
     .end = change_it_back,
     .lasts_s = 10,
     .trouble = "user or secret refused"},
	{.name = "no address",
     .is_felt = true,
     .begin = give_no_address,
     .end = give_address,
     .lasts_s = 12,
     .trouble = "no address (DHCP)"},
	{.name = "no such name",
     .is_felt = true,
     .begin = know_no_name,
     .end = know_name,
     .lasts_s = 14,
     .trouble = "no such name (DNS)"},
	{.name = "garbage on the wire", .begin = disturb_wire},
	{.name = "garbage received", .begin = disturb_connection},
	{.name = "module frozen", .is_felt = true, .begin = freeze_module, .lasts_s = 12},
	{.name = "clock wraps while waiting",
     .is_felt = true,
     .begin = wrap_clock_waiting,
     .end = find_access_point,
     .lasts_s = 6},
	{.name = "module holds up for long", .begin = pause_long, .lasts_s = 16},
	{.name = "clock wraps", .begin = wrap_clock_online, .end = look_at_clock, .lasts_s = 20},
	{.name = "black hole", .is_felt = true, .begin = stall, .end = stall_no_more, .lasts_s = 25, .is_outage = true},
	{.name = "access point lost",
     .is_felt = true,
     .begin = lose_access_point,
     .end = find_access_point,
     .lasts_s = 30,
     .is_outage = true},
	{.name = "broker away",
     .is_felt = true,
     .begin = kill_broker,
     .end = start_broker,
     .lasts_s = 30,
     .is_outage = true},
};

#define FAULTS (sizeof(faults) / sizeof(faults[0]))

/* The first is shared; one that is elsewhere is the last. */
static struct board boards[FAULTS];
static size_t board_count;

/* ---- their course ---- */

static void begin(struct fault *fault)
{
	bool is_long = fault->is_outage && getenv("TEST_LONG") != NULL;

	fault->resets = board_resets(fault->board);
	fault->losses = board_losses(fault->board);
	fault->begin(fault);
	fault->ends_ms = now_ms() + fault->lasts_s * INT64_C(1000) * (is_long ? 20 : 1);
}

static void end(struct fault *fault)
{
	fault->ends_ms = INT64_MAX;
	if (fault->trouble != NULL)
		rig_type(fault->board->rig, "status");
	fault->losses_at_end = board_losses(fault->board);
	if (fault->end != NULL)
		fault->end(fault);
}

/* Ends what has lasted long enough. The clients must say something now and then. */
static void tend(void)
{
	for (size_t i = 0; i < FAULTS; i++)
		if (faults[i].ends_ms <= now_ms())
			end(&faults[i]);
	client_fence(admin);
	if (other_admin != NULL)
		client_fence(other_admin);
	look_again();
}

static void name_boards(void)
{
	static char names[FAULTS][8];

	boards[board_count++] = (struct board){.name = "quick", .more = SETTINGS};
	for (size_t i = 0; i < FAULTS; i++) {
		faults[i].ends_ms = INT64_MAX;
		faults[i].board = &boards[faults[i].is_quick ? 0 : board_count];
		if (faults[i].is_quick)
			continue;
		snprintf(names[i], sizeof(names[i]), "slow%zu", i);
		boards[board_count++] = (struct board){.name = names[i], .more = SETTINGS};
	}
}

static int begin_all(void **state)
{
	(void)state;
	house = accounts_house();
	other_house = accounts_house();
	admin = boards_admin(house);
	other_admin = boards_admin(other_house);
	name_boards();
	boards_begin(boards, board_count - 1, house, admin);
	boards_begin(&boards[board_count - 1], 1, other_house, other_admin);
	for (size_t i = 0; i < board_count; i++)
		if (!board_is_online(&boards[i], BACK_S))
			fail_msg("%s does not come online", boards[i].name);
	/* The last one needs its client, so it is looked at before. */
	for (size_t i = 0; i < FAULTS; i++)
		if (!faults[i].is_quick)
			begin(&faults[i]);
	return 0;
}

/* Boards of which a test failed are left, for rig_teardown to print their last lines. */
static int end_all(void **state)
{
	bool failed[FAULTS] = {false};

	for (size_t i = 0; i < FAULTS; i++)
		if (!faults[i].is_over)
			failed[faults[i].board - boards] = true;
	for (size_t i = 0; i < board_count; i++)
		if (!failed[i])
			board_end(&boards[i]);
	rig_teardown(state);
	client_free(admin);
	client_free(other_admin);
	house_free(house);
	house_free(other_house);
	return client_teardown(state);
}

/* ---- tests ---- */

static void expect_resets(const struct fault *fault)
{
	assert_int_equal(board_resets(fault->board) - fault->resets, fault->reset != NULL);
}

static void comes_back(void **state)
{
	struct fault *fault = *state;
	int64_t deadline;

	if (fault->is_quick)
		begin(fault);
	while (fault->ends_ms != INT64_MAX)
		tend();
	deadline = deadline_in(BACK_S * 1000);
	while (!board_publishes(fault->board, 1)) {
		if (now_ms() > deadline)
			fail_msg("%s: does not publish", fault->board->name);
		tend();
	}
	board_expect_obeys(fault->board);
	expect_resets(fault);
	if (fault->reset != NULL)
		assert_non_null(rig_last(fault->board->rig, fault->reset));
	if (fault->trouble != NULL) {
		char told[80];

		snprintf(told, sizeof(told), "console trouble: %s", fault->trouble);
		assert_non_null(rig_last(fault->board->rig, told));
	}
	if (fault->is_unheard)
		assert_int_equal(board_losses(fault->board), fault->losses);
	if (fault->is_felt)
		assert_int_not_equal(fault->losses_at_end, fault->losses);
	fault->is_over = true;
}

/* ---- commands that are too many or too large: none costs the connection ---- */

#define BURST 60

/* The newest state that comes, and the newest thing that is seen of the output. */
static void expect_at_last(struct board *board, const char *actuator, const char *state, const char *output)
{
	const char *topic = board_topic(board, actuator, "state");
	const struct message *message;

	while ((message = client_take(board->admin, topic, SOON)) != NULL && strcmp(message->payload, state) != 0)
		;
	if (message == NULL)
		fail_msg("%s was never %s", topic, state);
	client_expect_last(board->admin, topic, state);
	assert_string_equal(rig_last(board->rig, actuator)->text, output);
}

static void burst(int qos)
{
	struct board *board = &boards[0];
	size_t losses = board_losses(board);
	char text[16];

	for (int i = 1; i <= BURST; i++) {
		bool to_led = i % 2 == 0;
		int length = snprintf(text, sizeof(text), "%d", 100 * qos + i);

		assert_true(
			client_send(admin, board_topic(board, to_led ? "led" : "motor", "set"), text, (size_t)length, qos, false));
	}
	assert_true(client_flush(admin));
	snprintf(text, sizeof(text), "led %d", 100 * qos + BURST);
	expect_at_last(board, "led", text + strlen("led "), text);
	snprintf(text, sizeof(text), "%d", 100 * qos + BURST - 1);
	expect_at_last(board, "motor", text, qos == 0 ? "motor 59 forward" : "motor 159 forward");
	board_expect_alive(board, 10);
	assert_int_equal(board_losses(board), losses);
}

static void many_commands_qos_0(void **state)
{
	(void)state;
	burst(0);
}

static void many_commands_qos_1(void **state)
{
	(void)state;
	burst(1);
}

static void expect_error(struct board *board, const char *level, const char *code)
{
	const struct message *message = client_take(admin, board_topic(board, level, "error"), SOON);

	if (message == NULL)
		fail_msg("no %s", board->topic);
	else if (strstr(message->payload, code) == NULL)
		fail_msg("%s: %s, wanted %s", board->topic, message->payload, code);
}

static void long_topic(void **state)
{
	struct board *board = &boards[0];
	size_t losses = board_losses(board);
	char topic[301];
	int head = snprintf(topic, sizeof(topic), BOARDS_LOCATION "/%s/", board->name);

	(void)state;
	memset(topic + head, 'x', sizeof(topic) - (size_t)head);
	memcpy(topic + sizeof(topic) - sizeof("/set"), "/set", sizeof("/set"));
	client_publish(admin, topic, "1");
	expect_error(board, "device", "led, motor, window");
	board_expect_alive(board, 10);
	assert_int_equal(board_losses(board), losses);
}

static void large_payload(void **state)
{
	struct board *board = &boards[0];
	size_t losses = board_losses(board);
	char payload[2049];

	(void)state;
	memset(payload, '1', sizeof(payload) - 1);
	payload[sizeof(payload) - 1] = '\0';
	client_publish(admin, board_topic(board, "led", "set"), payload);
	expect_error(board, "led", "refused_set");
	board_expect_alive(board, 10);
	assert_int_equal(board_losses(board), losses);
}

/* Boards that came back stay. */
static void all_stay(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAULTS; i++) {
		if (!faults[i].is_over || faults[i].is_quick)
			continue;
		faults[i].is_over = false;
		board_expect_alive(faults[i].board, 5);
		expect_resets(&faults[i]);
		faults[i].is_over = true;
	}
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(many_commands_qos_0),
	cmocka_unit_test(many_commands_qos_1),
	cmocka_unit_test(long_topic),
	cmocka_unit_test(large_payload),
	cmocka_unit_test(all_stay),
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

/* While outages last, what is quick; then the rest. */
int main(void)
{
	struct CMUnitTest tests[FAULTS + OTHERS];
	size_t count = 0;

	for (size_t i = 0; i < FAULTS; i++)
		if (faults[i].is_quick)
			tests[count++] = (struct CMUnitTest){faults[i].name, comes_back, NULL, NULL, &faults[i]};
	for (size_t i = 0; i < OTHERS - 1; i++)
		tests[count++] = others[i];
	for (size_t i = 0; i < FAULTS; i++)
		if (!faults[i].is_quick)
			tests[count++] = (struct CMUnitTest){faults[i].name, comes_back, NULL, NULL, &faults[i]};
	tests[count] = others[OTHERS - 1];
	return cmocka_run_group_tests_name("faults", tests, begin_all, end_all);
}
