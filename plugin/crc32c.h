/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crc32c: CRC-32C (Castagnoli, reflected 0x82F63B78, as in RFC 3720 appendix B.4).
 */
#ifndef HEARTH_CRC32C_H
#define HEARTH_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of bytes, continuing `crc` (0 to begin). Any thread. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);

/* The same without the processor's own CRC instruction: what crc32c does where there is none. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len);

#endif
