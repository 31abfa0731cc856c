/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * at_test: what a WizFi250 says, in dialogues as its guide prints them, odd ones, and damaged ones. Each is fed in every split into
 * two reads, and told as text: see tell().
 */
#include "at.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

_Static_assert(sizeof(struct at_in) <= 80, "it has to fit into a small RAM");

#define BANNER "WizFi250 Version 1.0.5.2 (WIZnet Co.Ltd)"
#define TEN    "0123456789"
#define TOLD   4096

/* ---- telling what happened ---- */

struct told {
	size_t length;
	int socket; /* whose data is being told; -1: none */
	char text[TOLD];
};

static void add(struct told *told, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	const int length = vsnprintf(told->text + told->length, TOLD - told->length, format, arguments);
	va_end(arguments);
	assert_in_range(length, 0, TOLD - told->length - 1);
	told->length += (size_t)length;
}

static void add_byte(struct told *told, uint8_t byte)
{
	add(told, byte >= ' ' && byte <= '~' ? "%c" : "<%02X>", byte);
}

/* Events are told with a blank before each, the bytes of data without one: " ok prompt=5 data0=hello line=Hi". */
static void tell(struct told *told, const struct at_in *in, enum at_event event, uint8_t byte)
{
	static const char *const words[] = {
		[AT_OK] = " ok",
		[AT_ERROR] = " error",
		[AT_PROMPT] = " prompt",
		[AT_CONNECTED] = " connect",
		[AT_DISCONNECTED] = " disconnect",
		[AT_LINK_UP] = " up",
		[AT_LINK_DOWN] = " down",
		[AT_RESET] = " reset",
		[AT_LINE] = " line=",
	};

	if (event == AT_NOTHING)
		return;
	if (event == AT_DATA) {
		if (told->socket != in->number)
			add(told, " data%X=", in->number);
		told->socket = in->number;
		add_byte(told, byte);
		return;
	}
	told->socket = -1;
	add(told, "%s", words[event]);
	if (event == AT_PROMPT || event == AT_CONNECTED || event == AT_DISCONNECTED)
		add(told, "=%u", in->number);
	assert_non_null(memchr(in->line, '\0', sizeof in->line));
	if (event == AT_LINE)
		for (const char *at = in->line; *at != '\0'; at++)
			add_byte(told, (uint8_t)*at);
}

/*
 * Feeds in two reads. The parser begins in memory that was full of `before`, and at the split it moves house: the second
 * read goes to a copy, the original is overwritten, and another parser is given other bytes in between.
 */
static void feed(struct told *told, const char *bytes, size_t count, size_t split, int before)
{
	struct at_in *first = malloc(sizeof *first);
	struct at_in *second = malloc(sizeof *second);
	struct at_in other;

	assert_non_null(first);
	assert_non_null(second);
	told->length = 0;
	told->socket = -1;
	told->text[0] = '\0';
	memset(first, before, sizeof *first);
	at_in_reset(first);
	for (size_t i = 0; i < split; i++)
		tell(told, first, at_feed(first, (uint8_t)bytes[i]), (uint8_t)bytes[i]);
	memcpy(second, first, sizeof *second);
	memset(first, ~before, sizeof *first);
	at_in_reset(&other);
	for (const char *at = "\n[CONNECT 7]\r{3,1.1.1.1,1,9}[OK"; *at != '\0'; at++)
		at_feed(&other, (uint8_t)*at);
	for (size_t i = split; i < count; i++)
		tell(told, second, at_feed(second, (uint8_t)bytes[i]), (uint8_t)bytes[i]);
	free(first);
	free(second);
}

/* ---- dialogues ---- */

#define SAID(literal) (literal), sizeof(literal) - 1

