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

_Static_assert(sizeof(struct at_in) <= 52, "it has to fit into a small RAM");

#define BANNER "WizFi250 Version 1.0.5.2 (WIZnet Co.Ltd)"
#define TEN    "0123456789"
#define TOLD   4096

/* ---- telling what happened ---- */

struct told {
	size_t length;
	bool data; /* is being told */
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

/* Events are told with a blank before each, the bytes of data without one: " ok prompt data=hello line=Hi". */
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
		[AT_STARTED] = " started",
		[AT_LINE] = " line=",
	};

	if (event == AT_NOTHING)
		return;
	if (event == AT_DATA) {
		if (!told->data)
			add(told, " data=");
		told->data = true;
		add_byte(told, byte);
		return;
	}
	told->data = false;
	add(told, "%s", words[event]);
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
	struct at_in other = {0};

	assert_non_null(first);
	assert_non_null(second);
	told->length = 0;
	told->data = false;
	told->text[0] = '\0';
	memset(first, 0, sizeof *first);
	memset(first->line, before, sizeof first->line);
	for (size_t i = 0; i < split; i++)
		tell(told, first, at_feed(first, (uint8_t)bytes[i]), (uint8_t)bytes[i]);
	memcpy(second, first, sizeof *second);
	memset(first, ~before, sizeof *first);
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
	{"power on", SAID("\r\n" BANNER "\r\n"), " started"},
	{"it resets itself", SAID("\r\n[Reset Event]\r\n" BANNER "\r\n"), " line=[Reset Event] started"},
	{"it joins", SAID("\r\n[Link-Up Event]\r\n  IP Addr    : 192.168.1.20\r\n  Gateway    : 192.168.1.1\r\n[OK]\r\n"),
     " up line=  IP Addr    : 192.168.1.20 line=  Gateway    : 192.168.1.1 ok"},
	{"it finds no network", SAID("Joining : home\r\n[ERROR]\r\n"), " line=Joining : home error"},
	{"joined without DHCP", SAID("\r\n[Link-Up Event]\r\n[ERROR]\r\n"), " up error"},
	{"it loses the network", SAID("\r\n[DISCONNECT 0]\r\n\r\n[Link-Down Event]\r\n"), " disconnect down"},
	{"it finds a name's address", SAID("93.184.216.34\r\n[OK]\r\n"), " line=93.184.216.34 ok"},
	{"it looks around", SAID("No/SSID/BSSID\r\n1/home/aa:bb:cc:dd:ee:ff/-45/54.0/Infra/WPA2/2.4GHz/6\r\n[OK]\r\n"),
     " line=No/SSID/BSSID line=1/home/aa:bb:cc:dd:ee:ff/-45/54.0/Infra/WPA2/2. ok"},
	{"it connects", SAID("[OK]\r\n\r\n[CONNECT 0]\r\n"), " ok connect"},
	{"it cannot connect", SAID("[OK]\r\n\r\n[DISCONNECT 0]\r\n"), " ok disconnect"},
	{"it sends", SAID("[0,,,42]\r\n[OK]\r\n"), " prompt ok"},
	{"it receives", SAID("{0,192.168.1.2,1883,4}\x20\x02\x00\x00\r\n"), " data= <02><00><00>"},
	{"the longest header", SAID("{0,255.255.255.255,65535,2}ab\r\n"), " data=ab"},
	{"data between prompt and result", SAID("[0,,,4]\r\n{0,10.0.0.1,1883,2}\xD0\x01\r\n[OK]\r\n"),
     " prompt data=<D0><01> ok"},
	{"data that reads like events", SAID("{0,10.0.0.1,1883,20}\r\n[OK]\r\n{0,1,1,5}\r\r\r[ERROR]\r\n"),
     " data=<0D><0A>[OK]<0D><0A>{0,1,1,5}<0D><0D><0D> error"},
	{"data and no line end behind it", SAID("{0,10.0.0.1,1,3}abc[OK]\r\n{0,10.0.0.1,1,1}d{0,10.0.0.1,1,1}e"),
     " data=abc ok data=de"},
	{"no data", SAID("{0,10.0.0.1,1883,0}\r\n[OK]\r\n"), " ok"},
	{"no data, twice, then some", SAID("{0,10.0.0.1,1,0}{0,10.0.0.1,1,0}{0,10.0.0.1,1,1}a"), " data=a"},
	{"nobody's address", SAID("{0,,,2}hi\r\n"), " data=hi"},
	{"leading zeros", SAID("{00,010.0.0.1,00080,002}hi\r\n[0,,,0012]\r\n"), " data=hi prompt"},

	/* Odd. */
	{"LF alone", SAID("[OK]\n[CONNECT 0]\n"), " ok connect"},
	{"CR alone", SAID("[OK]\r[DISCONNECT 0]\r"), " ok disconnect"},
	{"empty lines", SAID("\r\n\r\n\n\n\r\r"), ""},
	{"nothing ends the line", SAID("[OK]"), ""},
	{"another case", SAID("[ok]\r\n[link-up event]\r\n"), " line=[ok] line=[link-up event]"},
	{"more in front", SAID(" [OK]\r\nx" BANNER "\r\n"), " line= [OK] line=xWizFi250 Version 1.0.5.2 (WIZnet Co.Ltd)"},
	{"more behind", SAID("[OK] \r\n[OK][ERROR]\r\n[Link-Up Event]!\r\n"), " ok ok up"},
	{"less in the line", SAID("[OK\r\n[ERRO\r\n[CONNECT \r\n[\r\nWizFi250\r\n[0,,\r\n[Link-\r\n[Link-Dow\r\n"),
     " line=[OK line=[ERRO line=[CONNECT  line=[ line=WizFi250 line=[0,, line=[Link- line=[Link-Dow"},
	{"less than the line before", SAID("[OK]\r\n[O\r\n[ERROR]\r\n[ERR\r\n"), " ok line=[O error line=[ERR"},
	{"a brace within a line", SAID("a{0,10.0.0.1,1,3}\r\n[OK]\r\n"), " line=a{0,10.0.0.1,1,3} ok"},
	{"a closing brace begins a line", SAID("}\r\n[OK]\r\n"), " line=} ok"},
	{"other sockets", SAID("[CONNECT 10]\r\n[CONNECT 1]\r\n[CONNECT]\r\n[CONNECT  0]\r\n[DISCONNECT 0\r\n"),
     " line=[CONNECT 10] line=[CONNECT 1] line=[CONNECT] line=[CONNECT  0] line=[DISCONNECT 0"},
	{"other prompts", SAID("[0,,5]\r\n[,,,5]\r\n[1,,,5]\r\n[0,a,,5]\r\n"),
     " line=[0,,5] line=[,,,5] line=[1,,,5] line=[0,a,,5]"},

	/* Damaged: at most a line and what it announces is lost, and then all is well again. */
	{"no length", SAID("{0,10.0.0.1,1883,}[OK]\r\n[OK]\r\n"), " ok ok"},
	{"a length that is none", SAID("{0,10.0.0.1,1883,x}ab\r\n[OK]\r\n"), " line=ab ok"},
	{"too long by one", SAID("{0,10.0.0.1,1883,2048}ab\r\n[OK]\r\n"), " line=ab ok"},
	{"2^16", SAID("{0,10.0.0.1,1883,65536}ab\r\n[OK]\r\n"), " line=ab ok"},
	{"no closing brace", SAID("{0,10.0.0.1,1883,2\r\n[OK]\r\n"), " line={0,10.0.0.1,1883,2 ok"},
	{"the wrong bracket", SAID("{0,10.0.0.1,1883,2]ab}\r\n[OK]\r\n"), " data=<0D><0A> ok"},
	{"nothing in it", SAID("{}\r\n{\r\n{}}{}\r\n[OK]\r\n"), " line={ line=}{} ok"},
	{"a second chance in the line", SAID("{x}{0,10.0.0.1,1,2}ab\r\n[OK]\r\n"), " data=ab ok"},
	{"two headers, the first cut off", SAID("{0,10.0{0,10.0.0.1,1,2}ab\r\n[OK]\r\n"), " data=ab ok"},
	{"a NUL within a header", SAID("{0,10.0.0.1,1,2\0009}ab\r\n[OK]\r\n"), " data=ab ok"},
	{"garbage", SAID("\xFF\xFE\x01\x02[OK]\r\n[OK]\r\n"), " line=<FF><FE><01><02>[OK] ok"},
	{"garbage with a NUL", SAID("ab\0cd\r\n\0[OK]\r\n[OK]\r\n"), " line=ab line= ok"},
	{"bytes lost within a result", SAID("\r\n[O]\r\n[OK]\r\n"), " line=[O] ok"},
	{"47 bytes, and 48", SAID(TEN TEN TEN TEN "1234567\r\n" TEN TEN TEN TEN "12345678\r\n[OK]\r\n"),
     " line=" TEN TEN TEN TEN "1234567 line=" TEN TEN TEN TEN "1234567 ok"},
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

