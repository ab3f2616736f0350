/*
 * spare.c
 *		Contexts that are kept for the next requests, and those that are at work.
 *
 * One of them is kept where it is had without a lock: a request that begins takes it, and one that
 * ends leaves itself there.  Meanwhile it still is among those at work, and counted with them, for
 * that is what the lock is needed for.
 */
#include "run/run.h"

#define KEPT 64 /* besides */

/* Where the spare one would be: none is kept any more. */
static kn_ctx closed = { .guard = ATOMIC_FLAG_INIT };

static KN__APART kn_ctx *take_other(kn_db *db);
static kn_ctx *take_free(kn_db *db);
static KN__APART void give_other(kn_ctx *cx);
static void push_live(kn_ctx *cx);
static void unlink_live(kn_ctx *cx);
static void free_one(kn_ctx *cx);

/* NULL: there is no memory for it. */
kn_ctx *
kn__spare_take(kn_db *db)
{
	kn_ctx *cx = atomic_load_explicit(&db->spare, memory_order_relaxed);

	if (cx != NULL && cx != &closed &&
		atomic_compare_exchange_strong_explicit(&db->spare,
												&cx,
												NULL,
												memory_order_acquire,
												memory_order_relaxed))
		return cx;
	return take_other(db);
}

static kn_ctx *
take_other(kn_db *db)
{
	kn_ctx *cx = take_free(db);

	if (cx != NULL)
		return cx;
	cx = kn__spare_make(db);
	if (cx == NULL)
		return NULL;
	(void) pthread_mutex_lock(&db->lock);
	push_live(cx);
	(void) pthread_mutex_unlock(&db->lock);
	return cx;
}

void
kn__spare_give(kn_ctx *cx)
{
	kn_db *db = cx->db;
	kn_ctx *none = NULL;

	/* From then on it is another's, and kn_close() need not wait with freeing the handle. */
	if (atomic_compare_exchange_strong_explicit(&db->spare,
												&none,
												cx,
												memory_order_release,
												memory_order_relaxed))
		return;
	give_other(cx);
}

static void
give_other(kn_ctx *cx)
{
	kn_db *db = cx->db;

	(void) pthread_mutex_lock(&db->lock);
	unlink_live(cx);
	if (db->free_count < KEPT && !atomic_load(&db->is_closing))
	{
		cx->next = db->free_contexts;
		db->free_contexts = cx;
		db->free_count++;
	}
	else
		free_one(cx);
	kn__db_unref_locked(db);
}

/* From now on none is kept there; with the lock held, by who counts for the handle. */
void
kn__spare_keep_none(kn_db *db)
{
	kn_ctx *cx = atomic_exchange_explicit(&db->spare, &closed, memory_order_acq_rel);

	if (cx == NULL || cx == &closed)
		return;
	unlink_live(cx);
	free_one(cx);
	db->contexts--;
}

/* Those that are not at work. */
void
kn__spare_free_all(kn_db *db)
{
	while (db->free_contexts != NULL)
	{
		kn_ctx *cx = db->free_contexts;

		db->free_contexts = cx->next;
		free_one(cx);
	}
}

kn_ctx *
kn__spare_make(kn_db *db)
{
	kn_ctx *cx = kn__allocate_zero(db->allocator, 1, sizeof(kn_ctx));

	if (cx == NULL)
		return NULL;
	cx->db = db;
	cx->random = (uint64_t) kn__now(db->clock) ^ (uint64_t) (uintptr_t) cx;
	atomic_flag_clear(&cx->guard);
	kn__fault_clear(&cx->fault);
	kn__arena_init(&cx->own, db->allocator);
	kn__arena_init(&cx->after, db->allocator);
	kn__arena_init(&cx->arena, db->allocator);
	return cx;
}

static kn_ctx *
take_free(kn_db *db)
{
	kn_ctx *cx;

	(void) pthread_mutex_lock(&db->lock);
	cx = db->free_contexts;
	if (cx != NULL)
	{
		db->free_contexts = cx->next;
		db->free_count--;
		push_live(cx);
	}
	(void) pthread_mutex_unlock(&db->lock);
	return cx;
}

/* With the lock held. */
static void
push_live(kn_ctx *cx)
{
	kn_db *db = cx->db;

	db->contexts++;
	cx->before = NULL;
	cx->next = db->live_contexts;
	if (cx->next != NULL)
		cx->next->before = cx;
	db->live_contexts = cx;
}

/* With the lock held. */
static void
unlink_live(kn_ctx *cx)
{
	if (cx->before != NULL)
		cx->before->next = cx->next;
	else
		cx->db->live_contexts = cx->next;
	if (cx->next != NULL)
		cx->next->before = cx->before;
}

static void
free_one(kn_ctx *cx)
{
	kn__arena_release(&cx->arena);
	kn__arena_release(&cx->after);
	kn__arena_release(&cx->own);
	kn__release(cx->db->allocator, cx, sizeof(kn_ctx));
}
