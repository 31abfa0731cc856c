/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * eeprom: simavr has already written when the program's write to EECR is seen here, and has cleared EEMPE, by which a write
 * that counted is known from one that came too late.
 */
#include "eeprom.h"

#include "registers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <simavr/avr_eeprom.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRITE_TAKES_US 3400

struct eeprom {
	struct board *board;
	const char *path;
	struct avr_irq_t *control;
	uint8_t *bytes;
	uint8_t saved[EEPROM_BYTES];
	unsigned long cut_in;
};

static avr_cycle_count_t write_done(struct avr_t *avr, avr_cycle_count_t when, void *parameter)
{
	(void)when;
	(void)parameter;
	avr->data[REGISTER_EECR] &= (uint8_t)~EECR_EEPE;
	return 0;
}

static void written(struct avr_irq_t *irq, uint32_t value, void *parameter)
{
	struct eeprom *eeprom = parameter;
	struct avr_t *avr = board_avr(eeprom->board);
	const unsigned address = avr->data[REGISTER_EEARL] + 256U * avr->data[REGISTER_EEARH];

	(void)irq;
	if (!(value & EECR_EEPE) || !(value & EECR_EEMPE) || (avr->data[REGISTER_EECR] & EECR_EEMPE))
		return;
	avr->data[REGISTER_EECR] |= EECR_EEPE;
	avr_cycle_timer_register(avr, BOARD_CYCLES(WRITE_TAKES_US), write_done, eeprom);
	if (!eeprom->cut_in || --eeprom->cut_in)
		return;
	eeprom->bytes[address % EEPROM_BYTES] = (uint8_t)random();
	board_cut(eeprom->board);
}

static bool load(struct eeprom *eeprom)
{
	FILE *file = fopen(eeprom->path, "rb");
	size_t length;

	if (!file) {
		if (errno == ENOENT)
			return true;
		fprintf(stderr, "rig: %s: %s\n", eeprom->path, strerror(errno));
		return false;
	}
	length = fread(eeprom->bytes, 1, EEPROM_BYTES, file);
	fclose(file);
	if (length != EEPROM_BYTES)
		fprintf(stderr, "rig: %s: holds %zu bytes, not %d\n", eeprom->path, length, EEPROM_BYTES);
	return length == EEPROM_BYTES;
}

static void lost_power(void *context)
{
	struct eeprom *eeprom = context;

	if (!board_powered(eeprom->board))
		eeprom_save(eeprom);
}

struct eeprom *eeprom_new(struct board *board, const char *path)
{
	struct eeprom *eeprom = calloc(1, sizeof *eeprom);
	struct avr_eeprom_desc_t whole = {.size = EEPROM_BYTES};

	if (!eeprom)
		return NULL;
	eeprom->board = board;
	eeprom->path = path;
	avr_ioctl(board_avr(board), AVR_IOCTL_EEPROM_GET, &whole);
	eeprom->bytes = whole.ee;
	if (path && !load(eeprom)) {
		free(eeprom);
		return NULL;
	}
	memcpy(eeprom->saved, eeprom->bytes, EEPROM_BYTES);
	eeprom->control = avr_iomem_getirq(board_avr(board), REGISTER_EECR, NULL, AVR_IOMEM_IRQ_ALL);
	avr_irq_register_notify(eeprom->control, written, eeprom);
	board_on_reset(board, lost_power, eeprom);
	return eeprom;
}

void eeprom_free(struct eeprom *eeprom)
{
	if (!eeprom)
		return;
	eeprom_save(eeprom);
	free(eeprom);
}

/* Under another name first, so that the file is whole at any moment. */
bool eeprom_save(struct eeprom *eeprom)
{
	char other[PATH_MAX];
	int file;
	bool done;

	if (!eeprom->path || memcmp(eeprom->saved, eeprom->bytes, EEPROM_BYTES) == 0)
		return true;
	snprintf(other, sizeof other, "%s.new", eeprom->path);
	file = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	done = file >= 0 && write(file, eeprom->bytes, EEPROM_BYTES) == EEPROM_BYTES;
	if (file >= 0)
		done = close(file) == 0 && done;
	done = done && rename(other, eeprom->path) == 0;
	if (!done) {
		fprintf(stderr, "rig: %s: %s\n", eeprom->path, strerror(errno));
		return false;
	}
	memcpy(eeprom->saved, eeprom->bytes, EEPROM_BYTES);
	return true;
}

void eeprom_cut(struct eeprom *eeprom, unsigned long writes)
{
	eeprom->cut_in = writes;
}

uint8_t *eeprom_bytes(struct eeprom *eeprom)
{
	return eeprom->bytes;
}
