/*
 * batch.c
 *		Several statements in one round trip.
 */
#include "run/rows.h"

#include <string.h>

#define FIRST_ROOM 16

struct kn_batch
{
	kn_ctx *cx;
	kn_batch *next;  /* of the context's */
	kn__item *items; /* in the arena; grown by moving */
	int count;
	int room;
	unsigned class;   /* what holds of all, or of one of them: see add_class() */
	kn_status status; /* the first that went wrong while it was made */
	bool has_run;
	int committing; /* the first that may commit by itself; -1: none does */
	const char *why;
	int failed; /* the index of what has; -1: nothing, or all of it */
};

static kn_batch failed_batch = {
	.status = KN_NO_MEMORY, .why = "out of memory", .has_run = true, .failed = -1
};

static bool make_room(kn_batch *batch);
static unsigned add_class(unsigned all, unsigned class);
static kn_status check_commits(kn_batch *batch);
static int fail_item(kn_batch *batch, kn_status status, const char *why);
static bool is_of_all(kn_status status);
static kn_status status_of(const kn_batch *batch, int index);

kn_batch *
kn_begin_batch(kn_ctx *cx)
{
	kn_batch *batch = kn_alloc(cx, sizeof(kn_batch));

	if (batch == NULL)
	{
		/* The batch that fails belongs to nobody, and cannot tell it later. */
		if (cx != NULL && cx->db != NULL)
			(void) kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
		return &failed_batch;
	}
	batch->cx = cx;
	batch->next = cx->batches;
	cx->batches = batch;
	batch->class = KN__CLASS_KNOWN | KN__CLASS_READ | KN__CLASS_ATOMIC;
	batch->committing = -1;
	batch->failed = -1;
	return batch;
}

int
kn_add_values(kn_batch *batch, const char *sql, const kn_value *values, int count)
{
	kn__item *item;
	kn_value *copy;
	unsigned class;

	if (batch == NULL || batch->cx == NULL || batch->has_run || batch->status != KN_OK)
		return -1;
	if (sql == NULL || count < 0 || (count > 0 && values == NULL))
		return fail_item(batch, KN_USAGE, "a statement or its values are missing");
	copy = kn_alloc(batch->cx, (size_t) count * sizeof(kn_value));
	if (copy == NULL || !make_room(batch))
		return fail_item(batch, KN_NO_MEMORY, "out of memory");
	if (count > 0)
		memcpy(copy, values, (size_t) count * sizeof(kn_value));
	item = &batch->items[batch->count];
	class = kn__query_item(batch->cx, sql, copy, count, item);
	item->wants_rows = true;
	/* A search path, perhaps. */
	item->may_make = (class & (KN__CLASS_CALLS | KN__CLASS_CREATES)) != 0 ||
					 ((class & KN__CLASS_READ) == 0 && kn__find_folded(sql, "set_config") != NULL);
	batch->class = add_class(batch->class, class);
	if ((class & KN__CLASS_COMMITS) != 0 && batch->committing < 0)
		batch->committing = batch->count;
	if (kn__run_usage(batch->cx, class, sql) != KN_OK)
		return fail_item(batch, KN_USAGE, batch->cx->fault.error.message);
	return batch->count++;
}

static bool
make_room(kn_batch *batch)
{
	int room = batch->room == 0 ? FIRST_ROOM : batch->room * 2;
	kn__item *items;

	if (batch->count < batch->room)
		return true;
	items = kn_alloc(batch->cx, (size_t) room * sizeof(kn__item));
	if (items == NULL)
		return false;
	if (batch->count > 0)
		memcpy(items, batch->items, (size_t) batch->count * sizeof(kn__item));
	batch->items = items;
	batch->room = room;
	return true;
}

/* A batch reads if all of it does; it does whatever else any of it does. */
static unsigned
add_class(unsigned all, unsigned class)
{
	unsigned both = KN__CLASS_READ | KN__CLASS_ATOMIC;

	return (all & class & both) | ((all | class) & ~both);
}

static int
fail_item(kn_batch *batch, kn_status status, const char *why)
{
	batch->status = status;
	batch->why = kn__arena_copy(&batch->cx->arena, why, strlen(why));
	batch->failed = batch->count;
	return -1;
}

