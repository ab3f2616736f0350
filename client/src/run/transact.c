/*
 * transact.c
 *		Transactions of the caller's.
 *
 * BEGIN goes out with the first statement.  As soon as the server has given the
 * transaction a number, the number comes back with the statement that caused it, so that
 * a COMMIT whose answer is lost can be asked for: see doubt.c.
 */
#include "run/sized.h"
#include "run/tell.h"

#include <stdio.h>
#include <string.h>

#define FEW        6 /* statements of a flight that need no memory */
#define BEGIN_SIZE 80

static const char *check_options(const kn_transaction *options);
static kn_status run_outer(kn_ctx *cx, kn_body_fn *body, void *argument,
						   const kn_transaction *options);
static kn_status run_once(kn_ctx *cx, kn_body_fn *body, void *argument);
static void write_begin(char *text, const kn_transaction *options);
static bool is_worth_repeating(const kn_ctx *cx, const kn_transaction *options, kn_status status);
static int compose(kn_ctx *cx, const kn__call *call, kn__item *items, int *before);
static kn_status fly(kn__call *call, kn__item *items);
static kn_status commit(kn_ctx *cx);
static void roll_back(kn_ctx *cx);
static void leave(kn_ctx *cx, kn_status status);
static void tell(kn_ctx *cx, kn_status status);

kn_status
kn_transact_options(kn_ctx *cx, kn_body_fn *body, void *argument, const kn_transaction *options)
{
	kn_transaction own;
	const char *why;
	kn_status status;

	if (!kn__ctx_is_usable(cx, &status))
		return status;
	if (body == NULL)
		return kn__fail(&cx->fault, KN_USAGE, "a transaction has a body");
	if (options == NULL)
		return kn__fail(&cx->fault, KN_USAGE, "the options of the transaction are missing");
	why = kn__sized(&own, sizeof(own), options);
	if (why == NULL)
		why = check_options(&own);
	if (why != NULL)
		return kn__fail(&cx->fault, KN_USAGE, "%s", why);
	options = &own;
	if (cx->work.depth > 0)
		return kn__savepoint_run(cx, body, argument, options);
	return run_outer(cx, body, argument, options);
}

/* What is wrong with them, NULL: nothing. */
static const char *
check_options(const kn_transaction *options)
{
	if ((unsigned) options->isolation > KN_SERIALIZABLE)
		return "\"isolation\" of the transaction is none of kn_isolation";
	if (options->attempts < 0)
		return "\"attempts\" of the transaction is less than 0";
	return NULL;
}

static kn_status
run_outer(kn_ctx *cx, kn_body_fn *body, void *argument, const kn_transaction *options)
{
	char begin[BEGIN_SIZE];
	int most = options->attempts > 0 ? options->attempts : cx->db->config.retry_attempts;
	kn__call call = { .cx = cx };
	kn_status status;

	write_begin(begin, options);
	kn__budget_call(&cx->db->budget);
	for (;;)
	{
		call.attempts++;
		memset(&cx->work, 0, sizeof(cx->work));
		cx->work.is_used = true;
		cx->work.begin = begin;
		cx->work.options = options;
		cx->work.is_read_only = options->is_read_only;
		status = run_once(cx, body, argument);
		call.server = cx->work.server;
		cx->work.begin = NULL;
		cx->work.options = NULL;
		if (status == KN_OK)
		{
			/* What the body has got over is no failure any more. */
			kn__fault_clear(&cx->fault);
			return KN_OK;
		}
		cx->fault.error.status = status;
		if (call.attempts >= most || call.server == NULL ||
			!is_worth_repeating(cx, options, status) || !kn__run_again(&call, &status))
			break;
	}
	cx->fault.error.attempts = call.attempts;
	return status;
}

static void
write_begin(char *text, const kn_transaction *options)
{
	static const char *const levels[] = { "",
										  " ISOLATION LEVEL READ COMMITTED",
										  " ISOLATION LEVEL REPEATABLE READ",
										  " ISOLATION LEVEL SERIALIZABLE" };

	(void) snprintf(text,
					BEGIN_SIZE,
					"BEGIN%s%s%s",
					levels[options->isolation],
					options->is_read_only ? " READ ONLY" : "",
					options->is_deferrable ? " DEFERRABLE" : "");
}

