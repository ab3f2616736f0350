/*
 * kill_expected.h
 *		What has to come out of a call whose connection is lost, as far as it does not depend on who
 *		is faster.
 */
#ifndef KN_TESTS_KILL_EXPECTED_H
#define KN_TESTS_KILL_EXPECTED_H

#include "kill_deed.h"
#include "proxy.h"

typedef enum way
{
	WAY_CUT,       /* the socket is closed both ways */
	WAY_CLOSE,     /* likewise, once TLS has said that it ends; not without TLS */
	WAY_RESET,     /* likewise, with a reset: what has arrived is lost with it */
	WAY_DROP,      /* nothing passes any more, and nobody is told */
	WAY_FREEZE,    /* SIGSTOP: it goes on with what it was told when the caller has given up */
	WAY_TERMINATE, /* pg_terminate_backend() */
	WAY_KILL,      /* SIGKILL: the server restarts, and may give numbers out again */
	WAY_STOP,      /* the server is stopped at once, and started again; numbers last */
	WAY_COUNT
} way;

/* Its time is over before anybody has said anything. */
static inline bool
is_silent(way how)
{
	return how == WAY_DROP || how == WAY_FREEZE;
}

/* It answers, and falls silent then; a call that is out of time by then has seen none of that. */
static inline bool
is_late(way how, moment when)
{
	return how == WAY_FREEZE && when >= MOMENT_AFTER;
}

#define MOST_PATIENCE_MS 20000 /* with a machine that does nothing else meanwhile */

/* Nobody has said anything, and the time is over. */
static inline bool
is_expected_of_silence(const deed *d, kn_status status)
{
	if (d->kind == DEED_WRITES || d->kind == DEED_MAY_REPEAT || d->kind == DEED_ENDS_A_BODY ||
		d->kind == DEED_ENDS_A_COPY)
		return status == KN_OUTCOME_UNKNOWN;
	return status == KN_TIMEOUT;
}

/* The server has gone at a moment that leaves a COMMIT without an answer, which matters. */
static inline bool
leaves_commit_in_doubt(const deed *d, moment when)
{
	if (d->kind == DEED_ENDS_A_BODY || d->kind == DEED_ENDS_A_COPY)
		return when < MOMENT_AFTER;
	return d->is_last && when >= MOMENT_AFTER && !only_reads(d);
}

/* The server has said what it was asked for by then; what comes next is not answered. */
static inline bool
is_expected_of_the_frozen(const deed *d, moment when, kn_status status)
{
	if (when < MOMENT_AFTER)
		/* A pooler may have no session for it yet, and has others. */
		return is_expected_of_silence(d, status) ||
			   (is_pooled() && when < MOMENT_DURING && status == KN_OK);
	switch (d->kind)
	{
		case DEED_IN_A_BODY:
		case DEED_FILLS:
			/* That may be its COMMIT, or the time is over before it is sent. */
			return status == KN_TIMEOUT ||
				   (d->is_last && !only_reads(d) && status == KN_OUTCOME_UNKNOWN);
		case DEED_BEGINS_A_COPY:
			return status == (d->message == 'Q' ? KN_TIMEOUT : KN_OUTCOME_UNKNOWN);
		default:
			return status == (d->commits ? KN_TIMEOUT : KN_OK);
	}
}

/* The caller has handed over data, or rows, and nobody does that again. */
static inline bool
is_lost(way how, kn_status status)
{
	/* A server that has crashed has not said that it cannot. */
	return status == KN_CONN_LOST || (how == WAY_TERMINATE && status == KN_UNAVAILABLE);
}

/* It is done again as long as it has not begun for the caller, who may have rows of it then. */
static inline bool
is_expected_of_a_begun_copy(const deed *d, way how, moment when, kn_status status)
{
	/* The answer has come, and nothing after it; COMMIT may have gone out, to another server. */
	if (how >= WAY_TERMINATE && when >= MOMENT_AFTER)
		return is_lost(how, status);
	if (d->streams && when == MOMENT_HALF)
		return status == KN_CONN_LOST || (how == WAY_RESET && status == KN_OK);
	return status == KN_OK;
}

