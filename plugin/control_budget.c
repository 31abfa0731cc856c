/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_budget: see control_budget.h.
 */
#include "control_budget.h"

#include <stdio.h>
#include <string.h>

#define SHARE_MIN 100 /* what a request gets at least: less would go into looking */

void budgets_init(struct budgets *budgets)
{
	memset(budgets, 0, sizeof *budgets);
	budgets->others.left = BUDGET_MAX;
}

static void fill(struct budget *budget, int64_t per_ms, int64_t now_ms)
{
	int64_t elapsed_ms = now_ms - budget->filled_ms, longest_ms = (BUDGET_MAX + BUDGET_DEBT_MAX) / per_ms;

	budget->filled_ms = now_ms;
	if (elapsed_ms > longest_ms)
		elapsed_ms = longest_ms;
	if (elapsed_ms > 0)
		budget->left += elapsed_ms * per_ms;
	if (budget->left > BUDGET_MAX)
		budget->left = BUDGET_MAX;
}

static void spend(struct budget *budget, int64_t units)
{
	budget->left -= units;
	if (budget->left < -BUDGET_DEBT_MAX)
		budget->left = -BUDGET_DEBT_MAX;
}

/* The user's; else one that is nobody's, or the one that is missed least. */
static struct purse *find(struct budgets *budgets, const char *user, int64_t now_ms)
{
	struct purse *best = &budgets->purses[0];

	for (size_t i = 0; i < BUDGET_PURSES; i++) {
		struct purse *purse = &budgets->purses[i];
		fill(&purse->budget, BUDGET_PER_MS, now_ms);
		if (strcmp(purse->user, user) == 0)
			return purse;
		if (best->user[0] != '\0' && (purse->user[0] == '\0' || purse->budget.left > best->budget.left))
			best = purse;
	}
	return best;
}

struct purse *budgets_purse(struct budgets *budgets, const char *user, bool admin, int64_t now_ms)
{
	struct purse *purse = find(budgets, user, now_ms);

	if (strcmp(purse->user, user) != 0) {
		snprintf(purse->user, sizeof purse->user, "%s", user);
		purse->budget = (struct budget){BUDGET_MAX, now_ms};
	}
	purse->admin = admin;
	fill(&budgets->others, BUDGET_OTHERS_PER_MS, now_ms);
	return purse;
}

bool purse_is_overdrawn(const struct purse *purse)
{
	return purse->budget.left < -BUDGET_DEBT;
}

bool budgets_are_overdrawn(const struct budgets *budgets, const struct purse *purse)
{
	return !purse->admin && budgets->others.left < -BUDGET_DEBT && purse->budget.left < BUDGET_MAX / 2;
}

static int64_t share_of(const struct budget *budget, size_t count)
{
	int64_t share = budget->left / (int64_t)(count > 0 ? count : 1);
	if (budget->left <= 0)
		return 0;
	return share > SHARE_MIN ? share : SHARE_MIN;
}

int64_t budgets_share(const struct budgets *budgets, const struct purse *purse, size_t of_user, size_t of_all)
{
	int64_t own = share_of(&purse->budget, of_user), common = share_of(&budgets->others, of_all);
	return purse->admin || own < common ? own : common;
}

void budgets_spend(struct budgets *budgets, struct purse *purse, int64_t units)
{
	spend(&purse->budget, units);
	if (!purse->admin)
		spend(&budgets->others, units);
}