/* What the server undid as a whole can be done again from its beginning. */
static bool
is_worth_repeating(const kn_ctx *cx, const kn_transaction *options, kn_status status)
{
	kn_status why = cx->work.failed != KN_OK ? cx->work.failed : status;

	switch (why)
	{
		case KN_SERIALIZATION:
		case KN_DEADLOCK:
		case KN_CONN_LOST:
		case KN_READ_ONLY:
			/* It was to be read-only. */
			if (why == KN_READ_ONLY && options->is_read_only)
				return false;
			return status != KN_OUTCOME_UNKNOWN && status != KN_CANCELED && status != KN_TIMEOUT;
		case KN_UNAVAILABLE:
			/* A full disk is not emptied by that; and what functions do besides is not undone. */
			return !cx->work.is_answer && status != KN_OUTCOME_UNKNOWN && status != KN_CANCELED &&
				   status != KN_TIMEOUT;
		default:
			return false;
	}
}

static kn_status
run_once(kn_ctx *cx, kn_body_fn *body, void *argument)
{
	kn_status status;

	cx->work.depth = 1;
	status = body(cx, argument);
	status = kn__transact_own_up(cx, status);
	if (status == KN_OK)
		status = kn__transact_check_ended(cx);
	/* Whatever the body says, nothing of it has come to an end here. */
	if (kn__db_is_child(cx->db))
		status = kn__fail(&cx->fault, KN_FORKED, "%s", kn_status_text(KN_FORKED));
	if (status == KN_OK)
	{
		status = commit(cx);
		leave(cx, status);
		return status;
	}
	roll_back(cx);
	/* What the body does not know is of elsewhere: nothing of this one is in force. */
	leave(cx, status == KN_OUTCOME_UNKNOWN ? KN_ABORTED : status);
	return status;
}

/* The statements of a call within the transaction, which are not tried again by themselves. */
kn_status
kn__transact_run(kn__call *call)
{
	kn_ctx *cx = call->cx;
	kn__work *work = &cx->work;
	kn__item few[FEW];
	kn__item *items = few;
	kn_status status;

	status = kn__transact_check(cx);
	if (status != KN_OK)
		return status;
	if (cx->link == NULL)
	{
		status = kn__transact_take(cx);
		if (status != KN_OK)
			return work->failed = status;
	}
	if (call->count + 3 > FEW)
		items = kn__arena_get(&cx->arena, (size_t) (call->count + 3) * sizeof(kn__item));
	if (items == NULL)
		return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	call->attempts = 1;
	do
	{
		/* Of the next one, too: it may be a pooler's. */
		status = kn__run_suits_pooler(call);
		if (status == KN_OK)
			status = kn__transact_check_values(call);
		if (status != KN_OK)
			return status;
		status = fly(call, items);
	} while (kn__transact_swap(cx, &status));
	/* There may be no other to be had. */
	if (status == KN_OK || cx->link == NULL)
		return status;
	kn__transact_note(cx, status);
	cx->fault.error.status = status;
	return status;
}

/* With what goes before it and behind it; items has room for that. */
static kn_status
fly(kn__call *call, kn__item *items)
{
	kn_ctx *cx = call->cx;
	int before;
	int count;
	int64_t since;
	kn_status status;

	call->server = cx->work.server;
	kn__transact_show(cx, call->told != NULL ? call->told : call->items[0].sql);
	count = compose(cx, call, items, &before);
	since = kn__run_waits(cx);
	status = kn__flight(cx->link->conn, items, count, &cx->wait, &call->outcome, &cx->fault);
	kn__run_waited(cx, since);
	memcpy(call->items, items + before, (size_t) call->count * sizeof(kn__item));
	if (count > before + call->count)
		kn__doubt_note(cx, &items[count - 1]);
	kn__transact_note_begun(cx, status);
	kn__transact_show(cx, NULL);
	kn__run_soil(cx, call->class);
	if (status == KN_OK)
		return KN_OK;
	kn__run_forget(call->items, call->count);
	if (cx->fault.error.item >= 0)
		cx->fault.error.item = call->count > 1 ? cx->fault.error.item - before : -1;
	return status;
}

