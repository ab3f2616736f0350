/*
 * run.c
 *		The one way to the server, and back.
 */
#include "run/tell.h"

#include <string.h>

#define FRESH_MS 250 /* that a cache waits for the primary where there are others */
#define FEW      4   /* statements of a flight, the prelude with them, that need no memory */

static KN__APART kn_status run(kn__call *call);
static KN__HOT kn_status attempt(kn__call *call);
static kn_status take_over(kn__call *call, kn__permit *permit);
static kn_status find_server(kn__call *call, kn__server **out);
static KN__HOT kn_status take_of(kn__call *call, kn__server *server, kn__permit *permit);
static KN__HOT kn_status fly(kn__call *call, kn__permit *permit);
static bool is_of_callers(kn_status status);
static bool may_be_standby(const kn_ctx *cx);

kn_status
kn__run(kn__call *call)
{
	kn__start start;
	kn_status status;

	if (KN__LIKELY(kn__plain_run(call, &start)))
		return KN_OK;
	call->start = start.is_taken ? &start : NULL;
	kn__tell_begin(call);
	status = run(call);
	if (status == KN_SCHEMA)
		kn__query_explain(call, status);
	kn__tell_end(call,
				 status,
				 call->items[0].result == NULL ? -1 : kn__result_rows(call->items[0].result));
	return status;
}

static kn_status
run(kn__call *call)
{
	kn_ctx *cx = call->cx;
	kn_db *db = cx->db;
	kn_status status;

	call->attempts = 0;
	call->may_be_done = call->has_begun = false;
	call->outcome = KN__NOTHING_DONE;
	call->server = NULL;
	if (cx->work.depth > 0)
		return kn__transact_run(call);
	kn__budget_call(&db->budget);
	for (;;)
	{
		call->attempts++;
		status = attempt(call);
		if (status != KN_OK)
			kn__run_forget(call->items, call->count);
		if (!kn__run_may_repeat(call, status) || !kn__run_again(call, &status))
			return kn__run_settle(call, status);
	}
}

static kn_status
attempt(kn__call *call)
{
	kn_ctx *cx = call->cx;
	kn__permit permit;
	kn_status status;

	call->outcome = KN__NOTHING_DONE;
	status = call->start == NULL ? kn__run_take(call, &permit) : take_over(call, &permit);
	if (status != KN_OK)
		return status;
	if (call->started != 0)
		call->pid = kn__conn_pid(cx->link->conn);
	status = kn__run_suits_pooler(call);
	if (status == KN_OK)
	{
		status = fly(call, &permit);
		call->start = NULL;
		if (call->options != NULL && call->options->cache_key != NULL)
			call->is_of_standby = kn__route_is_standby(cx->link);
		kn__run_soil(cx, call->class);
	}
	kn__run_end(cx, call->server, &permit, call->began, status);
	return status;
}

/* The first attempt goes on with what the short way has taken. */
static kn_status
take_over(kn__call *call, kn__permit *permit)
{
	*permit = call->start->permit;
	call->server = call->start->server;
	call->began = call->start->began;
	return KN_OK;
}

void
kn__run_forget(kn__item *items, int count)
{
	for (int i = 0; i < count; i++)
	{
		kn__result_free(items[i].result);
		items[i].result = NULL;
	}
}

int
kn__run_before(const kn_ctx *cx, kn__item *items)
{
	int count = 0;

	if (cx->work.depth > 0 && cx->work.has_begun)
		return 0;
	if (cx->work.depth > 0)
	{
		items[count] = kn__run_plain(cx->work.begin);
		items[count++].may_repeat = true;
	}
	if (cx->prelude != NULL)
		items[count++] = (kn__item){ .sql = cx->prelude,
									 .length = cx->prelude_length,
									 .hash = cx->prelude_hash,
									 .values = cx->prelude_values,
									 .count = cx->prelude_count,
									 .is_identity = true,
									 .may_repeat = true,
									 .is_atomic = true };
	return count;
}

/* A statement of our own, which has no parameters and is not worth preparing. */
kn__item
kn__run_plain(const char *sql)
{
	kn__item item = { .sql = sql, .length = strlen(sql), .never_prepare = true, .is_atomic = true };

	item.hash = kn__hash(sql, item.length, 0);
	return item;
}

