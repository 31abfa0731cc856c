/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage_offline: the documents of a state folder whose broker is stopped, for a program that is not the broker.
 *
 * The journal is opened with it, whose lock keeps a broker from starting meanwhile, and what it has and the state file has
 * not is taken in first. Files that are made belong to the folder's owner: root does all with the owner's rights, and a link
 * on the way in such a folder leads it nowhere where the owner may not write.
 *
 * Those rights are the whole process': for a program with one thread.
 */
#ifndef HEARTH_STORAGE_OFFLINE_H
#define HEARTH_STORAGE_OFFLINE_H

#include "document.h"

struct offline;

/*
 * Opens a state folder (plugin_opt_state_dir), making it (0700, its parent's owner) if it is missing. False with one line
 * for a person: a broker runs with it, it may not be written, or what it holds cannot be read.
 */
bool offline_open(const char *state_dir, struct offline **out, char *error, size_t error_size);

/* Calls back for each document, ordered by name. False with a message if the file fails. */
bool offline_each_document(struct offline *offline, document_callback callback, void *context, char *error,
                           size_t error_size);

/*
 * Puts documents (an empty body: removes it), all or none; once this returns true they survive a loss of power. False with
 * a message.
 */
bool offline_put_documents(struct offline *offline, const struct document *documents, size_t count, char *error,
                           size_t error_size);

/* Closes all, and gives root its rights back. NULL is allowed. */
void offline_close(struct offline *offline);

#endif
