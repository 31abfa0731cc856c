/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rig: one simulated board that runs the firmware's real ELF, its surroundings, and a script on stdin. Its commands and what it
 * tells on stdout are the text of `rig --help` (rig_help.c).
 *
 *   script ─→ dht, sensors ─→ board ─→ observers ─→ events
 *                │              │ bus
 *                └─→ wizfi250_spi ─→ wizfi250 ─→ socket ─→ a real broker
 *
 * One thread, and no module waits: each slice of half a millisecond the board runs, then the module, the console and the script
 * are looked at, and what is left of the slice is slept (pace.h).
 */
#ifndef SIM_RIG_H
#define SIM_RIG_H

#include "board.h"
#include "bus.h"
#include "console.h"
#include "dht.h"
#include "eeprom.h"
#include "memory.h"
#include "observers.h"
#include "pace.h"
#include "sensors.h"
#include "wizfi250.h"

struct rig {
	struct board *board;
	struct wizfi250 *module;
	struct bus *bus;
	struct dht *dht;
	struct sensors *sensors;
	struct observers *observers;
	struct eeprom *eeprom;
	struct memory *memory;
	struct console *console;
	struct pace pace;
	bool quit;
	uint64_t run_until; /* of `run`, in cycles; 0: none runs */
};

extern const char rig_help[];

#endif
