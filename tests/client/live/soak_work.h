/*
 * soak_work.h
 *		What the threads of the soak do, by lot.
 */
#ifndef KN_TESTS_SOAK_WORK_H
#define KN_TESTS_SOAK_WORK_H

#include "soak_writes.h"

/* Who does it: a tenant, nobody, or either. */
typedef enum doer
{
	TENANT,
	NO_TENANT,
	ANYBODY
} doer;

static const struct
{
	const char *name;
	kn_status (*act)(worker *w, kn_ctx *cx, int tenant);
	doer by;
	int hasty; /* with up to so many milliseconds; 0: enough of them */
} kinds[] = {
	{ "query rows", query_rows, TENANT, 0 },
	{ "query all rows", query_rows, NO_TENANT, 0 },
	{ "stream rows", stream_rows, TENANT, 0 },
	{ "stream a few", stream_a_few, TENANT, 0 },
	{ "count up", count_up, ANYBODY, 0 },
	{ "transact rows", transact_rows, TENANT, 0 },
	{ "copy rows out", copy_rows_out, TENANT, 0 },
	{ "be nobody", be_nobody, NO_TENANT, 0 },
	{ "fail", fail, TENANT, 0 },
	{ "soil", soil, NO_TENANT, 0 },
	{ "insert", insert, ANYBODY, 0 },
	{ "insert slowly", insert_slowly, ANYBODY, 30 },
	{ "insert a batch", insert_batch, ANYBODY, 0 },
	{ "copy in", copy_in, ANYBODY, 0 },
	{ "copy in quickly", copy_in, ANYBODY, 5 },
	{ "move money", move_money, ANYBODY, 0 },
	{ "move money quickly", move_money, ANYBODY, 10 },
	{ "nest", nest, ANYBODY, 0 },
	{ "tell", tell, ANYBODY, 0 },
	{ "raise the version", raise_version, TENANT, 0 },
	{ "read the version", read_version, TENANT, 0 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Whether a server that comes and goes, and a short deadline, can be the reason. */
static bool
is_explained(kn_status status)
{
	switch (status)
	{
		case KN_OK:
		case KN_CONN_LOST:
		case KN_UNAVAILABLE:
		case KN_OUTCOME_UNKNOWN:
		case KN_CIRCUIT_OPEN:
		case KN_POOL_TIMEOUT:
		case KN_TIMEOUT:
		case KN_CANCELED:
		case KN_SERIALIZATION:
		case KN_DEADLOCK:
			return true;
		default:
			return false;
	}
}

static void
step(worker *w)
{
	size_t what = roll(w, KINDS);
	int tenant = (int) roll(w, TENANTS);
	kn_ctx *cx;
	kn_status status;

	if (kinds[what].by == NO_TENANT || (kinds[what].by == ANYBODY && roll(w, 4) == 0))
		tenant = NOBODY;
	cx = begin_as(tenant,
				  kinds[what].hasty == 0 ? 8000
										 : 1 + (int64_t) roll(w, (uint64_t) kinds[what].hasty));
	(void) pthread_mutex_lock(&w->lock);
	w->cx = cx;
	(void) pthread_mutex_unlock(&w->lock);
	status = kinds[what].act(w, cx, tenant);
	w->calls++;
	w->by_status[status]++;
	if (!is_explained(status))
	{
		atomic_fetch_add(&odd, 1);
		(void) printf("%s: %s [%s] %s\n",
					  kinds[what].name,
					  kn_status_name(status),
					  kn_last_error(cx)->sqlstate,
					  kn_last_error(cx)->message);
	}
	(void) pthread_mutex_lock(&w->lock);
	w->cx = NULL;
	(void) pthread_mutex_unlock(&w->lock);
	kn_end(cx);
	/* While there is no server, not all processors are needed to find that out. */
	if (status != KN_OK)
		rest(2);
}

static void *
work(void *argument)
{
	while (!atomic_load(&is_over))
		step(argument);
	return NULL;
}

#endif
