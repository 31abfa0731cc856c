/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_question: what an attempt to sign in asks: does this password fit that stored form, and if so, is it a yes?
 *
 * For a name without an account, or with one whose stored form is of another kind than what is offered (secret, or
 * password), it is the stored form of a stand-in, with the same work and never a yes.
 */
#ifndef HEARTH_SIGN_IN_QUESTION_H
#define HEARTH_SIGN_IN_QUESTION_H

#include "sign_in.h"
#include "sign_in_budget.h"
#include "sign_in_mac.h"
#include "sign_in_stand_in.h"

struct question {
	const struct sign_in_attempt *attempt;
	struct slice stored;
	struct password password; /* read from `stored` */
	struct sign_in_subject subject;
	struct digest digest;
	bool known; /* `stored` is the user's own, and of the kind that is offered */
};

/* Could the name and the password be anybody's? */
bool question_possible(const struct sign_in_attempt *attempt);

/* Fills in `subject`. False: OpenSSL refused. */
bool question_identify(struct question *question, struct sign_in_mac *mac);

/* Fills in `stored`, `password` and `known`; `subject` is there. False: nothing to check against could be read. */
bool question_choose(struct question *question, const struct account_table *accounts, struct stand_ins *stand_ins,
                     int64_t now_ms);

/*
 * Fills in `digest`, from `attempt`, `stored` and `known`. It covers the user's own stored form, so that what is
 * remembered of an old password is never found again, nor of a name that has become an account's meanwhile. A
 * stand-in's it does not cover: that may become another when accounts change, and an unknown name would be seen to cost
 * a hash again. False: OpenSSL refused.
 */
bool question_digest(struct question *question, struct sign_in_mac *mac);

#endif