static const struct {
	const char *what;
	const char *said;
	size_t said_count;
	const char *told;
} dialogues[] = {
	/* As they should be. */
	{"a command is done", SAID("\r\n[OK]\r\n"), " ok"},
	{"without a line end before", SAID("[OK]\r\n"), " ok"},
	{"an error", SAID("\r\n[ERROR]\r\n"), " error"},
	{"invalid input", SAID("[ERROR: INVALID INPUT]\r\n"), " error"},
	{"invalid socket", SAID("[ERROR: INVALID SCID]\r\n"), " error"},
	{"not joined", SAID("[ERROR: WiFi Status]\r\n"), " error"},
	{"in data mode", SAID("[ERROR: Mode Status]\r\n"), " error"},
	{"power on", SAID("\r\n" BANNER "\r\n"), " reset"},
	{"it resets itself", SAID("\r\n[Reset Event]\r\n" BANNER "\r\n"), " reset reset"},
	{"it joins", SAID("\r\n[Link-Up Event]\r\n  IP Addr    : 192.168.1.20\r\n  Gateway    : 192.168.1.1\r\n[OK]\r\n"),
     " up line=  IP Addr    : 192.168.1.20 line=  Gateway    : 192.168.1.1 ok"},
	{"it finds no network", SAID("Joining : home\r\n[ERROR]\r\n"), " line=Joining : home error"},
	{"joined without DHCP", SAID("\r\n[Link-Up Event]\r\n[ERROR]\r\n"), " up error"},
	{"it loses the network", SAID("\r\n[DISCONNECT 0]\r\n\r\n[Link-Down Event]\r\n"), " disconnect=0 down"},
	{"it finds a name's address", SAID("93.184.216.34\r\n[OK]\r\n"), " line=93.184.216.34 ok"},
	{"it looks around", SAID("No/SSID/BSSID\r\n1/home/aa:bb:cc:dd:ee:ff/-45/54.0/Infra/WPA2/2.4GHz/6\r\n[OK]\r\n"),
     " line=No/SSID/BSSID line=1/home/aa:bb:cc:dd:ee:ff/-45/54.0/Infra/WPA2/2.4GHz/6 ok"},
	{"it connects", SAID("[OK]\r\n\r\n[CONNECT 0]\r\n"), " ok connect=0"},
	{"it cannot connect", SAID("[OK]\r\n\r\n[DISCONNECT 0]\r\n"), " ok disconnect=0"},
	{"it sends", SAID("[0,,,42]\r\n[OK]\r\n"), " prompt=42 ok"},
	{"it sends to somebody", SAID("[1,192.168.1.2,5000,7]\r\n"), " prompt=7"},
	{"the most it sends", SAID("[0,,,2048]\r\n"), " prompt=2048"},
	{"it receives", SAID("{0,192.168.1.2,1883,4}\x20\x02\x00\x00\r\n"), " data0= <02><00><00>"},
	{"the last socket, either case", SAID("{F,10.0.0.1,1,1}a\r\n{f,10.0.0.1,1,1}b\r\n"), " dataF=ab"},
	{"two sockets", SAID("{0,10.0.0.1,1,2}ab\r\n{A,10.0.0.1,1,2}cd\r\n"), " data0=ab dataA=cd"},
	{"data between prompt and result", SAID("[0,,,4]\r\n{0,10.0.0.1,1883,2}\xD0\x01\r\n[OK]\r\n"),
     " prompt=4 data0=<D0><01> ok"},
	{"data that reads like events", SAID("{0,10.0.0.1,1883,20}\r\n[OK]\r\n{0,1,1,5}\r\r\r[ERROR]\r\n"),
     " data0=<0D><0A>[OK]<0D><0A>{0,1,1,5}<0D><0D><0D> error"},
	{"data and no line end behind it", SAID("{0,10.0.0.1,1,3}abc[OK]\r\n{0,10.0.0.1,1,1}d{0,10.0.0.1,1,1}e"),
     " data0=abc ok data0=de"},
	{"no data", SAID("{0,10.0.0.1,1883,0}\r\n[OK]\r\n"), " ok"},
	{"no data, twice, then some", SAID("{0,10.0.0.1,1,0}{0,10.0.0.1,1,0}{0,10.0.0.1,1,1}a"), " data0=a"},
	{"nobody's address", SAID("{0,,,2}hi\r\n"), " data0=hi"},
	{"leading zeros", SAID("{00,010.0.0.1,00080,002}hi\r\n[0,,,0012]\r\n"), " data0=hi prompt=12"},

	/* Odd. */
	{"LF alone", SAID("[OK]\n[CONNECT 0]\n"), " ok connect=0"},
	{"CR alone", SAID("[OK]\r[CONNECT F]\r"), " ok connect=15"},
	{"empty lines", SAID("\r\n\r\n\n\n\r\r"), ""},
	{"nothing ends the line", SAID("[OK]"), ""},
	{"another case", SAID("[ok]\r\n[Link-up event]\r\n"), " line=[ok] line=[Link-up event]"},
	{"more in the line", SAID("[OK] \r\n [OK]\r\n[OK][OK]\r\n[Reset Event]!\r\n"),
     " line=[OK]  line= [OK] line=[OK][OK] line=[Reset Event]!"},
	{"less in the line", SAID("[OK\r\n[ERRO\r\n[CONNECT \r\n[\r\nWizFi250\r\n"),
     " line=[OK line=[ERRO line=[CONNECT  line=[ line=WizFi250"},
	{"a brace within a line", SAID("a{0,10.0.0.1,1,3}\r\n[OK]\r\n"), " line=a{0,10.0.0.1,1,3} ok"},
	{"a closing brace begins a line", SAID("}\r\n[OK]\r\n"), " line=} ok"},
	{"other sockets",
     SAID("[CONNECT 10]\r\n[CONNECT G]\r\n[CONNECT]\r\n[CONNECT  0]\r\n[DISCONNECT 0\r\n[DISCONNECT b]\r\n"),
     " line=[CONNECT 10] line=[CONNECT G] line=[CONNECT] line=[CONNECT  0] line=[DISCONNECT 0 disconnect=11"},
	{"other prompts",
     SAID("[0,,,2049]\r\n[0,,5]\r\n[0,,,]\r\n[,,,5]\r\n[0,,,-5]\r\n[0,,,5\r\n[0,,,5]x\r\n[0,,,5}\r\n[0,a,,5]\r\n[0,,,"
          "65541]\r\n"),
     " line=[0,,,2049] line=[0,,5] line=[0,,,] line=[,,,5] line=[0,,,-5] line=[0,,,5 line=[0,,,5]x line=[0,,,5} "
     "line=[0,a,,5]"
     " line=[0,,,65541]"},

	/* Damaged: dropped up to the line's end, and then all is well again. */
	{"no length", SAID("{0,10.0.0.1,1883,}[OK]\r\n[OK]\r\n"), " ok"},
	{"a length that is none", SAID("{0,10.0.0.1,1883,1x}ab\r\n[OK]\r\n"), " ok"},
	{"a negative length", SAID("{0,10.0.0.1,1883,-1}ab\r\n[OK]\r\n"), " ok"},
	{"too long by one", SAID("{0,10.0.0.1,1883,2049}ab\r\n[OK]\r\n"), " ok"},
	{"2^16 + 2", SAID("{0,10.0.0.1,1883,65538}ab\r\n[OK]\r\n"), " ok"},
	{"no socket", SAID("{,10.0.0.1,1883,2}ab\r\n[OK]\r\n"), " ok"},
	{"no such socket", SAID("{G,10.0.0.1,1883,2}ab\r\n{10,10.0.0.1,1883,2}ab\r\n[OK]\r\n"), " ok"},
	{"a field too few", SAID("{0,10.0.0.1,2}ab\r\n[OK]\r\n"), " ok"},
	{"a field too many", SAID("{0,10.0.0.1,1883,2,2}ab\r\n[OK]\r\n"), " ok"},
	{"a damaged address", SAID("{0,10.0x0.1,1883,2}ab\r\n[OK]\r\n"), " ok"},
	{"no closing brace", SAID("{0,10.0.0.1,1883,2\r\n[OK]\r\n"), " ok"},
	{"the wrong bracket", SAID("{0,10.0.0.1,1883,2]ab}\r\n[OK]\r\n"), " ok"},
	{"nothing in it", SAID("{}\r\n{\r\n{}}{}\r\n[OK]\r\n"), " ok"},
	{"a second chance in the line", SAID("{x}{0,10.0.0.1,1,2}ab{0,10.0.0.1,1,2}\r\n{0,10.0.0.1,1,1}a"), " data0=a"},
	{"two headers, the first cut off", SAID("{0,10.0{0,10.0.0.1,1,2}[OK]\r\n[OK]\r\n"), " ok"},
	{"a header longer than any line", SAID("{0," TEN TEN TEN TEN TEN TEN ",1,2}ab\r\n[OK]\r\n"), " ok"},
	{"a NUL within a header", SAID("{0,10.0.0.1,1,2\0}ab\r\n[OK]\r\n"), " ok"},
	{"garbage", SAID("\xFF\xFE\x01\x02[OK]\r\n[OK]\r\n"), " line=<FF><FE><01><02>[OK] ok"},
	{"garbage with a NUL", SAID("ab\0cd\r\n\0[OK]\r\n[OK]\r\n"), " line=ab line= ok"},
	{"bytes lost within a result", SAID("\r\n[O]\r\n[OK]\r\n"), " line=[O] ok"},
	{"63 bytes, and 64", SAID(TEN TEN TEN TEN TEN TEN "abc\r\n" TEN TEN TEN TEN TEN TEN "abcd\r\n[OK]\r\n"),
     " line=" TEN TEN TEN TEN TEN TEN "abc line=" TEN TEN TEN TEN TEN TEN "abc ok"},
	{"an error with much to say", SAID("[ERROR: " TEN TEN TEN TEN TEN TEN TEN "]\r\n[OK]\r\n"), " error ok"},
};
#define DIALOGUES (sizeof dialogues / sizeof *dialogues)

