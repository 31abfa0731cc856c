/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * settings: what makes this board this device, kept in EEPROM; and the number of its starts. Pure over eeprom.h.
 *
 * Two copies, each with version, length and CRC-16; a save writes one after the other, so that at any moment one of them is
 * whole, and a start with one that is not mends it from the other. Byte by byte: settings.c. Names, bounds and defaults: settings_text.c.
 */
#ifndef FIRMWARE_SETTINGS_H
#define FIRMWARE_SETTINGS_H

#include "text.h"

#define SETTINGS_KEEP INT16_MIN /* of a safe state: leave the actuator as it is */

enum dht_kind { DHT11 = 11, DHT22 = 22 };

struct settings {
	char ssid[33];     /* 1 … 32 bytes */
	char key[64];      /* empty: an open network; WPA2 wants 8 … 63 bytes */
	char broker[41];   /* address or name */
	char location[33]; /* topic levels: no / + # $ */
	char device[25];
	char secret[42]; /* the password; the user is LOCATION/DEVICE. Empty: signs in without either */
	uint16_t port;
	uint16_t period_s;     /* a value is sent at least so often: 1 … 3600 */
	uint16_t keepalive_s;  /* 10 … 600 */
	uint16_t safe_after_s; /* without a link for so long, the outputs go to their safe states; 0: never */
	int16_t safe[5];       /* by enum actuator (actuators.h): a level of at least 0, or SETTINGS_KEEP */
	uint16_t servo_us[4];  /* window closed, open, door closed, open: 500 … 2500 */
	int16_t change
		[3]; /* of temperature and humidity (tenths) and illuminance: a value that differs by so much is sent at once */
	uint16_t dht; /* enum dht_kind */
};

enum settings_found {
	SETTINGS_GOOD,
	SETTINGS_MENDED, /* the copies were not alike, since one was damaged or a save was cut off; they are now */
	SETTINGS_NONE    /* no copy, or both damaged: the defaults are set, and some are missing */
};

void settings_default(struct settings *settings);
enum settings_found settings_load(struct settings *settings);
void settings_save(const struct settings *settings);

/*
 * Sets one by its name ("ssid", "broker", "safe_led", …) from a text of at most 255 bytes without control characters. False: no such name
 * or not a value for it; then nothing is changed, and settings_wanted prints what is wanted: "1 to 65535", "0 to 255, or keep".
 */
bool settings_set(struct settings *settings, const char *name, const char *value);
void settings_wanted(const char *name);

/* Prints a line each: "port = 1883"; a secret as "(set)", or as nothing when it is empty. */
void settings_show(const struct settings *settings);

/* The name, in program memory, of the first that must be set before the device can go online, or NULL. */
const char *settings_missing(const struct settings *settings);

/*
 * Counts this start and returns its number, 1 … 2^32 − 1: never the same twice, whatever a power cut left of the last count. If both
 * places of the count are damaged or were never written, it goes on from `otherwise` as if that had been the last.
 */
uint32_t settings_count_start(uint32_t otherwise);

/* CRC-16/CCITT (polynomial 0x1021, high bit first): one more byte. From SETTINGS_CRC_START "123456789" gives 0x29B1. */
#define SETTINGS_CRC_START 0xFFFF
uint16_t settings_crc(uint16_t crc, uint8_t byte);

#endif