/* Whether it matters which server is the primary: it may write, or is to see what was written. */
static bool
has_to_know(const kn__call *call, bool reads)
{
	const kn_ctx *cx = call->cx;

	if (!reads || cx->route == KN_ROUTE_PRIMARY)
		return true;
	return cx->route != KN_ROUTE_REPLICA &&
		   (!kn__run_is_harmless(call) || cx->wants_fresh || cx->min_lsn > 0 || cx->last_lsn > 0);
}

/* By the breaker and the pool of the server that the call goes to. */
kn_status
kn__run_take(kn__call *call, kn__permit *permit)
{
	kn_status status;

	do
	{
		kn__server *server = NULL;

		status = find_server(call, &server);
		if (status != KN_OK)
			return status;
		call->server = server;
		status = take_of(call, server, permit);
		/* Sent away, because another server is the right one by now. */
	} while (status == KN_READ_ONLY);
	return status;
}

static kn_status
find_server(kn__call *call, kn__server **out)
{
	kn_ctx *cx = call->cx;
	bool reads = kn__run_is_read(call);
	const kn__server *except = call->attempts > 1 ? call->server : NULL;
	bool is_new = atomic_load(&cx->db->first_look_by) != 0;
	kn_status status = KN_OK;

	if (KN__LIKELY(!is_new) || !has_to_know(call, reads))
		*out = kn__route(cx, reads, except, &status);
	if (KN__LIKELY(*out != NULL))
		return KN_OK;
	if (is_new)
	{
		status = kn__route_await(cx);
		if (status != KN_OK)
			return status;
		*out = kn__route(cx, reads, except, &status);
		if (*out != NULL)
			return KN_OK;
	}
	/* The next attempt may find the next primary. */
	if (cx->route != KN_ROUTE_REPLICA)
		call->server = kn__route_primary(cx->db);
	return kn__fail(&cx->fault, status, "no server serves %s now", reads ? "reads" : "writes");
}

/* Until when a call waits for a connection. */
static int64_t
patience_of(const kn_ctx *cx)
{
	int64_t until;

	if (!cx->wants_fresh)
		return cx->wait.deadline;
	until = kn__after(kn__now(cx->db->clock), FRESH_MS);
	return until < cx->wait.deadline ? until : cx->wait.deadline;
}

/* Whether a failover has made another one the primary, while a write has waited for that one. */
static bool
is_left_behind(const kn__call *call, kn__server *server)
{
	return call->cx->db->server_count > 1 && !kn__run_is_read(call) &&
		   kn__route_primary(call->cx->db) != server;
}

static kn_status
take_of(kn__call *call, kn__server *server, kn__permit *permit)
{
	kn_ctx *cx = call->cx;
	const kn_clock *clock = cx->db->clock;
	bool has_all = kn__route_has(cx, server);
	kn__member *member;
	kn__breaker_state was;
	kn__breaker_state is;
	kn_status status;

	if (!kn__breaker_pass(&server->breaker, permit) &&
		!kn__breaker_admit(&server->breaker, kn__coarse(clock), permit))
	{
		atomic_fetch_add_explicit(&server->refused, 1, memory_order_relaxed);
		kn__route_refused(server, kn__coarse(clock));
		return kn__fail(&cx->fault,
						KN_CIRCUIT_OPEN,
						"the circuit breaker of server \"%s\" is open",
						server->host);
	}
	if (permit->is_first)
		kn__tell_breaker(server, KN__BREAKER_HALF_OPEN);
	status = kn__pool_take(server->pool,
						   patience_of(cx),
						   cx->file,
						   cx->line,
						   (const volatile bool *) &cx->is_cancelled,
						   &member,
						   &cx->fault);
	/* The wait for one that is free is no slowness of the server's. */
	call->began = status == KN_OK ? member->taken_at : kn__coarse(clock);
	cx->longest = 0;
	if (status == KN_OK &&
		((has_all && !kn__route_has(cx, server)) || is_left_behind(call, server)))
	{
		kn__link_give((kn__link *) (void *) member, true, kn__coarse(clock));
		status = KN_READ_ONLY;
	}
	if (status == KN_OK)
		kn__ctx_set_link(cx, (kn__link *) (void *) member);
	else if (((status == KN_CONN_LOST || status == KN_UNAVAILABLE) && !cx->fault.is_ours) ||
			 (status == KN_TIMEOUT && kn__pool_is_barren(server->pool)))
	{
		if (kn__breaker_report(&server->breaker, permit, call->began, 0, true, &was, &is))
			kn__tell_breaker(server, is);
		kn__route_doubt(server, status);
	}
	else
		kn__breaker_withdraw(&server->breaker, permit);
	/* Whoever else there is will do, though what he says is not kept. */
	if (status == KN_TIMEOUT && cx->wants_fresh && kn__now(clock) < cx->wait.deadline)
	{
		cx->wants_fresh = false;
		status = KN_READ_ONLY;
	}
	return status;
}

