/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_guard: see the header.
 *
 * SIGBUS comes in the thread that wrote, at the very instruction. The handler puts zeroed memory in the place of the
 * mapping from that page to its end and returns, and the instruction is carried out again. Only system calls that a
 * signal handler may make are made in it (mmap is one in all but name: glibc's is the bare call).
 */
#include "journal_guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

static struct guard guards[GUARDS_MAX];
static bool taken[GUARDS_MAX];
static unsigned taken_count;
static struct sigaction before;
static uintptr_t page_size;

static bool replace(struct guard *guard, char *address)
{
	const uintptr_t begin = atomic_load(&guard->begin);
	const size_t size = atomic_load(&guard->size);
	const uintptr_t number = (uintptr_t)address;

	if (begin == 0 || number < begin || number - begin >= size)
		return false;
	char *page = address - number % page_size;
	/* Said first: whoever sees the new memory sees this too. */
	atomic_store(&guard->hit, true);
	return mmap(page, size - ((uintptr_t)page - begin), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	            -1, 0) != MAP_FAILED;
}

static void on_sigbus(int number, siginfo_t *info, void *context)
{
	int reason = errno;

	/* One that another process sent has no address. */
	for (unsigned i = 0; info->si_code > 0 && i < GUARDS_MAX; i++) {
		if (replace(&guards[i], info->si_addr)) {
			errno = reason;
			return;
		}
	}
	errno = reason;
	if ((before.sa_flags & SA_SIGINFO) && before.sa_sigaction)
		before.sa_sigaction(number, info, context);
	else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
		before.sa_handler(number);
	else if (sigaction(SIGBUS, &before, NULL) == 0 && info->si_code <= 0)
		raise(number); /* else the instruction is repeated and ends the process, as it should */
}

struct guard *guard_take(void)
{
	unsigned i = 0;

	while (i < GUARDS_MAX && taken[i])
		i++;
	if (i == GUARDS_MAX)
		return NULL;
	if (taken_count == 0) {
		struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
		page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
		sigemptyset(&action.sa_mask);
		if (sigaction(SIGBUS, &action, &before) != 0)
			return NULL;
	}
	taken[i] = true;
	taken_count++;
	guard_watch(&guards[i], NULL, 0);
	return &guards[i];
}

void guard_give_back(struct guard *guard)
{
	struct sigaction now;

	if (!guard)
		return;
	guard_watch(guard, NULL, 0);
	taken[guard - guards] = false;
	if (--taken_count > 0)
		return;
	/* The code may be unloaded next. Whoever came after us has to look after that himself. */
	if (sigaction(SIGBUS, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_sigbus)
		sigaction(SIGBUS, &before, NULL);
}

void guard_watch(struct guard *guard, void *mapping, size_t size)
{
	atomic_store(&guard->size, 0);
	atomic_store(&guard->begin, (uintptr_t)mapping);
	atomic_store(&guard->size, size);
	atomic_store(&guard->hit, false);
}
