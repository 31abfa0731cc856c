/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * catalog_rights: may the author of a config do himself what its rules do? Private to catalog*.c.
 */
#ifndef HEARTH_CATALOG_RIGHTS_H
#define HEARTH_CATALOG_RIGHTS_H

#include "catalog.h"
#include "catalog_documents.h"

/*
 * May the document's author command all that its own rules command, and read what they read besides their own sensor? The
 * rules that it inherits are another document's. False: *error has the first place.
 */
bool catalog_is_permitted(const struct catalog_documents *documents, const struct catalog_permission *permission,
                          struct catalog_document *document, struct config_error *error);

#endif
