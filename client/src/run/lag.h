/*
 * lag.h
 *		How far behind a replica is, by what its primary was seen to have.
 */
#ifndef KN_SRC_RUN_LAG_H
#define KN_SRC_RUN_LAG_H

#include "base/base.h"

#define KN__SIGHTS 64

/* A place in the log that the primary has been at. */
typedef struct kn__sight
{
	uint64_t lsn;
	int64_t first; /* it was there by then */
	int64_t last;  /* it was no further at that time */
} kn__sight;

/* What was seen of one primary; all zero: nothing.  It has no lock of its own. */
typedef struct kn__sights
{
	kn__sight sights[KN__SIGHTS]; /* the oldest first; each is further than the one before */
	int count;
	int server;
	int64_t timeline;
} kn__sights;

/* Who was asked between two times, and said to be there.  Another primary begins anew. */
extern void kn__sights_note(kn__sights *sights, int server, int64_t timeline, uint64_t lsn,
							int64_t asked, int64_t answered);
/*
 * Microseconds that a replica is behind which has replayed so much; -1: not known.  own_us: how old
 * the last commit is that it has replayed, by its own clock, -1: it knows of none; is_even: it has
 * replayed all it was sent.
 */
extern int64_t kn__sights_lag(const kn__sights *sights, uint64_t replayed, int64_t own_us,
							  bool is_even, int64_t now);

#endif
