/*
 * after.c
 *		What is to be called once a transaction is over.
 */
#include "run/run.h"

struct kn__aftermath
{
	kn__aftermath *next;
	kn_after_fn *call;
	void *argument;
	bool on_commit;
};

static kn_status add_after(kn_ctx *cx, kn_after_fn *after, void *argument, bool on_commit);

/* Calls what waited for the end of the transaction, in the order in which it was asked for. */
void
kn__after_call(kn_ctx *cx, bool is_committed)
{
	kn__aftermath *ordered = NULL;

	while (cx->work.after != NULL)
	{
		kn__aftermath *after = cx->work.after;

		cx->work.after = after->next;
		after->next = ordered;
		ordered = after;
	}
	for (; ordered != NULL; ordered = ordered->next)
	{
		if (ordered->on_commit == is_committed)
			ordered->call(ordered->argument);
	}
}

kn_status
kn_after_commit(kn_ctx *cx, kn_after_fn *after, void *argument)
{
	return add_after(cx, after, argument, true);
}

kn_status
kn_after_rollback(kn_ctx *cx, kn_after_fn *after, void *argument)
{
	return add_after(cx, after, argument, false);
}

static kn_status
add_after(kn_ctx *cx, kn_after_fn *after, void *argument, bool on_commit)
{
	kn__aftermath *entry;
	kn_status status;

	if (!kn__ctx_is_usable(cx, &status))
		return status;
	if (cx->work.depth == 0)
	{
		if (on_commit)
			after(argument);
		return KN_OK;
	}
	entry = kn__arena_get(&cx->own, sizeof(kn__aftermath));
	if (entry == NULL)
		return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	*entry = (kn__aftermath){ cx->work.after, after, argument, on_commit };
	cx->work.after = entry;
	return KN_OK;
}
