/*
 * context.c
 *		A request: who asks, how long it may take, what it got, what went wrong.
 */
#include "run/run.h"
#include "run/sized.h"

#include <string.h>

#define LONG_MS 1000 /* from here on a timeout may end a hundredth of it later */

/* To the server it is no role, but the word for that of the connection. */
static const char x_none[] = "role \"none\" does not exist";
/* The one refusal that can be taken back, by kn_set_timeout(). */
static const char x_timeout[] = "\"timeout_ms\" is a number of milliseconds, or -1";

/* Handed out where there is no memory for a context: whatever is done with it fails. */
static kn_ctx no_memory = { .guard = ATOMIC_FLAG_INIT };

static void cancel(kn_ctx *cx);
static KN__HOT bool set_up(kn_ctx *cx, const kn_request *given);
static KN__HOT int64_t deadline_of(const kn_ctx *cx);
static KN__APART bool make_prelude(kn_ctx *cx, const kn_request *request);
static KN__APART const char *take_request(kn_request *request, const kn_request *given);
static KN__APART const char *copy(kn_ctx *cx, const char *text);
static KN__HOT void let_go(kn_ctx *cx);
static KN__HOT const char *check_request(const kn_request *request);
static bool goes_on(const kn_ctx *cx, kn_status status);
static void note_refused(kn_ctx *cx, kn_status status);
static kn_status refuse(kn_ctx *cx);
static const int32_t *copy_numbers(kn_ctx *cx, const int32_t *numbers, int32_t count);

KN__HOT kn_ctx *
kn_begin_request(kn_db *db, const kn_request *request)
{
	kn_ctx *cx;

	if (KN__UNLIKELY(db == NULL))
		return &no_memory;
	/* In a child, another thread of the parent's may have the lock for ever. */
	cx = KN__UNLIKELY(kn__db_is_child(db)) ? kn__spare_make(db) : kn__spare_take(db);
	if (KN__UNLIKELY(cx == NULL))
		return &no_memory;
	if (KN__UNLIKELY(!set_up(cx, request)))
		cx->own.has_failed = true;
	return cx;
}

/* All but the arena and the guard is as it has to be for a new request. */
static bool
set_up(kn_ctx *cx, const kn_request *given)
{
	kn_db *db = cx->db;
	kn_request copied;
	const kn_request *request = given;

	cx->refusal = NULL;
	cx->refused = NULL;
	if (KN__UNLIKELY(given == NULL || given->size != sizeof(kn_request)))
	{
		cx->refusal = take_request(&copied, given);
		request = &copied;
	}
	if (KN__LIKELY(cx->refusal == NULL))
		cx->refusal = check_request(request);
	atomic_store_explicit(&cx->is_cancelled, false, memory_order_relaxed);
	cx->timeout_ms = request->timeout_ms != 0 ? request->timeout_ms : db->config.statement_ms;
	cx->wait.deadline = deadline_of(cx);
	cx->wait.is_cancelled = &cx->is_cancelled;
	cx->file = KN__UNLIKELY(request->file == NULL) ? "" : request->file;
	cx->line = request->line;
	cx->route = request->route;
	cx->hedge = request->hedge;
	cx->min_lsn = request->min_lsn;
	cx->last_lsn = 0;
	cx->path = 0;
	cx->prelude = NULL;
	cx->prelude_count = 0;
	if (KN__UNLIKELY(cx->work.is_used))
		memset(&cx->work, 0, sizeof(cx->work));
	cx->open_rows = NULL;
	cx->batches = NULL;
	cx->stream = NULL;
	cx->copy = NULL;
	kn__fault_tidy(&cx->fault);
	cx->actor = KN__LIKELY(request->actor == NULL) ? NULL : copy(cx, request->actor);
	cx->trace_id = KN__LIKELY(request->trace_id == NULL) ? NULL : copy(cx, request->trace_id);
	if (KN__UNLIKELY(request->role != NULL || request->claims != NULL) &&
		!make_prelude(cx, request))
		return false;
	if (KN__UNLIKELY(cx->own.has_failed))
		return false;
	cx->is_plain = cx->prelude == NULL && !cx->hedge && cx->route != KN_ROUTE_REPLICA &&
				   db->server_count == 1 && db->config.hooks == NULL;
	return true;
}

/* One that is of another size, or none; what is wrong with it, NULL: nothing. */
static const char *
take_request(kn_request *request, const kn_request *given)
{
	*request = (kn_request){ .size = 0 };
	return given == NULL ? "the request is missing" : kn__sized(request, sizeof(*request), given);
}

