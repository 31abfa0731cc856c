/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_budget: how much of the broker thread's time requests may take. Private to control*.c.
 *
 * Work is counted in units of about a microsecond. Each user has a purse, which fills with time and is paid from: for
 * reading a request and for carrying it out. All who are not administrators pay into one more account, so that many of them
 * take no more than two would; an administrator is never held up by them. What is spent beyond what is there is a
 * debt: nothing is carried out until it is paid off, and while it is large nothing is read either. It is bounded, so that
 * it is paid off in a second whatever somebody sent.
 */
#ifndef HEARTH_CONTROL_BUDGET_H
#define HEARTH_CONTROL_BUDGET_H

#include "account.h"

#define BUDGET_PER_MS        100   /* of one user: a tenth of the time */
#define BUDGET_OTHERS_PER_MS 200   /* of all together who are not administrators */
#define BUDGET_MAX           10000 /* what may be done at once after a quiet time */
#define BUDGET_DEBT          5000  /* a debt that is overlooked */
#define BUDGET_DEBT_MAX      100000
#define BUDGET_PURSES        64

struct budget {
	int64_t left;
	int64_t filled_ms; /* monotonic */
};

struct purse {
	struct budget budget;
	bool admin;
	char user[ACCOUNT_NAME_MAX + 1]; /* empty: nobody's */
};

struct budgets {
	struct budget others; /* all but administrators */
	struct purse purses[BUDGET_PURSES];
};

void budgets_init(struct budgets *budgets);

/*
 * The purse of a user, filled up to now. Valid until the next call: when there are more users than purses, who has most left
 * loses his, which is full again when he comes back.
 */
struct purse *budgets_purse(struct budgets *budgets, const char *user, bool admin, int64_t now_ms);

/*
 * Is it so deep in debt that nothing more is read, and that what was done is not answered yet? So who waits for his answers
 * before he asks again is never refused.
 */
bool purse_is_overdrawn(const struct purse *purse);
/* Is the debt of all others together so deep that nothing more is read but from who has hardly spent anything? */
bool budgets_are_overdrawn(const struct budgets *budgets, const struct purse *purse);

/* What one of `of_user` requests of this user, and `of_all` requests in all, may cost now; 0: nothing is to be done. */
int64_t budgets_share(const struct budgets *budgets, const struct purse *purse, size_t of_user, size_t of_all);

void budgets_spend(struct budgets *budgets, struct purse *purse, int64_t units);

#endif