/* The call's statements, with the role and the claims before them. */
static kn_status
fly(kn__call *call, kn__permit *permit)
{
	kn_ctx *cx = call->cx;
	int before = cx->prelude != NULL;
	int after = kn__lsn_is_wanted(cx) && !kn__run_is_harmless(call);
	kn__item few[FEW];
	kn__item *items = call->items;
	int count = before + call->count + after;
	kn_status status;

	atomic_store_explicit(&cx->link->member.last_sql, call->items[0].sql, memory_order_release);
	kn__run_mark_read(call, call->items);
	if (count > call->count)
	{
		items = count <= FEW ? few : kn__arena_get(&cx->arena, (size_t) count * sizeof(kn__item));
		if (items == NULL)
			return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
		memcpy(items + before, call->items, (size_t) call->count * sizeof(kn__item));
	}
	if (before)
		(void) kn__run_before(cx, items);
	if (after)
	{
		items[count - 2].sync_after = true;
		items[count - 1] = kn__lsn_item();
	}
	if (call->start != NULL)
		status = kn__flight_on(cx->link->conn,
							   items,
							   &call->start->begun,
							   &cx->wait,
							   &call->outcome,
							   &cx->fault);
	else if (kn__hedge_serves(call))
		status = kn__hedge_fly(call, items, count, permit);
	else
		status = kn__flight(cx->link->conn, items, count, &cx->wait, &call->outcome, &cx->fault);
	if (items != call->items)
		memcpy(call->items, items + before, (size_t) call->count * sizeof(kn__item));
	if (after)
		kn__lsn_note(cx, &items[count - 1], status == KN_OK || call->outcome != KN__NOTHING_DONE);
	if (status != KN_OK && cx->fault.error.item >= 0)
		cx->fault.error.item = call->count > 1 ? cx->fault.error.item - before : -1;
	return status;
}

/* The connection goes back, and the server's breaker and counters are told how it went. */
void
kn__run_end(kn_ctx *cx, kn__server *server, const kn__permit *permit, int64_t began,
			kn_status status)
{
	kn__verdict verdict = kn__run_judge(cx, status);

	kn__run_end_as(cx, server, permit, began, status, &verdict);
}

kn__verdict
kn__run_judge(const kn_ctx *cx, kn_status status)
{
	bool is_answer = cx->fault.error.sqlstate[0] != '\0';

	if (status == KN_OK)
		return (kn__verdict){ .status = KN_OK };
	return (kn__verdict){
		.status = status,
		.has_failed = kn__run_is_of_servers(status, &cx->fault),
		.is_slow = status == KN_TIMEOUT && is_answer, /* it was told to end it, and has ended it */
		.is_unsent = !is_answer && is_of_callers(status),
	};
}

