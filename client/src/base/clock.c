/*
 * clock.c
 *		What time it is, by the system's clock or by one that was handed in.
 */
#include "base/base.h"

#include <time.h>

static int64_t
read_clock(clockid_t id)
{
	struct timespec time = { 0 };

	clock_gettime(id, &time); /* these two clocks are always there */
	return (int64_t) time.tv_sec * KN__NS_PER_S + time.tv_nsec;
}

int64_t
kn__now(const kn_clock *clock)
{
	if (KN__UNLIKELY(clock != NULL && clock->monotonic != NULL))
		return clock->monotonic(clock->user);
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
kn__coarse(const kn_clock *clock)
{
#ifdef CLOCK_MONOTONIC_COARSE
	if (KN__LIKELY(clock == NULL || clock->monotonic == NULL))
		return read_clock(CLOCK_MONOTONIC_COARSE);
#endif
	return kn__now(clock);
}

int64_t
kn__soon(const kn_clock *clock)
{
	/* One that was handed in is exact. */
	return kn__coarse(clock) +
		   (KN__LIKELY(clock == NULL || clock->monotonic == NULL) ? KN__TICK : 0);
}

int64_t
kn__wall(const kn_clock *clock)
{
	if (clock != NULL && clock->wall != NULL)
		return clock->wall(clock->user);
	return read_clock(CLOCK_REALTIME);
}

static int64_t
read_shifted(void *user)
{
	const kn__shifted *shifted = user;

	return (int64_t) ((uint64_t) shifted->from->monotonic(shifted->from->user) + shifted->shift);
}

static int64_t
read_wall(void *user)
{
	return kn__wall(((const kn__shifted *) user)->from);
}

const kn_clock *
kn__clock_shift(kn__shifted *out, const kn_clock *clock)
{
	int64_t now = kn__now(clock);

	if (now > 0)
		return clock;
	*out = (kn__shifted){ .clock = { read_shifted, read_wall, out },
						  .from = clock,
						  .shift = (uint64_t) KN__NS_PER_S - (uint64_t) now };
	return &out->clock;
}

int64_t
kn__after(int64_t now, int64_t milliseconds)
{
	int64_t nanoseconds;

	if (KN__UNLIKELY(milliseconds < 0 || milliseconds > INT64_MAX / KN__NS_PER_MS))
		return KN__NEVER;
	nanoseconds = milliseconds * KN__NS_PER_MS;
	if (KN__UNLIKELY(now > 0 && nanoseconds > KN__NEVER - now))
		return KN__NEVER;
	return now + nanoseconds;
}