kn_status
kn_run_batch(kn_batch *batch, const kn_options *options)
{
	kn_ctx *cx;
	kn__call call;
	kn_status status;

	if (batch == NULL)
		return KN_USAGE;
	if (batch->cx == NULL)
		return batch->status;
	cx = batch->cx;
	if (!kn__ctx_is_usable(cx, &status))
		return status;
	if (batch->has_run)
		return kn__fail(&cx->fault, KN_USAGE, "a batch runs once");
	status = kn__ctx_take_options(cx, &options);
	if (status != KN_OK)
		return status;
	batch->has_run = true;
	if (batch->status != KN_OK)
	{
		status = kn__fail(&cx->fault,
						  batch->status,
						  "%s",
						  batch->why == NULL ? "out of memory" : batch->why);
		cx->fault.error.item = batch->failed;
		return status;
	}
	if (batch->count == 0)
		return KN_OK;
	status = check_commits(batch);
	if (status != KN_OK)
	{
		batch->failed = cx->fault.error.item;
		return batch->status = status;
	}
	memset(&call, 0, sizeof(call));
	call.cx = cx;
	call.items = batch->items;
	call.count = batch->count;
	call.class = batch->class;
	call.options = options;
	batch->status = kn__run(&call);
	kn__transact_hide(cx);
	if (batch->status != KN_OK && !is_of_all(batch->status))
		batch->failed = cx->fault.error.item;
	return batch->status;
}

/* The time, the caller and the server are those of all, whichever the server was at. */
static bool
is_of_all(kn_status status)
{
	return status == KN_TIMEOUT || status == KN_CANCELED || status == KN_CONN_LOST ||
		   status == KN_UNAVAILABLE || status == KN_OUTCOME_UNKNOWN;
}

/* Where one has failed, the others are undone, or were never done. */
static kn_status
status_of(const kn_batch *batch, int index)
{
	bool is_other = batch->failed >= 0 && index >= 0 && index < batch->count;

	return is_other && index != batch->failed ? KN_ABORTED : batch->status;
}

/* All of a batch are one transaction, and stay one: the server lets the first commit by itself. */
static kn_status
check_commits(kn_batch *batch)
{
	kn_ctx *cx = batch->cx;
	const char *sql;

	if (batch->committing < 0 || cx->work.depth > 0)
		return KN_OK;
	sql = batch->items[batch->committing].sql;
	if (batch->count == 1)
		return kn__run_keeps_identity(cx, batch->class, sql);
	(void) kn__run_refuse(
		cx,
		"what may commit by itself has no place in a batch: it is one transaction",
		sql);
	cx->fault.error.item = batch->committing;
	return KN_USAGE;
}

/* Frees the results that nobody has asked for. */
void
kn__batch_forget_all(kn_ctx *cx)
{
	for (kn_batch *batch = cx->batches; batch != NULL; batch = batch->next)
	{
		kn__run_forget(batch->items, batch->count);
		batch->count = 0;
	}
	cx->batches = NULL;
}

int64_t
kn_batch_affected(const kn_batch *batch, int index)
{
	if (batch == NULL || !batch->has_run || batch->status != KN_OK || index < 0 ||
		index >= batch->count)
		return -1;
	return batch->items[index].affected;
}

kn_rows *
kn_batch_rows(kn_batch *batch, int index)
{
	kn_rows *rows;
	kn__item *item;

	if (batch == NULL || batch->cx == NULL)
		return kn__rows_failed();
	if (batch->has_run && batch->status != KN_OK)
		return kn__rows_fail(batch->cx, status_of(batch, index));
	if (!batch->has_run || index < 0 || index >= batch->count)
		return kn__rows_fail(batch->cx, KN_USAGE);
	item = &batch->items[index];
	if (item->result == NULL)
		return kn__rows_fail(batch->cx, KN_USAGE);
	rows = kn__rows_new(batch->cx);
	if (rows->cx == NULL)
		return rows;
	kn__rows_fill(rows, item);
	return rows;
}