static void every_dialogue_in_every_split(void **state)
{
	(void)state;
	struct told told;
	size_t splits = 0;

	for (size_t i = 0; i < DIALOGUES; i++)
		for (size_t split = 0; split <= dialogues[i].said_count; split++, splits++) {
			feed(&told, dialogues[i].said, dialogues[i].said_count, split, (int)(split % 2 ? 0x00 : 0xA5));
			if (strcmp(told.text, dialogues[i].told) != 0)
				fail_msg("%s, split at %zu: \"%s\"", dialogues[i].what, split, told.text);
		}
	print_message("%zu dialogues, %zu splits\n", DIALOGUES, splits);
}

/* Any dialogue leaves the parser ready for any other, as long as it ended its last line. */
static void any_dialogue_behind_any_other(void **state)
{
	(void)state;
	struct told told;

	for (size_t a = 0; a < DIALOGUES; a++)
		for (size_t b = 0; b < DIALOGUES; b++) {
			char said[512];
			char wanted[TOLD];
			size_t count = 0;
			memcpy(said, dialogues[a].said, dialogues[a].said_count);
			count += dialogues[a].said_count;
			count += (size_t)snprintf(said + count, sizeof said - count, "\r\n[ERROR]\r\n");
			memcpy(said + count, dialogues[b].said, dialogues[b].said_count);
			count += dialogues[b].said_count;
			feed(&told, said, count, 0, 0);
			snprintf(wanted, sizeof wanted, "%s%s error%s", dialogues[a].told,
			         strcmp(dialogues[a].what, "nothing ends the line") == 0 ? " ok" : "", dialogues[b].told);
			assert_string_equal(told.text, wanted);
		}
}