/* What is wrong with it, NULL: nothing. */
static const char *
check_request(const kn_request *request)
{
	if (KN__UNLIKELY(request->timeout_ms < -1))
		return x_timeout;
	if (KN__UNLIKELY((unsigned) request->route > KN_ROUTE_REPLICA))
		return "\"route\" of the request is none of kn_route";
	return NULL;
}

/* Of timeout_ms, from now on; a long one need not be told to the millisecond. */
static int64_t
deadline_of(const kn_ctx *cx)
{
	const kn_clock *clock = cx->db->clock;

	if (KN__UNLIKELY(cx->timeout_ms < 0))
		return KN__NEVER;
	return kn__after(KN__UNLIKELY(cx->timeout_ms < LONG_MS) ? kn__now(clock) : kn__soon(clock),
					 cx->timeout_ms);
}

/*
 * Role and claims hold for the transaction of each statement, and are gone after it:
 * set_config() with is_local, in the same flight.  Names are parameters like the rest.
 */
static bool
make_prelude(kn_ctx *cx, const kn_request *request)
{
	static const char call[] = "pg_catalog.set_config($%d, $%d, true)";
	bool has_role = request->role != NULL && *request->role != '\0';
	int claims = 0;
	kn__buf sql;
	int at = 0;

	if (has_role && strcmp(request->role, "none") == 0)
		cx->refusal = x_none;
	while (request->claims != NULL && request->claims[claims] != NULL)
		claims++;
	/* A name without a value: the list is broken, and nobody may be let in by it. */
	if (claims % 2 != 0)
	{
		cx->refusal = "has no value";
		cx->refused = copy(cx, request->claims[claims - 1]);
		return cx->refused != NULL;
	}
	if (claims == 0 && !has_role)
		return true;
	cx->prelude_count = claims + (has_role ? 2 : 0);
	cx->prelude_values = kn__arena_get(&cx->own, (size_t) cx->prelude_count * sizeof(kn_value));
	if (cx->prelude_values == NULL)
		return false;
	/* The role comes last: it may not be allowed to set what comes before. */
	for (; at < claims; at++)
		cx->prelude_values[at] = kn_text(copy(cx, request->claims[at]));
	/* Where names stand for other things, a statement is another one. */
	for (int i = 0; i < claims; i += 2)
	{
		if (strcmp(request->claims[i], "search_path") == 0)
			cx->path = kn__hash(request->claims[i + 1], strlen(request->claims[i + 1]), 1);
	}
	if (has_role)
	{
		/* A search_path may name the role's own schema, and it does by default. */
		cx->path = kn__hash(request->role, strlen(request->role), cx->path);
		cx->prelude_values[at++] = kn_text("role");
		cx->prelude_values[at++] = kn_text(copy(cx, request->role));
	}
	kn__buf_init(&sql, cx->db->allocator, 1 << 20);
	kn__buf_text(&sql, "SELECT ");
	for (int i = 1; i <= at; i += 2)
	{
		if (i > 1)
			kn__buf_text(&sql, ", ");
		kn__buf_printf(&sql, call, i, i + 1);
	}
	if (!sql.has_failed)
		cx->prelude = kn__arena_copy(&cx->own, sql.data, sql.length);
	cx->prelude_length = sql.length;
	kn__buf_release(&sql);
	if (cx->prelude == NULL)
		return false;
	cx->prelude_hash = kn__hash(cx->prelude, cx->prelude_length, 0);
	return true;
}

static const char *
copy(kn_ctx *cx, const char *text)
{
	return kn__arena_copy(&cx->own, text, strlen(text));
}

KN__HOT void
kn_end(kn_ctx *cx)
{
	if (KN__UNLIKELY(cx == NULL || cx == &no_memory))
		return;
	let_go(cx);
	kn__arena_clear(&cx->arena);
	kn__arena_clear(&cx->own);
	if (KN__LIKELY(!kn__db_is_child(cx->db)))
		kn__spare_give(cx);
}

/* What the request still has of others: rows, a transaction, a connection. */
static void
let_go(kn_ctx *cx)
{
	if (cx->work.depth > 0)
		kn__stream_drop(cx);
	kn__rows_forget_all(cx);
	kn__batch_forget_all(cx);
	kn__copy_drop(cx);
	/* In a child the connection is left to kn_close(). */
	if (KN__UNLIKELY(kn__db_is_child(cx->db)))
		return;
	if (KN__UNLIKELY(cx->work.depth > 0))
		kn__transact_abandon(cx);
	if (KN__UNLIKELY(cx->link != NULL))
		kn__run_give(cx, kn__coarse(cx->db->clock));
}

