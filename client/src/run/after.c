/*
 * after.c
 *		What is called once a transaction is over.
 */
#include "run/run.h"

/* How a transaction has ended, and for which ends something is to be called. */
typedef unsigned ended;

#define KN__ENDED_COMMITTED 1U
#define KN__ENDED_UNDONE    2U
#define KN__ENDED_IN_DOUBT  4U

struct kn__aftermath
{
	kn__aftermath *next;
	kn_after_fn *call; /* NULL: is_over is */
	kn__over_fn *is_over;
	void *argument;
	ended when;
};

static kn_status add_after(kn_ctx *cx, kn_after_fn *after, void *argument, ended when);

/* Calls what was asked for that outcome, in the order it was asked for, and forgets the rest. */
void
kn__after_call(kn_ctx *cx, kn_status status)
{
	kn__aftermath *ordered = NULL;
	ended how = status == KN_OK                ? KN__ENDED_COMMITTED
				: status == KN_OUTCOME_UNKNOWN ? KN__ENDED_IN_DOUBT
											   : KN__ENDED_UNDONE;

	while (cx->work.after != NULL)
	{
		kn__aftermath *after = cx->work.after;

		cx->work.after = after->next;
		after->next = ordered;
		ordered = after;
	}
	for (; ordered != NULL; ordered = ordered->next)
	{
		if (ordered->is_over != NULL)
			ordered->is_over(ordered->argument, status);
		else if ((ordered->when & how) != 0)
			ordered->call(ordered->argument);
	}
}

/* Forgets what was asked for since there was only that: a savepoint is rolled back. */
void
kn__after_forget(kn_ctx *cx, kn__aftermath *until)
{
	while (cx->work.after != until)
	{
		kn__aftermath *after = cx->work.after;

		cx->work.after = after->next;
		if (after->is_over != NULL)
			after->is_over(after->argument, KN_ABORTED);
	}
}

kn_status
kn_after_commit(kn_ctx *cx, kn_after_fn *after, void *argument)
{
	return add_after(cx, after, argument, KN__ENDED_COMMITTED);
}

kn_status
kn_after_rollback(kn_ctx *cx, kn_after_fn *after, void *argument)
{
	return add_after(cx, after, argument, KN__ENDED_UNDONE | KN__ENDED_IN_DOUBT);
}

/* What does no harm where nothing was committed, and must not be left undone where it was. */
kn_status
kn__after_doubt(kn_ctx *cx, kn_after_fn *after, void *argument)
{
	return add_after(cx, after, argument, KN__ENDED_COMMITTED | KN__ENDED_IN_DOUBT);
}

/* In a transaction only: called however it ends, and if a savepoint is rolled back that has it. */
kn_status
kn__after_end(kn_ctx *cx, kn__over_fn *is_over, void *argument)
{
	kn__aftermath *entry = kn__arena_get(&cx->after, sizeof(kn__aftermath));

	if (entry == NULL)
		return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	*entry = (kn__aftermath){ .next = cx->work.after, .is_over = is_over, .argument = argument };
	cx->work.after = entry;
	return KN_OK;
}

static kn_status
add_after(kn_ctx *cx, kn_after_fn *after, void *argument, ended when)
{
	kn__aftermath *entry;
	kn_status status;

	/* Its transaction may have ended well by then. */
	if (!kn__ctx_is_sound(cx, &status) && status != KN_CLOSED)
		return status;
	kn__fault_tidy(&cx->fault);
	if (after == NULL)
		return kn__fail(&cx->fault, KN_USAGE, "there is nothing to be called");
	/* One of the library's own is a call that is under way, and not what the caller waits for. */
	if (!kn_in_transaction(cx))
	{
		if ((when & KN__ENDED_COMMITTED) != 0)
			after(argument);
		return KN_OK;
	}
	entry = kn__arena_get(&cx->after, sizeof(kn__aftermath));
	if (entry == NULL)
		return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	*entry = (kn__aftermath){ cx->work.after, after, NULL, argument, when };
	cx->work.after = entry;
	return KN_OK;
}
