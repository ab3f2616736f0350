/*
 * lag.c
 *		How far behind a replica is, by what its primary was seen to have.
 *
 * A replica cannot tell: one that has lost its primary has replayed all it was sent, and is
 * up to date as far as it knows.  So the primary's places in the log are kept with the times
 * they were seen at.  What a replica has not replayed was written between the last look that
 * saw the primary no further, and the first one that saw it beyond: it is at least as late
 * as the latter is ago, and no later than the former.  In between counts the age of the last
 * commit it has replayed; that alone will not do, for the commit is old as well where nobody
 * writes.
 *
 * Where the primary cannot be seen any more, what it had then is all there is to know.
 */
#include "run/lag.h"

#include <string.h>

static void thin_out(kn__sights *sights);

void
kn__sights_note(kn__sights *sights, int server, int64_t timeline, uint64_t lsn, int64_t asked,
				int64_t answered)
{
	kn__sight *newest = sights->count > 0 ? &sights->sights[sights->count - 1] : NULL;

	/* What the one before had written last, and nobody got, is not to be waited for. */
	if (newest != NULL &&
		(sights->server != server || sights->timeline != timeline || lsn < newest->lsn))
	{
		sights->count = 0;
		newest = NULL;
	}
	sights->server = server;
	sights->timeline = timeline;
	if (newest != NULL && newest->lsn == lsn)
	{
		newest->last = asked;
		return;
	}
	if (sights->count == KN__SIGHTS)
		thin_out(sights);
	sights->sights[sights->count++] = (kn__sight){ lsn, answered, asked };
}

/* Of the older half every second one goes: the longer ago, the less exactly it is known. */
static void
thin_out(kn__sights *sights)
{
	const size_t half = KN__SIGHTS / 2;

	for (size_t i = 1; i < half / 2; i++)
		sights->sights[i] = sights->sights[2 * i];
	memmove(&sights->sights[half / 2],
			&sights->sights[half],
			(KN__SIGHTS - half) * sizeof(kn__sight));
	sights->count = (int) (half / 2 + KN__SIGHTS - half);
}

int64_t
kn__sights_lag(const kn__sights *sights, uint64_t replayed, int64_t own_us, bool is_even,
			   int64_t now)
{
	int next = sights->count;
	int64_t least;
	int64_t most;

	if (sights->count == 0)
		return is_even ? 0 : own_us;
	while (next > 0 && sights->sights[next - 1].lsn > replayed)
		next--;
	if (next == sights->count)
		return 0;
	least = (now - sights->sights[next].first) / 1000;
	if (next == 0)
		return own_us >= 0 && own_us < least ? least : own_us;
	most = (now - sights->sights[next - 1].last) / 1000;
	if (own_us >= 0 && own_us < most)
		most = own_us;
	return most < least ? least : most;
}
