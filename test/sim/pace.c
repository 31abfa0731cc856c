/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pace: real and simulated time are tied together at a base, and the difference from there must be the same in both.
 */
#include "pace.h"

#include <sys/resource.h>
#include <time.h>

#define AWAITED_US 100000
#define LINGER_US  2000

/* So far behind, time is not made up for any more: the machine was stopped, and a burst would be nothing like it either. */
#define BEHIND_MOST_US 2000000

static uint64_t real_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

static void tie(struct pace *pace, uint64_t real, uint64_t simulated)
{
	pace->real_base = real;
	pace->simulated_base = simulated;
}

void pace_init(struct pace *pace, bool is_virtual)
{
	*pace = (struct pace){.is_virtual = is_virtual, .started = real_us()};
	tie(pace, pace->started, 0);
}

void pace_resume(struct pace *pace, uint64_t simulated)
{
	tie(pace, real_us(), simulated);
}

static void sleep_until(uint64_t us)
{
	const struct timespec moment = {.tv_sec = (time_t)(us / 1000000U), .tv_nsec = (long)(us % 1000000U) * 1000L};

	/* A signal ends it early: whoever sent it is looked after at once. */
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL);
}

static void follow(struct pace *pace, uint64_t simulated)
{
	const uint64_t now = real_us();
	const uint64_t due = pace->real_base + (simulated - pace->simulated_base);

	if (due > now)
		sleep_until(due);
	else if (now - due > BEHIND_MOST_US)
		tie(pace, now, simulated);
}

void pace_wait(struct pace *pace, uint64_t simulated, unsigned awaited)
{
	if (!pace->is_virtual) {
		follow(pace, simulated);
		return;
	}
	if (awaited && awaited != pace->awaited) {
		pace->follow_until = real_us() + AWAITED_US;
		pace_resume(pace, simulated);
	} else if (!awaited && pace->awaited) {
		pace->follow_until = real_us() + LINGER_US;
		pace_resume(pace, simulated);
	}
	pace->awaited = awaited;
	if (real_us() < pace->follow_until)
		follow(pace, simulated);
}

uint64_t pace_share(const struct pace *pace)
{
	struct rusage usage;
	const uint64_t passed = real_us() - pace->started;
	uint64_t used;

	getrusage(RUSAGE_SELF, &usage);
	used = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000U +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	return passed ? used * 1000000U / passed : 0;
}
