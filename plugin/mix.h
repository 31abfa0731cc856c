/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mix: two words into one in which each bit hangs on all of theirs; the step of which hashes of names are made.
 */
#ifndef HEARTH_MIX_H
#define HEARTH_MIX_H

#include <stdint.h>

/* Decimals of the golden ratio and of the square root of 2; odd. */
#define MIX_GOLDEN UINT64_C(0x9E3779B97F4A7C15)
#define MIX_ROOT   UINT64_C(0x6A09E667F3BCC909)

/* The two halves of a 64 × 64 → 128 bit product, folded; something like it where a machine (32-bit ARM) has no such product. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t low = (a & UINT32_MAX) * (b >> 32 | 1) + (a >> 32);
	uint64_t high = (a >> 32 | 1) * (b & UINT32_MAX) + b;
	low = (low ^ high >> 29) * MIX_GOLDEN;
	high = (high ^ low >> 31) * MIX_ROOT;
	return low ^ high ^ high >> 32;
#endif
}

#endif
