/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registers: data addresses and bits of the ATmega328P that the rig looks at (Microchip DS40002061, register summary).
 */
#ifndef SIM_REGISTERS_H
#define SIM_REGISTERS_H

#define REGISTER_PIN(port)  (0x23 + 3 * ((port) - 'B'))
#define REGISTER_DDR(port)  (0x24 + 3 * ((port) - 'B'))
#define REGISTER_PORT(port) (0x25 + 3 * ((port) - 'B'))

#define REGISTER_EECR  0x3F
#define REGISTER_EEDR  0x40
#define REGISTER_EEARL 0x41
#define REGISTER_EEARH 0x42
#define EECR_EEPE      0x02
#define EECR_EEMPE     0x04

#define REGISTER_TCCR0A 0x44
#define REGISTER_TCCR0B 0x45
#define REGISTER_OCR0A  0x47
#define REGISTER_OCR0B  0x48
#define REGISTER_TCCR1A 0x80
#define REGISTER_TCCR1B 0x81
#define REGISTER_ICR1L  0x86
#define REGISTER_OCR1AL 0x88
#define REGISTER_OCR1BL 0x8A

#define REGISTER_SPCR 0x4C
#define REGISTER_SPSR 0x4D
#define REGISTER_SPDR 0x4E
#define SPSR_SPI2X    0x01
#define SPCR_SPR      0x03

#define REGISTER_MCUSR 0x54
#define MCUSR_PORF     0x01
#define MCUSR_EXTRF    0x02
#define MCUSR_BORF     0x04
#define MCUSR_WDRF     0x08

#define RAM_BEGIN 0x0100
#define RAM_END   0x08FF

#endif
