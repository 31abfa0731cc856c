/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * What the firmware takes of the ATmega328P: flash and static RAM by the sections of its ELF, the stack by the paint that is left of it
 * after a session in which all is done that can be done. Printed, and held against their limits.
 */
#include "../../firmware/board.h"
#include "board_scene.h"

#include <elf.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FLASH_MAX (14 * 1024)

#define NOW_S 5

/* ---- the ELF ---- */

/* As avr-size has it: data is in both, for it is copied at the start. */
struct sizes {
	unsigned flash, ram;
};

/* Data addresses have this added in an ELF of avr-gcc; EEPROM, fuses and others lie higher. */
#define DATA_FROM   0x800000U
#define EEPROM_FROM 0x810000U

static void add_section(struct sizes *sizes, const Elf32_Shdr *section)
{
	bool in_ram = section->sh_addr >= DATA_FROM && section->sh_addr < EEPROM_FROM;

	if ((section->sh_flags & SHF_ALLOC) == 0 || section->sh_addr >= EEPROM_FROM)
		return;
	if (section->sh_type == SHT_PROGBITS)
		sizes->flash += section->sh_size;
	if (in_ram)
		sizes->ram += section->sh_size;
}

static struct sizes read_sizes(const char *path)
{
	struct sizes sizes = {0};
	FILE *in = fopen(path, "re");
	Elf32_Ehdr header;

	if (in == NULL || fread(&header, sizeof(header), 1, in) != 1 || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS32 || header.e_shentsize != sizeof(Elf32_Shdr)) {
		fail_msg("%s is no ELF of a small machine", path);
		return sizes;
	}
	assert_int_equal(fseek(in, (long)header.e_shoff, SEEK_SET), 0);
	for (unsigned i = 0; i < header.e_shnum; i++) {
		Elf32_Shdr section;

		assert_int_equal(fread(&section, sizeof(section), 1, in), 1);
		add_section(&sizes, &section);
	}
	fclose(in);
	return sizes;
}

static const char *firmware(void)
{
	const char *path = getenv("HEARTH_FIRMWARE");

	return path == NULL || path[0] == '\0' ? "build/firmware/hearth.elf" : path;
}

static void flash_and_static_ram_are_within_their_limits(void **state)
{
	struct sizes sizes = read_sizes(firmware());

	(void)state;
	print_message("firmware: flash %u of %d B, static RAM %u of %d B\n", sizes.flash, FLASH_MAX, sizes.ram,
	              BOARD_STATIC_MAX);
	assert_in_range(sizes.flash, 1, FLASH_MAX);
	assert_in_range(sizes.ram, 1, BOARD_STATIC_MAX);
}

/* ---- the session ---- */

static void type_all(const struct board_scene *s)
{
	static const char *const lines[] = {
		"help",           "show",
		"status",         "set device another one with a name that is as long as a line may be at the very most",
		"set safe_led 9", "save",
		"test",           "set no_such_name 1",
		"bogus",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		board_do(s, "type %s", lines[i]);
		board_passes(s, strcmp(lines[i], "test") == 0 ? 13 : strcmp(lines[i], "save") == 0 ? 3 : 0.5);
	}
}

static void command_all(const struct board_scene *s)
{
	static const char *const sets[][2] = {
		{"led", "128"},      {"motor", "-200"},  {"window", "55"}, {"door", "open"},
		{"buzzer", "alarm"}, {"buzzer", "3210"}, {"led", "128.0"}, {"led", "nothing of what an LED could understand"},
		{"heater", "1"},     {"motor", "999"},   {"window", "x"},  {"door", "-4"},
		{"buzzer", "7"},     {"buzzer", "0"},
	};
	char *payload = malloc(2048), topic[300];

	assert_non_null(payload);
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		board_set(s, sets[i][0], sets[i][1]);
	board_passes(s, 2);
	/* Longer than any buffer of the board's. */
	memset(payload, '1', 2047);
	payload[2047] = '\0';
	board_set(s, "led", payload);
	memset(topic, 'n', sizeof(topic));
	snprintf(topic, sizeof(topic), BOARD "/%0250d/set", 1);
	client_publish(s->admin, topic, "1");
	board_passes(s, 1);
	free(payload);
}

/* Some of each sensor in a batch, and a fire among them. */
static void be_offline(const struct board_scene *s)
{
	board_do(s, "wifi off");
	for (int i = 0; i < 12; i++) {
		board_do(s, "light %d", 80 * i);
		board_do(s, "temperature %d.%d", i - 20, i % 10);
		board_do(s, "humidity %d.5", 99 - i);
		board_do(s, "flame %s", i == 11 ? "on" : "off");
		board_passes(s, 2);
	}
	board_do(s, "wifi on");
	board_comes_online(s);
	board_reads(s, NOW_S, "fire", 1);
	board_set(s, "buzzer", "off"); /* a tone is slow to simulate */
}

static void all_that_can_be_done_fits_the_stack(void **state)
{
	struct board_scene s = board_scene_begin("--virtual", "period_s 1;safe_after_s 15;safe_led 30;safe_window 0");
	int deepest;

	(void)state;
	command_all(&s);
	board_do(&s, "flame on");
	board_reads(&s, NOW_S, "fire", 1);
	board_do(&s, "flame off");
	board_set(&s, "buzzer", "off");
	be_offline(&s);
	board_do(&s, "dht silent");
	board_passes(&s, 7);
	board_do(&s, "dht ok");
	board_do(&s, "tcp garbage 300");
	board_passes(&s, 1);
	board_comes_online(&s);
	board_do(&s, "wire garbage 500");
	board_do(&s, "module reset");
	board_passes(&s, 1);
	board_comes_online(&s);
	board_do(&s, "type scan");
	board_comes_online(&s);
	client_drain(s.admin, NULL);
	type_all(&s);
	board_comes_online(&s);
	/* It has lived through all that. */
	assert_int_equal(rig_count(s.rig, "reset"), 1);
	deepest = board_stack(&s);
	print_message("firmware: deepest stack %d of %d B\n", deepest, BOARD_STACK_MAX);
	assert_in_range(deepest, 1, BOARD_STACK_MAX);
	board_scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flash_and_static_ram_are_within_their_limits),
		cmocka_unit_test_teardown(all_that_can_be_done_fits_the_stack, board_scene_teardown),
	};

	return cmocka_run_group_tests_name("device size", tests, NULL, NULL);
}