static inline bool
is_expected_of_copy(const deed *d, way how, moment when, kn_status status)
{
	/* See is_expected_of_a_crash(). */
	if (how == WAY_KILL && leaves_commit_in_doubt(d, when) && status == KN_OUTCOME_UNKNOWN)
		return true;
	if (d->kind == DEED_BEGINS_A_COPY)
		return is_expected_of_a_begun_copy(d, how, when, status);
	/* The server has taken all, and COMMIT goes out, maybe to another one. */
	if (d->kind == DEED_FILLS)
		return is_lost(how, status);
	/* Of a read nothing is asked. */
	if (d->kind == DEED_ENDS_A_READ)
		return how >= WAY_TERMINATE && when >= MOMENT_AFTER ? status == KN_OK
															: is_lost(how, status);
	/* It is looked up, and is done unless the server has not had it, or was at it to its end. */
	if (when < MOMENT_DURING || (when == MOMENT_DURING && how >= WAY_TERMINATE))
		return is_lost(how, status);
	return status == KN_OK;
}

/* The server is there again by the time that the caller learns of it. */
static inline bool
is_expected_of_a_crash(const deed *d, way how, moment when, kn_status status)
{
	/* Rows have been handed out, or it is its COMMIT that is lost. */
	if (d->commits && when >= MOMENT_DURING)
		return is_lost(how, status) || (when == MOMENT_DURING && status == KN_OK);
	/* It was sent, and nobody says what has become of it. */
	if (d->kind == DEED_WRITES && when < MOMENT_AFTER)
		return status == KN_OUTCOME_UNKNOWN ||
			   /* A pooler may have no session for it yet, and has others. */
			   (is_pooled() && when < MOMENT_DURING && status == KN_OK);
	/* All else is done again; but not a COMMIT whose number may be another transaction's by now. */
	return status == KN_OK ||
		   (how == WAY_KILL && leaves_commit_in_doubt(d, when) && status == KN_OUTCOME_UNKNOWN);
}

static inline bool
is_expected(const deed *d, way how, moment when, kn_status status)
{
	bool may_be_done = d->kind == DEED_WRITES;

	/* Whatever becomes of it, it is not in force: nobody has to be told of that. */
	if (d->kind == DEED_ROLLS_BACK)
		return status == KN_CONFLICT;
	if (d->kind == DEED_GIVES_UP)
		return status == KN_CANCELED;
	if (how == WAY_DROP)
		return is_expected_of_silence(d, status);
	if (how == WAY_FREEZE)
		return is_expected_of_the_frozen(d, when, status);
	if (d->kind == DEED_BEGINS_A_COPY || d->kind == DEED_FILLS || d->kind == DEED_ENDS_A_COPY ||
		d->kind == DEED_ENDS_A_READ)
		return is_expected_of_copy(d, how, when, status);
	/* Rows have been handed out by then; after a reset that is a matter of who is faster. */
	if (how <= WAY_RESET && d->kind == DEED_READS && d->streams && when == MOMENT_HALF)
		return status == KN_CONN_LOST || (how == WAY_RESET && status == KN_OK);
	if (how <= WAY_RESET)
		return status == (may_be_done ? KN_OUTCOME_UNKNOWN : KN_OK);
	if (how > WAY_TERMINATE)
		return is_expected_of_a_crash(d, how, when, status);
	/* The server has said that nothing of it is in force; but rows may have been handed out. */
	if (d->streams && may_be_done && when == MOMENT_DURING && status == KN_UNAVAILABLE)
		return true;
	/* A COPY out has begun for the caller, whose COMMIT is answered by nobody. */
	if (d->commits && when >= MOMENT_DURING)
		return is_lost(how, status);
	/* It may have called a function that does more than can be undone. */
	if (d->calls && when <= MOMENT_DURING)
		return status == KN_OUTCOME_UNKNOWN ||
			   (is_pooled() && when < MOMENT_DURING && status == KN_OK);
	/* A pooler does not say whether the server was told to go. */
	return status == KN_OK || (is_pooled() && may_be_done && status == KN_OUTCOME_UNKNOWN);
}

#endif
