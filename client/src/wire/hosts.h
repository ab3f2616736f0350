/*
 * hosts.h
 *		Several hosts in one conninfo, of which some may say nothing.
 */
#ifndef KN_SRC_WIRE_HOSTS_H
#define KN_SRC_WIRE_HOSTS_H

#include <libpq-fe.h>

#include "base/base.h"

typedef struct kn__host kn__host;

typedef struct kn__hosts
{
	kn__arena arena;
	const char **keywords; /* as PQconnectStartParams() takes them, with room for the list */
	const char **values;
	int said;           /* how many there are before the list */
	kn__host *list;     /* those that are left; NULL: there is but one, or it is not known yet */
	int count;          /* of the list */
	bool is_said[3];    /* whether there are names, addresses and ports of them */
	int passes;         /* how often each may be asked */
	bool is_shuffled;   /* in no order that is known here */
	int at;             /* the one that is being asked, -1: none */
	int visits;         /* how many are to be asked yet, with this one */
	int64_t until;      /* when the time of this one is over; 0: it has not begun */
	const char *silent; /* what to say of those that were left out; NULL: none was */
} kn__hosts;

/* Keywords and values are those of kn__conn_options, and outlive it.  false: no memory. */
extern bool kn__hosts_init(kn__hosts *hosts, const kn_allocator *allocator,
						   const char *const *keywords, const char *const *values);
extern void kn__hosts_release(kn__hosts *hosts);
/* Begins to connect to the first that is left; NULL: no memory. */
extern PGconn *kn__hosts_start(kn__hosts *hosts);
/* Until when the one that is being asked may take; the deadline is that of all of them. */
extern int64_t kn__hosts_until(kn__hosts *hosts, const PGconn *pg, int64_t now, int64_t deadline);
/* Leaves out the one that is being asked; false: there is no other, or no memory. */
extern bool kn__hosts_drop(kn__hosts *hosts);

#endif