/* ---- lengths ---- */

/* Headers of every length up to what the module sends, each followed by bytes that would be events, then by an event. */
static void data_of_every_length(void **state)
{
	(void)state;
	static const char lure[] = "\r\n[OK]\r\n{0,1.1.1.1,1,9}";

	for (unsigned length = 0; length <= AT_DATA_MAX; length++) {
		struct at_in in;
		char header[40];
		at_in_reset(&in);
		snprintf(header, sizeof header, "{%X,255.255.255.255,65535,%u}", length % 16, length);
		for (const char *at = header; *at != '\0'; at++)
			assert_int_equal(at_feed(&in, (uint8_t)*at), AT_NOTHING);
		for (unsigned i = 0; i < length; i++) {
			assert_int_equal(at_feed(&in, (uint8_t)lure[i % (sizeof lure - 1)]), AT_DATA);
			assert_int_equal(in.number, length % 16);
		}
		for (const char *at = "\r\n[OK]"; *at != '\0'; at++)
			assert_int_equal(at_feed(&in, (uint8_t)*at), AT_NOTHING);
		assert_int_equal(at_feed(&in, '\r'), AT_OK);
	}
}

/* However much of one byte comes, the next line is understood. */
static void a_flood_ends_with_the_line(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte <= 0xFF; byte++) {
		struct at_in in;
		unsigned lines = 0;
		at_in_reset(&in);
		for (unsigned i = 0; i < 70000; i++)
			assert_int_equal(at_feed(&in, (uint8_t)byte), AT_NOTHING);
		for (const char *at = "\r\n[OK]"; *at != '\0'; at++)
			lines += at_feed(&in, (uint8_t)*at) != AT_NOTHING;
		assert_int_equal(lines, byte == '\r' || byte == '\n' || byte == '{' ? 0 : 1);
		assert_int_equal(at_feed(&in, '\n'), AT_OK);
	}
}

