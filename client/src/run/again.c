/*
 * again.c
 *		Whether a call is made again, and what its caller is told in the end.
 *
 * A call is tried again only where the server has said, or it is known otherwise, that
 * nothing of it has happened; or where it may happen twice, as reads may.  It is never
 * tried past its deadline, never within a transaction of the caller's, and no more often
 * than the budget of the handle allows.
 */
#include "run/tell.h"

#include <string.h>

static int64_t pause_before(kn__call *call);
static bool may_happen_twice(const kn__call *call);
static bool is_said_to_be_undone(const kn__fault *fault);
static bool may_last(const kn__call *call, kn_status status);
static bool may_be_in_force(const kn__call *call, kn_status status);

/* Whether the call may be made again after it failed with that status. */
bool
kn__run_may_repeat(const kn__call *call, kn_status status)
{
	const kn_db *db = call->cx->db;
	bool is_any_time = may_happen_twice(call);
	bool is_left = may_last(call, status) && !is_any_time;

	if (status == KN_OK || call->server == NULL)
		return false;
	/* There are no more of those than connections. */
	if (call->cx->fault.is_unclean)
		return call->attempts < db->config.retry_attempts + db->config.max_connections;
	if (call->attempts >= db->config.retry_attempts)
		return false;
	if (call->outcome == KN__DONE || (call->outcome != KN__NOTHING_DONE && !is_any_time))
		return false;
	switch (status)
	{
		case KN_SERIALIZATION:
		case KN_DEADLOCK:
		case KN_READ_ONLY:
			/* Of what lasts nothing is undone. */
			return is_any_time || (call->class & KN__CLASS_CALLS) == 0 ||
				   (is_said_to_be_undone(&call->cx->fault) && (call->class & KN__CLASS_LASTS) == 0);
		case KN_CONN_LOST:
			return !is_left;
		case KN_UNAVAILABLE:
			return !is_left && (!call->cx->fault.is_answer || is_any_time);
		case KN_CIRCUIT_OPEN:
			/* Another server may serve a read. */
			return kn__run_is_read(call) && db->server_count > 1;
		default:
			return false;
	}
}

static bool
may_happen_twice(const kn__call *call)
{
	return kn__run_is_harmless(call) || (call->options != NULL && call->options->is_idempotent);
}

/*
 * For the sake of others, or that nothing can be written there, and by the server itself: not by
 * another one, which a function has asked, and not of a statement that has to be prepared anew.
 */
static bool
is_said_to_be_undone(const kn__fault *fault)
{
	const char *sqlstate = fault->error.sqlstate;

	return !fault->is_relayed &&
		   (*sqlstate == '\0' || strncmp(sqlstate, "40", 2) == 0 || strcmp(sqlstate, "25006") == 0);
}

/* Its session has ended; what the server undoes then is not all that a function can have done. */
static bool
may_last(const kn__call *call, kn_status status)
{
	return (call->class & KN__CLASS_CALLS) != 0 && call->cx->fault.was_begun &&
		   status != KN_SERIALIZATION && status != KN_DEADLOCK;
}

/* False: there is to be no other attempt, and the status may say why. */
bool
kn__run_again(kn__call *call, kn_status *status)
{
	kn_ctx *cx = call->cx;
	bool is_unclean = cx->fault.is_unclean;
	int64_t pause = is_unclean ? 0 : pause_before(call);

	/* What it calls has tried to write: no replica will do, however many there are. */
	if (*status == KN_READ_ONLY && (call->class & KN__CLASS_CALLS) != 0)
		call->class &= ~(unsigned) KN__CLASS_READ;
	call->may_be_done |= call->outcome == KN__MAYBE_DONE || may_last(call, *status);
	call->has_begun |= call->outcome == KN__PART_DONE;
	if (is_unclean)
		kn__tell_retry(call, *status, pause);
	if (pause < 0)
		return false;
	if (!kn__run_sleep(cx, pause))
	{
		*status = atomic_load(&cx->db->is_closing) ? KN_CLOSED : KN_CANCELED;
		(void) kn__fail(&cx->fault, *status, "%s", kn_status_text(*status));
		return false;
	}
	atomic_fetch_add_explicit(&call->server->retries, 1, memory_order_relaxed);
	return true;
}

/* Nanoseconds until the next attempt; -1: there is to be none. */
static int64_t
pause_before(kn__call *call)
{
	kn_ctx *cx = call->cx;
	const kn_config *config = &cx->db->config;
	int64_t now = kn__now(cx->db->clock);
	int64_t pause = kn__backoff(config->retry_base_ms * KN__NS_PER_MS,
								config->retry_cap_ms * KN__NS_PER_MS,
								call->attempts,
								kn__ctx_random(cx));

	if (cx->wait.deadline != KN__NEVER && pause >= cx->wait.deadline - now)
		return -1;
	if (!kn__budget_take(&cx->db->budget, now))
	{
		atomic_fetch_add_explicit(&call->server->retries_denied, 1, memory_order_relaxed);
		pause = -1;
	}
	kn__tell_retry(call, cx->fault.error.status, pause);
	return pause;
}

/* False if the context was cancelled, or the handle closed, meanwhile. */
bool
kn__run_sleep(kn_ctx *cx, int64_t ns)
{
	kn_db *db = cx->db;
	int64_t until = kn__now(NULL) + ns;
	bool goes_on;

	(void) pthread_mutex_lock(&db->lock);
	do
		goes_on = !atomic_load(&cx->is_cancelled) && !atomic_load(&db->is_closing);
	while (goes_on && kn__cond_wait(&db->woken, &db->lock, until));
	(void) pthread_mutex_unlock(&db->lock);
	return goes_on;
}

/* A call that has failed, outside of a transaction. */
static bool
may_be_in_force(const kn__call *call, kn_status status)
{
	/* These say of themselves that nothing is: of what came to its end, or a part of it, it is. */
	bool is_denied = status == KN_TIMEOUT || status == KN_CANCELED || status == KN_CLOSED ||
					 status == KN_CONN_LOST;

	return call->outcome == KN__MAYBE_DONE || call->may_be_done || may_last(call, status) ||
		   (is_denied && (call->outcome != KN__NOTHING_DONE || call->has_begun));
}

/* What the caller is told: above all, never that nothing has happened where that is not known. */
kn_status
kn__run_settle(kn__call *call, kn_status status)
{
	kn__fault *fault = &call->cx->fault;

	if (status == KN_OK)
	{
		/* What it has got over on its way is no failure. */
		if (fault->error.status != KN_OK)
			kn__fault_clear(fault);
		return KN_OK;
	}
	/* Nothing of a transaction stays without its COMMIT. */
	if (call->cx->work.depth == 0 && !kn__run_is_harmless(call) && may_be_in_force(call, status))
		status = KN_OUTCOME_UNKNOWN;
	fault->error.status = status;
	fault->error.attempts = call->attempts;
	return status;
}
