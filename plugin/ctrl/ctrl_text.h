/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_text: text for a terminal.
 *
 * Names and messages come from whoever could write them, so nothing that steers a terminal is ever printed: control
 * characters (C0, DEL, C1), those that turn the direction of writing or cannot be seen, and bytes that are no UTF-8. Columns are
 * aligned by the width that a terminal gives each character: two for a Hangul syllable, none for an accent of its own.
 */
#ifndef HEARTH_CTRL_TEXT_H
#define HEARTH_CTRL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The text with U+FFFD in place of each character that must not be printed. The caller frees it. */
char *ctrl_text_clean(const char *text);

/* JSON text, to which nothing is done but that such characters become \uXXXX: it says the same. The caller frees it. */
char *ctrl_text_clean_json(const char *json);

/* Columns of a terminal that a cleaned text takes. */
size_t ctrl_text_width(const char *text);

/* A text is changed into another by so many insertions, deletions, replacements and swaps of neighbours. */
size_t ctrl_text_distance(const char *a, const char *b);

/* Could one be meant who wrote the other? Case does not count. */
bool ctrl_text_near(const char *a, const char *b);

/* Rows of cells; the first row is the heading. */
struct ctrl_grid {
	size_t columns;
	size_t count, room; /* cells */
	char **cells;
	bool plain; /* no heading: every row is content */
};

/* Adds the next cell, row by row; cleans and copies it. */
void ctrl_grid_add(struct ctrl_grid *grid, const char *text);
/* Prints it with aligned columns, those of numbers to the right, and frees its cells. */
void ctrl_grid_print(struct ctrl_grid *grid, FILE *out);

#endif
