/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sensors: simavr takes millivolts and converts with truncation; so a value is rounded up to the millivolts that give it.
 */
#include "sensors.h"

#include <simavr/avr_adc.h>
#include <stdlib.h>

#define FLAME_PIN  0
#define CDS        0
#define REFERENCE  5000U
#define FULL_SCALE 1023U

struct sensors {
	struct board *board;
	struct avr_irq_t *channels;
	unsigned light;
	bool flame;
};

static void drive(void *context)
{
	struct sensors *sensors = context;

	avr_raise_irq(sensors->channels + ADC_IRQ_ADC0 + CDS, (sensors->light * REFERENCE + FULL_SCALE - 1) / FULL_SCALE);
	board_drive(sensors->board, 'B', FLAME_PIN, !sensors->flame);
}

static void converting(struct avr_irq_t *irq, uint32_t value, void *parameter)
{
	struct sensors *sensors = parameter;

	(void)irq;
	(void)value;
	for (int channel = ADC_IRQ_ADC4; channel <= ADC_IRQ_ADC7; channel++)
		avr_raise_irq(sensors->channels + channel, (uint32_t)random() % REFERENCE);
	avr_raise_irq(sensors->channels + ADC_IRQ_TEMP, 300U + (uint32_t)random() % 32U);
}

struct sensors *sensors_new(struct board *board)
{
	struct sensors *sensors = calloc(1, sizeof *sensors);

	if (!sensors)
		return NULL;
	sensors->board = board;
	sensors->light = 500;
	sensors->channels = avr_io_getirq(board_avr(board), AVR_IOCTL_ADC_GETIRQ, 0);
	avr_irq_register_notify(sensors->channels + ADC_IRQ_OUT_TRIGGER, converting, sensors);
	board_on_reset(board, drive, sensors);
	return sensors;
}

void sensors_free(struct sensors *sensors)
{
	free(sensors);
}

void sensors_light(struct sensors *sensors, unsigned light)
{
	sensors->light = light;
	drive(sensors);
}

void sensors_flame(struct sensors *sensors, bool on)
{
	sensors->flame = on;
	drive(sensors);
}