static void a_reset_forgets(void **state)
{
	(void)state;
	static const char *const begun[] = {"[ERR", "{0,10.0.0.1,1,2048}abc", "{0,10", "{bad}",
	                                    TEN TEN TEN TEN TEN TEN TEN};

	for (size_t i = 0; i < sizeof begun / sizeof *begun; i++) {
		struct at_in in;
		at_in_reset(&in);
		for (const char *at = begun[i]; *at != '\0'; at++)
			at_feed(&in, (uint8_t)*at);
		at_in_reset(&in);
		assert_null(at_line_address(&in));
		for (const char *at = "[OK]"; *at != '\0'; at++)
			assert_int_equal(at_feed(&in, (uint8_t)*at), AT_NOTHING);
		assert_int_equal(at_feed(&in, '\r'), AT_OK);
	}
}

/* ---- addresses ---- */

static void addresses(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		const char *address; /* NULL: none */
	} cases[] = {
		{"192.168.1.20", "192.168.1.20"},
		{"  IP Addr    : 192.168.1.20", "192.168.1.20"},
		{"  Gateway    : 10.0.0.1", "10.0.0.1"},
		{"a: b: 1.2.3.4", "1.2.3.4"},
		{": 1.2.3.4", "1.2.3.4"},
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"001.002.003.004", "001.002.003.004"},
		{"256.1.1.1", NULL},
		{"1.1.1.256", NULL},
		{"0001.1.1.1", NULL},
		{"1.2.3", NULL},
		{"1.2.3.", NULL},
		{"1.2.3.4.", NULL},
		{"1.2.3.4.5", NULL},
		{".1.2.3.4", NULL},
		{"1..2.3", NULL},
		{"1.2.3.4 ", NULL},
		{" 1.2.3.4", NULL},
		{"1.2.3.a", NULL},
		{"1,2,3,4", NULL},
		{"-1.2.3.4", NULL},
		{"IP:1.2.3.4", NULL},
		{"1.2.3.4: ", NULL},
		{"1.2.3.4: x", NULL},
		{"1.2.3.4 : 300.2.3.4", NULL},
		{"1/1.2.3.4/aa:bb:cc:dd:ee:ff/-45", NULL},
		{"x", NULL},
		{":", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct at_in in;
		at_in_reset(&in);
		for (const char *at = cases[i].line; *at != '\0'; at++)
			at_feed(&in, (uint8_t)*at);
		assert_int_equal(at_feed(&in, '\r'), AT_LINE);
		const char *address = at_line_address(&in);
		if (cases[i].address == NULL)
			assert_null(address);
		else
			assert_string_equal(address, cases[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_dialogue_in_every_split),
		cmocka_unit_test(any_dialogue_behind_any_other),
		cmocka_unit_test(data_of_every_length),
		cmocka_unit_test(a_flood_ends_with_the_line),
		cmocka_unit_test(a_reset_forgets),
		cmocka_unit_test(addresses),
	};
	return cmocka_run_group_tests_name("at", tests, NULL, NULL);
}
