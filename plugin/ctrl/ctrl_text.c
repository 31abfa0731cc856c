/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_text: see ctrl_text.h. Characters are decoded here and not by the C library, whose answer depends on the locale.
 */
#include "ctrl_text.h"

#include "ctrl_command.h"

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

#define REPLACEMENT 0xFFFDU

/*
 * The code point at *text, which is moved behind it (RFC 3629). REPLACEMENT, one byte further, if there is none. Never looks
 * behind the NUL, since that is no continuation byte.
 */
static uint32_t next_point(const char **text, bool *valid)
{
	const unsigned char *byte = (const unsigned char *)*text;
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint32_t point = byte[0];
	unsigned more = point < 0x80 ? 0 : point < 0xC0 ? 4 : point < 0xE0 ? 1 : point < 0xF0 ? 2 : point < 0xF8 ? 3 : 4;

	*valid = false;
	*text += 1;
	if (more == 4)
		return REPLACEMENT;
	if (more > 0)
		point &= 0x3FU >> more;
	for (unsigned i = 1; i <= more; i++) {
		if ((byte[i] & 0xC0U) != 0x80)
			return REPLACEMENT;
		point = point << 6 | (byte[i] & 0x3FU);
	}
	if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
		return REPLACEMENT;
	*text += more;
	*valid = true;
	return point;
}

/* Does it steer the terminal, turn the direction of writing, or hide? */
static bool is_harmful(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C}, {0x200B, 0x200F},  {0x2028, 0x202E},
	              {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};

	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	return false;
}

char *ctrl_text_clean(const char *text)
{
	/* A replacement is three bytes, in place of at least one. */
	char *clean = ctrl_must(malloc(3 * strlen(text) + 1));
	char *to = clean;

	while (*text) {
		const char *from = text;
		bool valid;
		uint32_t point = next_point(&text, &valid);

		if (!valid || is_harmful(point))
			to = stpcpy(to, "\xEF\xBF\xBD");
		else
			to = mempcpy(to, from, (size_t)(text - from));
	}
	*to = '\0';
	return clean;
}

char *ctrl_text_clean_json(const char *json)
{
	/* At most two escapes of six bytes for one character. */
	char *clean = ctrl_must(malloc(12 * strlen(json) + 1));
	char *to = clean;

	while (*json) {
		const char *from = json;
		bool valid;
		uint32_t point = next_point(&json, &valid);

		/* The line feeds and tabs that lay it out stand between its strings. */
		if (valid && (!is_harmful(point) || point == '\n' || point == '\t'))
			to = mempcpy(to, from, (size_t)(json - from));
		else if (point < 0x10000)
			to += sprintf(to, "\\u%04x", (unsigned)point);
		else
			to += sprintf(to, "\\u%04x\\u%04x", 0xD800U + ((point - 0x10000) >> 10), 0xDC00U + (point & 0x3FFU));
	}
	*to = '\0';
	return clean;
}

size_t ctrl_text_width(const char *text)
{
	static locale_t utf8; /* wcwidth knows nothing beyond ASCII in the locale that a program starts in */
	locale_t before;
	size_t width = 0;

	if (!utf8)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	before = uselocale(utf8);
	while (*text) {
		bool valid;
		int columns = wcwidth((wchar_t)next_point(&text, &valid));

		width += columns < 0 ? 1 : (size_t)columns;
	}
	uselocale(before);
	return width;
}

#define WORD_MAX 40

/* Optimal string alignment distance, over bytes; see Wikipedia, "Damerau–Levenshtein distance". */
size_t ctrl_text_distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1][WORD_MAX + 1];
	size_t m = strlen(a), n = strlen(b);

	if (m > WORD_MAX || n > WORD_MAX)
		return strcmp(a, b) == 0 ? 0 : WORD_MAX;
	for (size_t i = 0; i <= m; i++)
		row[i][0] = i;
	for (size_t j = 0; j <= n; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= m; i++)
		for (size_t j = 1; j <= n; j++) {
			size_t best = row[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			if (best > row[i - 1][j] + 1)
				best = row[i - 1][j] + 1;
			if (best > row[i][j - 1] + 1)
				best = row[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && best > row[i - 2][j - 2] + 1)
				best = row[i - 2][j - 2] + 1;
			row[i][j] = best;
		}
	return row[m][n];
}

bool ctrl_text_near(const char *a, const char *b)
{
	size_t len = strlen(b);

	return strcasecmp(a, b) == 0 || ctrl_text_distance(a, b) <= (len < 4 ? 1 : 2);
}

void ctrl_grid_add(struct ctrl_grid *grid, const char *text)
{
	if (grid->count == grid->room) {
		grid->room = grid->room ? 2 * grid->room : 64;
		grid->cells = ctrl_must(reallocarray(grid->cells, grid->room, sizeof *grid->cells));
	}
	grid->cells[grid->count++] = ctrl_text_clean(text);
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789.eE+-")] == '\0' && strpbrk(text, "0123456789");
}

/* Is there a number in the column, and nothing but numbers and what is missing? */
static bool is_numeric(const struct ctrl_grid *grid, size_t column)
{
	bool any = false;

	for (size_t i = column + grid->columns; i < grid->count; i += grid->columns) {
		const char *cell = grid->cells[i];

		if (*cell && !is_number(cell))
			return false;
		any = any || *cell;
	}
	return any;
}

static void print_cell(const char *cell, size_t width, bool right, bool last, FILE *out)
{
	size_t pad = width - ctrl_text_width(cell);

	right = right && *cell;
	for (size_t i = 0; right && i < pad; i++)
		fputc(' ', out);
	fputs(cell, out);
	for (size_t i = 0; !right && !last && i < pad; i++)
		fputc(' ', out);
	fputs(last ? "\n" : "  ", out);
}

void ctrl_grid_print(struct ctrl_grid *grid, FILE *out)
{
	size_t columns = grid->columns;
	size_t *width = ctrl_must(calloc(columns + 1, sizeof *width));
	bool *right = ctrl_must(calloc(columns + 1, sizeof *right));

	for (size_t i = 0; i < grid->count; i++) {
		size_t cell = ctrl_text_width(grid->cells[i]);

		if (width[i % columns] < cell)
			width[i % columns] = cell;
	}
	for (size_t column = 0; column < columns; column++)
		right[column] = !grid->plain && is_numeric(grid, column);
	for (size_t i = 0; i < grid->count; i++) {
		size_t column = i % columns;

		print_cell(grid->cells[i], width[column], right[column], column + 1 == columns, out);
		free(grid->cells[i]);
	}
	free(right);
	free(width);
	free(grid->cells);
	*grid = (struct ctrl_grid){.columns = columns, .plain = grid->plain};
}