static void say(struct at_in *in, const char *text)
{
	for (; *text != '\0'; text++)
		assert_int_equal(at_feed(in, (uint8_t)*text), AT_NOTHING);
}

/* Headers of every length up to what the module sends, each followed by bytes that would be events, then by an event. */
static void data_of_every_length(void **state)
{
	(void)state;
	static const char lure[] = "\r\n[OK]\r\n{0,1.1.1.1,1,9}";

	for (unsigned length = 0; length <= AT_DATA_MAX; length++) {
		struct at_in in = {0};
		char header[40];
		snprintf(header, sizeof header, "{0,255.255.255.255,65535,%u}", length);
		say(&in, header);
		for (unsigned i = 0; i < length; i++)
			assert_int_equal(at_feed(&in, (uint8_t)lure[i % (sizeof lure - 1)]), AT_DATA);
		say(&in, "\r\n[OK]");
		assert_int_equal(at_feed(&in, '\r'), AT_OK);
	}
}

/* Whatever a header says, it announces at most AT_DATA_MAX bytes, and what is too long to be kept is not read past its end. */
static void a_header_of_any_length(void **state)
{
	(void)state;
	for (unsigned digits = 0; digits < 200; digits++) {
		struct at_in *in = calloc(1, sizeof *in);
		assert_non_null(in);
		memset(in->line, '9', sizeof in->line);
		say(in, "{");
		for (unsigned i = 0; i < digits; i++)
			say(in, "9");
		say(in, "}");
		assert_in_range(in->remaining, 0, AT_DATA_MAX);
		for (unsigned i = 0; i < AT_DATA_MAX; i++)
			at_feed(in, 'x');
		at_feed(in, '\r');
		say(in, "[OK]");
		assert_int_equal(at_feed(in, '\r'), AT_OK);
		free(in);
	}
}

/* However much of one byte comes, the next line is understood. */
static void a_flood_ends_with_the_line(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte <= 0xFF; byte++) {
		struct at_in in = {0};
		unsigned lines = 0;
		for (unsigned i = 0; i < 70000; i++)
			assert_int_equal(at_feed(&in, (uint8_t)byte), AT_NOTHING);
		for (const char *at = "\r\n[OK]"; *at != '\0'; at++)
			lines += at_feed(&in, (uint8_t)*at) != AT_NOTHING;
		assert_int_equal(lines, byte == '\r' || byte == '\n' ? 0 : 1);
		assert_int_equal(at_feed(&in, '\n'), AT_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_dialogue_in_every_split), cmocka_unit_test(any_dialogue_behind_any_other),
		cmocka_unit_test(data_of_every_length),          cmocka_unit_test(a_header_of_any_length),
		cmocka_unit_test(a_flood_ends_with_the_line),
	};
	return cmocka_run_group_tests_name("at", tests, NULL, NULL);
}