void
kn_clear(kn_ctx *cx)
{
	if (cx == NULL || cx == &no_memory)
		return;
	kn__rows_forget_all(cx);
	kn__batch_forget_all(cx);
	kn__copy_drop(cx);
	/* Its text may be in there. */
	kn__transact_hide(cx);
	kn__arena_clear(&cx->arena);
	atomic_store(&cx->is_cancelled, false);
	kn__fault_clear(&cx->fault);
}

const kn_error *
kn_last_error(const kn_ctx *cx)
{
	static const kn_error none = { .status = KN_NO_MEMORY,
								   .item = -1,
								   .row = -1,
								   .column = -1,
								   .message = "out of memory",
								   .detail = "",
								   .hint = "",
								   .context = "",
								   .schema_name = "",
								   .table_name = "",
								   .column_name = "",
								   .type_name = "",
								   .constraint_name = "",
								   .sql = "" };

	return cx == NULL || cx == &no_memory ? &none : &cx->fault.error;
}

void
kn_cancel(kn_ctx *cx)
{
	if (cx == NULL || cx == &no_memory || kn__db_is_child(cx->db))
		return;
	cancel(cx);
	for (int i = 0; i < cx->db->server_count; i++)
		kn__pool_wake(cx->db->servers[i].pool);
	(void) pthread_mutex_lock(&cx->db->lock);
	(void) pthread_cond_broadcast(&cx->db->woken);
	(void) pthread_mutex_unlock(&cx->db->lock);
}

static void
cancel(kn_ctx *cx)
{
	atomic_store(&cx->is_cancelled, true);
	while (atomic_flag_test_and_set_explicit(&cx->guard, memory_order_acquire))
		;
	if (cx->link != NULL)
		kn__conn_wake(cx->link->conn);
	atomic_flag_clear_explicit(&cx->guard, memory_order_release);
}

/* All that is under way. */
void
kn__ctx_cancel_all(kn_db *db)
{
	(void) pthread_mutex_lock(&db->lock);
	for (kn_ctx *cx = db->live_contexts; cx != NULL; cx = cx->next)
		cancel(cx);
	(void) pthread_cond_broadcast(&db->woken);
	(void) pthread_mutex_unlock(&db->lock);
	for (int i = 0; i < db->server_count; i++)
		kn__pool_wake(db->servers[i].pool);
}

/* The link that a context has from now on, as kn_cancel() in another thread sees it. */
void
kn__ctx_set_link(kn_ctx *cx, kn__link *link)
{
	while (atomic_flag_test_and_set_explicit(&cx->guard, memory_order_acquire))
		;
	cx->link = link;
	atomic_flag_clear_explicit(&cx->guard, memory_order_release);
}

void
kn_set_timeout(kn_ctx *cx, int64_t timeout_ms)
{
	if (cx == NULL || cx == &no_memory)
		return;
	/* Time that is left may be computed, and no time is not all the time there is. */
	if (timeout_ms < -1 && cx->refusal == NULL)
		cx->refusal = x_timeout;
	else if (timeout_ms >= -1 && cx->refusal == x_timeout)
		cx->refusal = NULL;
	cx->timeout_ms = timeout_ms;
	cx->wait.deadline = deadline_of(cx);
}

uint64_t
kn_last_lsn(const kn_ctx *cx)
{
	return cx == NULL ? 0 : cx->last_lsn;
}

void *
kn_alloc(kn_ctx *cx, size_t size)
{
	return cx == NULL || cx == &no_memory ? NULL : kn__arena_get_zero(&cx->arena, 1, size);
}

char *
kn_copy_text(kn_ctx *cx, kn_str text)
{
	return cx == NULL || cx == &no_memory ? NULL : kn__arena_copy(&cx->arena, text.p, text.n);
}

kn_value
kn_copy_value(kn_ctx *cx, kn_value value)
{
	const kn_array *from;
	kn_array *array;
	kn_value *items;

	switch (value.type)
	{
		case KN_TYPE_TEXT:
		case KN_TYPE_BYTES:
		case KN_TYPE_NUMERIC:
		case KN_TYPE_JSON:
		case KN_TYPE_INET:
			value.as.p = kn_copy_text(cx, (kn_str){ value.as.p, value.n });
			return value.as.p == NULL ? kn_null() : value;
		case KN_TYPE_ARRAY:
			break;
		default:
			return value;
	}
	from = value.as.array;
	array = kn_alloc(cx, sizeof(kn_array));
	items = kn_alloc(cx, (value.n + 1) * sizeof(kn_value));
	if (array == NULL || items == NULL)
		return kn_null();
	*array = *from;
	array->items = items;
	array->sizes = copy_numbers(cx, from->sizes, from->dimensions);
	array->lower_bounds = copy_numbers(cx, from->lower_bounds, from->dimensions);
	for (uint32_t i = 0; i < value.n; i++)
		items[i] = kn_copy_value(cx, from->items[i]);
	value.as.array = array;
	return cx->arena.has_failed ? kn_null() : value;
}