void
kn__run_end_as(kn_ctx *cx, kn__server *server, const kn__permit *permit, int64_t began,
			   kn_status status, const kn__verdict *verdict)
{
	int64_t now = kn__coarse(cx->db->clock);
	bool has_failed = verdict->has_failed || kn__conn_is_silent(cx->link->conn);
	int64_t took = verdict->is_slow ? KN__NEVER : now - began;
	bool is_doubtful = has_failed || (verdict->status == KN_READ_ONLY && may_be_standby(cx));
	kn__breaker_state was;
	kn__breaker_state is;

	kn__pool_note_query(cx->link->server->pool, &cx->link->member);
	if (is_doubtful && verdict->status == KN_READ_ONLY && cx->db->server_count == 1)
		kn__conn_soil(cx->link->conn);
	kn__run_give(cx, now);
	if (status != KN_OK)
		atomic_fetch_add_explicit(&server->errors, 1, memory_order_relaxed);
	if (verdict->is_unsent && !has_failed)
		kn__breaker_withdraw(&server->breaker, permit);
	else if (kn__breaker_report(&server->breaker, permit, now, took, has_failed, &was, &is))
		kn__tell_breaker(server, is);
	if (is_doubtful)
		kn__route_doubt(server, verdict->status);
}

void
kn__run_end_held(kn_ctx *cx, kn__server *server, const kn__permit *permit, kn_status status)
{
	kn__run_end(cx, server, permit, kn__coarse(cx->db->clock) - cx->longest, status);
}

/* When a wait for the server has begun. */
int64_t
kn__run_waits(const kn_ctx *cx)
{
	return cx->db->config.breaker_slow_percent < 0 ? 0 : kn__coarse(cx->db->clock);
}

void
kn__run_waited(kn_ctx *cx, int64_t since)
{
	int64_t took = kn__run_waits(cx) - since;

	if (took > cx->longest)
		cx->longest = took;
}

/* What ends a call before the server has anything of it says nothing of the server. */
static bool
is_of_callers(kn_status status)
{
	return status == KN_TIMEOUT || status == KN_CANCELED || status == KN_DATA ||
		   status == KN_USAGE || status == KN_NO_MEMORY;
}

/* Whether a write was refused by the server, and not by what the caller has asked for. */
static bool
may_be_standby(const kn_ctx *cx)
{
	if (cx->work.options != NULL && cx->work.options->is_read_only)
		return false;
	return kn__route_may_be_standby(cx->link);
}

int64_t
kn__run_end_by(const kn_ctx *cx)
{
	int64_t by = kn__after(kn__now(cx->db->clock), cx->db->config.cancel_ms);
	int64_t limit = cx->link == NULL ? KN__NEVER : kn__conn_gives_up_at(cx->link->conn);

	return by < limit ? by : limit;
}

/* The connection goes back to the pool, if it is as it came. */
void
kn__run_give(kn_ctx *cx, int64_t now)
{
	kn__link *link = cx->link;

	if (KN__UNLIKELY(kn__conn_has_given_up(link->conn)) &&
		!atomic_exchange(&link->server->is_told, true))
		kn__tell_notice(link->server,
						"WARNING",
						"prepared statements were not there: a connection goes on without",
						false);
	kn__ctx_set_link(cx, NULL);
	atomic_store_explicit(&link->member.last_sql, NULL, memory_order_release);
	atomic_store_explicit(&link->member.doing, KN__DOING_CALLS, memory_order_relaxed);
	kn__link_give(link, kn__conn_is_clean(link->conn), now);
}

/* Trouble with the server, or the way to it; not what a statement is to blame for. */
bool
kn__run_is_of_servers(kn_status status, const kn__fault *fault)
{
	if (fault->error.sqlstate[0] != '\0')
		return fault->is_of_servers;
	return (status == KN_CONN_LOST || status == KN_OUTCOME_UNKNOWN) && !fault->is_ours;
}

/* Whether any server will do: by what its options say, else by what its text tells. */
bool
kn__run_is_read(const kn__call *call)
{
	if (call->options != NULL && call->options->is_write)
		return false;
	if (call->options != NULL && call->options->is_read)
		return true;
	return (call->class & KN__CLASS_READ) != 0;
}

/* Whether it is sure to write nothing: a read may call a function that does. */
bool
kn__run_is_harmless(const kn__call *call)
{
	return kn__run_is_read(call) && ((call->class & KN__CLASS_CALLS) == 0 ||
									 (call->options != NULL && call->options->is_read));
}

/* Its statements may be sent once more on the way, if it is a read. */
void
kn__run_mark_read(const kn__call *call, kn__item *items)
{
	bool is_harmless = kn__run_is_harmless(call);

	for (int i = 0; i < call->count; i++)
		items[i].may_repeat = is_harmless;
}