/* For who asks what the holders of connections do: a statement begins, or one has ended (NULL). */
void
kn__transact_show(const kn_ctx *cx, const char *sql)
{
	kn__member *member = &cx->link->member;
	kn__doing doing = KN__DOING_CALLS;

	if (sql != NULL)
		member->last_sql = sql;
	else if (kn__conn_in_failed_transaction(cx->link->conn))
		doing = KN__DOING_FAILED;
	else if (kn__conn_in_transaction(cx->link->conn))
		doing = KN__DOING_TRANSACTION;
	atomic_store_explicit(&member->doing, doing, memory_order_relaxed);
}

/* The connection of the transaction. */
kn_status
kn__transact_take(kn_ctx *cx)
{
	kn__call call = { .cx = cx, .attempts = 1 };
	kn_status status;

	/* A standby has no snapshots that are serializable. */
	if (cx->work.is_read_only &&
		(cx->work.options == NULL || cx->work.options->isolation != KN_SERIALIZABLE))
		call.class = KN__CLASS_READ;
	status = kn__run_take(&call, &cx->work.permit);
	cx->work.server = call.server;
	cx->work.began = call.began;
	return status;
}

/* BEGIN and what sets the role come before the first; a look at the number comes behind a write. */
static int
compose(kn_ctx *cx, const kn__call *call, kn__item *items, int *before)
{
	kn__work *work = &cx->work;
	int count = kn__run_before(cx, items);

	*before = count;
	memcpy(items + count, call->items, (size_t) call->count * sizeof(kn__item));
	for (int i = 0; i < call->count; i++)
	{
		items[count + i].sync_after = false;
		items[count + i].is_atomic = true; /* nothing of it stays without COMMIT */
	}
	kn__run_mark_read(call, items + count);
	count += call->count;
	if (work->is_read_only)
	{
		/* Nothing but NOTIFY, which the server lets it do. */
		work->may_have_written |= !kn__run_is_harmless(call);
		return count;
	}
	if (kn__run_is_harmless(call) && !work->is_number_due)
		return count;
	work->may_have_written = true;
	if (work->xid[0] == '\0')
		items[count++] = kn__doubt_item();
	return count;
}

/*
 * What has to come before a statement whose rows are streamed, at most three items, the last of
 * which asks for the number if that is not known yet.
 */
int
kn__transact_before_stream(const kn__call *call, kn__item *items)
{
	kn__work *work = &call->cx->work;
	int count = kn__run_before(call->cx, items);

	if (kn__run_is_harmless(call))
		return count;
	work->may_have_written = true;
	if (work->is_read_only || work->xid[0] != '\0')
		return count;
	/* What most likely only reads gets no number for that; if it has one, it will be seen. */
	if (kn__run_is_read(call))
		work->is_number_due = true;
	else
		items[count++] = kn__doubt_new_item();
	return count;
}

/* A look at the number, where that of COMMIT's answer would come too late. */
static kn_status
look_for_number(kn_ctx *cx)
{
	kn__item item = kn__doubt_item();
	kn__outcome outcome;
	kn_status status;

	if (!cx->work.is_number_due)
		return KN_OK;
	status = kn__flight(cx->link->conn, &item, 1, &cx->wait, &outcome, &cx->fault);
	kn__doubt_note(cx, &item);
	return status;
}

static kn_status
commit(kn_ctx *cx)
{
	kn__item items[2] = { kn__run_plain("COMMIT") };
	int count = 1;
	int64_t since;
	kn__outcome outcome;
	kn_status status;

	if (cx->link == NULL || !cx->work.has_begun)
	{
		/* What it would have done has been refused. */
		if (!atomic_load(&cx->is_cancelled))
			return KN_OK;
		return kn__fail(&cx->fault, KN_CANCELED, "%s", kn_status_text(KN_CANCELED));
	}
	kn__transact_show(cx, items[0].sql);
	status = look_for_number(cx);
	if (status != KN_OK)
	{
		kn__transact_fail(cx, status);
		roll_back(cx);
		return status;
	}
	items[0].is_atomic = false;
	items[0].is_commit = true;
	if (cx->work.may_have_written && kn__lsn_is_wanted(cx))
	{
		items[0].sync_after = true;
		items[count++] = kn__lsn_item();
	}
	since = kn__run_waits(cx);
	status = kn__flight(cx->link->conn, items, count, &cx->wait, &outcome, &cx->fault);
	kn__run_waited(cx, since);
	if (count > 1)
		kn__lsn_note(cx, &items[1], status == KN_OK || outcome != KN__NOTHING_DONE);
	if (status == KN_OK)
		return KN_OK;
	kn__transact_fail(cx, status);
	if (outcome == KN__NOTHING_DONE)
	{
		if (kn__conn_in_transaction(cx->link->conn))
			roll_back(cx);
		return status;
	}
	if (outcome == KN__DONE)
		return status;
	/* Nobody has to be asked what is in force: nothing is. */
	if (!cx->work.may_have_written)
		return cx->work.failed = status == KN_OUTCOME_UNKNOWN ? KN_CONN_LOST : status;
	/* Whoever asks needs a connection, and this one may be all that there can be. */
	if (!kn__conn_is_clean(cx->link->conn))
		kn__run_end_held(cx, cx->work.server, &cx->work.permit, status);
	return kn__doubt_ask(cx);
}