static const int32_t *
copy_numbers(kn_ctx *cx, const int32_t *numbers, int32_t count)
{
	if (numbers == NULL || count <= 0)
		return NULL;
	return (const int32_t *) (const void *) kn__arena_copy(&cx->arena,
														   numbers,
														   (size_t) count * sizeof(int32_t));
}

/* What the request was begun with is no good. */
static kn_status
refuse(kn_ctx *cx)
{
	if (cx->refused == NULL)
		return kn__fail(&cx->fault, cx->refusal == x_none ? KN_AUTH : KN_USAGE, "%s", cx->refusal);
	return kn__fail(&cx->fault, KN_USAGE, "claim \"%s\" %s", cx->refused, cx->refusal);
}

/* What is wrong with them, NULL: nothing. */
static const char *
check_options(const kn_ctx *cx, const kn_options *options)
{
	if (options->is_read && options->is_write)
		return "of \"is_read\" and \"is_write\" only one can hold";
	if (options->cache_key != NULL && cx->db->config.cache == NULL)
		return "there is no cache in the configuration for a \"cache_key\"";
	if (options->cache_ms < 0)
		return "\"cache_ms\" is a number of milliseconds";
	return NULL;
}

kn_status
kn__ctx_take_options(kn_ctx *cx, const kn_options **options)
{
	kn_options *copied;
	const char *why = NULL;

	if (*options == NULL)
		return KN_OK;
	if ((*options)->size != sizeof(kn_options))
	{
		copied = kn__arena_get(&cx->arena, sizeof(kn_options));
		if (copied == NULL)
			return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
		why = kn__sized(copied, sizeof(kn_options), *options);
		*options = copied;
	}
	if (why == NULL)
		why = check_options(cx, *options);
	return why == NULL ? KN_OK : kn__fail(&cx->fault, KN_USAGE, "%s", why);
}

/* Whether what needs no connection can be done with it; *status says why not. */
bool
kn__ctx_is_sound(kn_ctx *cx, kn_status *status)
{
	*status = KN_NO_MEMORY;
	if (cx == NULL || cx == &no_memory)
		return false;
	kn__fault_tidy(&cx->fault);
	if (cx->own.has_failed)
		*status = kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	else if (cx->refusal != NULL)
		*status = refuse(cx);
	else if (!kn__db_is_usable(cx->db, status) && !goes_on(cx, *status))
		(void) kn__fail(&cx->fault, *status, "%s", kn_status_text(*status));
	else
		*status = KN_OK;
	return *status == KN_OK;
}

/* A transaction that is under way when its handle is closed has as much time as a statement. */
static bool
goes_on(const kn_ctx *cx, kn_status status)
{
	return status == KN_CLOSED && cx->work.depth > 0 && cx->link != NULL &&
		   !atomic_load(&cx->db->is_over);
}

/* Whether calls with it can do anything; *status says why not. */
bool
kn__ctx_is_usable(kn_ctx *cx, kn_status *status)
{
	if (KN__UNLIKELY(!kn__ctx_is_sound(cx, status)))
	{
		if (*status == KN_CLOSED)
			note_refused(cx, *status);
		return false;
	}
	if (KN__UNLIKELY(atomic_load_explicit(&cx->is_cancelled, memory_order_acquire)))
		*status = kn__fail(&cx->fault, KN_CANCELED, "%s", kn_status_text(KN_CANCELED));
	else if (KN__UNLIKELY(cx->stream != NULL))
		*status = kn__fail(&cx->fault, KN_USAGE, "rows are still streaming: kn_done() ends them");
	else if (KN__UNLIKELY(cx->copy != NULL))
		*status = kn__fail(&cx->fault, KN_USAGE, "COPY is under way: kn_copy_end() ends it");
	note_refused(cx, *status);
	return *status == KN_OK;
}

/* A transaction does not succeed without what it was refused, whatever its body makes of that. */
static void
note_refused(kn_ctx *cx, kn_status status)
{
	if ((status == KN_CANCELED || status == KN_CLOSED) && cx->work.depth > 0 &&
		cx->work.failed == KN_OK)
		kn__transact_fail(cx, status);
}

/* xorshift64*: pauses need to differ, and no more. */
uint64_t
kn__ctx_random(kn_ctx *cx)
{
	uint64_t x = cx->random == 0 ? UINT64_C(0x9E3779B97F4A7C15) : cx->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	cx->random = x;
	return x * UINT64_C(0x2545F4914F6CDD1D);
}
