/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer_rename: a device's new name, from the journal into the store. It has a transaction of its own, which moves the
 * position as a batch's does: so it is done once, and behind all that came before it.
 *
 * What the store cannot rename keeps its old name, and a line says so: readings do not wait for it.
 */
#include "record.h"
#include "writer_internal.h"

/* Names are cut in the middle of the line, so that the reason behind them is there. */
#define NAME_SHOWN 80

/* Whole characters of a name. */
static struct slice shown(struct slice name)
{
	name.len = name.len < NAME_SHOWN ? name.len : NAME_SHOWN;
	while (!utf8_valid(name))
		name.len--;
	return name;
}

static void tell_kept(struct writer *writer, struct slice from, struct slice to, size_t kept, size_t all)
{
	from = shown(from);
	to = shown(to);
	notice_post(writer->notices, NOTICE_WARNING,
	            "The history store (%s) keeps %zu of %zu series of %.*s under that name, in place of %.*s: %s.",
	            writer->ops->scheme, kept, all, (int)from.len, from.ptr, (int)to.len, to.ptr,
	            writer->ops->error(writer->store));
}

enum store_result writer_rename(struct writer *writer)
{
	const struct writer_renaming *renaming = &writer->renaming;
	const struct slice from = {renaming->from, renaming->from_len}, to = {renaming->to, renaming->to_len};
	struct store_rename rename = {.from = writer->at, .to = {journal_id(writer->journal), renaming->end}};
	size_t renamed, kept;

	record_split_device(from, &rename.from_location, &rename.from_device);
	record_split_device(to, &rename.to_location, &rename.to_device);
	enum store_result result = writer->ops->rename(writer->store, &rename, &renamed, &kept);
	if (result != STORE_OK)
		return result;
	if (kept > 0)
		tell_kept(writer, from, to, kept, renamed + kept);
	meanings_unresolve(&writer->meanings);
	return STORE_OK;
}