static void
roll_back(kn_ctx *cx)
{
	kn__item item = kn__run_plain("ROLLBACK");
	kn__fault fault;
	kn__outcome outcome;
	kn__wait wait = { .deadline = kn__run_end_by(cx) };

	/* In a child the session is the parent's. */
	if (kn__db_is_child(cx->db))
		return;
	kn__transact_drop_stream(cx);
	kn__copy_drop(cx);
	if (cx->link == NULL || !kn__conn_in_transaction(cx->link->conn))
		return;
	kn__transact_show(cx, item.sql);
	kn__fault_clear(&fault);
	/* Past the deadline as well: what is not rolled back is closed. */
	(void) kn__flight(cx->link->conn, &item, 1, &wait, &outcome, &fault);
}

/* The connection goes back, and those who waited for the end are told. */
static void
leave(kn_ctx *cx, kn_status status)
{
	/* In a child it has not ended: how it does, only the parent gets to know. */
	if (kn__db_is_child(cx->db))
	{
		kn__after_forget(cx, NULL);
		kn__arena_clear(&cx->after);
		memset(&cx->work, 0, sizeof(cx->work));
		return;
	}
	cx->work.depth = 0;
	if (cx->work.has_begun && !cx->work.is_own)
		tell(cx, status);
	if (cx->link != NULL)
		kn__transact_give(cx, status);
	kn__after_call(cx, status);
	kn__arena_clear(&cx->after);
}

/* To who listens, a transaction is a call of its own: its end, as it was or may have been. */
static void
tell(kn_ctx *cx, kn_status status)
{
	bool may_be_in_force = status == KN_OK || status == KN_OUTCOME_UNKNOWN;
	kn__item item = kn__run_plain(may_be_in_force ? "COMMIT" : "ROLLBACK");
	kn__call call = { .cx = cx, .items = &item, .count = 1, .attempts = 1 };

	call.server = cx->work.server;
	call.started = cx->work.began;
	call.class = cx->work.may_have_written ? 0 : KN__CLASS_READ;
	item.affected = -1;
	kn__tell_end(&call, status, -1);
}

/* A transaction of the library's own, for a call that takes several flights: nobody is told of it.
 */
void
kn__transact_open(kn_ctx *cx, bool is_read)
{
	memset(&cx->work, 0, sizeof(cx->work));
	cx->work.is_used = true;
	cx->work.depth = 1;
	cx->work.is_own = true;
	cx->work.begin = "BEGIN";
	cx->work.is_read_only = is_read;
	cx->work.may_have_written = !is_read;
}

/* Its end: commits for KN_OK, else rolls back.  What became of it; the connection is given back. */
kn_status
kn__transact_close(kn_ctx *cx, kn_status status)
{
	if (status == KN_OK)
		status = commit(cx);
	else
	{
		if (cx->work.failed == KN_OK)
			kn__transact_fail(cx, status);
		roll_back(cx);
	}
	leave(cx, status);
	return status;
}

/* Its end where nothing of it is wanted, which is no failure. */
void
kn__transact_undo(kn_ctx *cx)
{
	roll_back(cx);
	leave(cx, KN_OK);
}

/* The context ends within a transaction. */
void
kn__transact_abandon(kn_ctx *cx)
{
	roll_back(cx);
	leave(cx, KN_ABORTED);
}
