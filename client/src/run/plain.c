/*
 * plain.c
 *		What most calls are: one statement, as whoever is connected, of one server; nobody listens.
 *
 * It is the way of run.c without what such a call has no use for; where it turns out to be more
 * than that, or fails, run.c goes on from where this has come to.
 */
#include "run/tell.h"

static bool is_plain(const kn__call *call);
static void end(kn_ctx *cx, kn__server *server, const kn__start *start);

bool
kn__plain_run(const kn__call *call, kn__start *start)
{
	kn_ctx *cx = call->cx;
	kn__server *server = cx->db->servers;
	kn__item *item = call->items;
	kn__member *member;
	bool is_done;

	start->is_taken = false;
	if (KN__UNLIKELY(!is_plain(call) || !kn__breaker_pass(&server->breaker, &start->permit)))
		return false;
	start->began = kn__coarse(cx->db->clock);
	member = kn__pool_take_idle(server->pool, start->began, cx->file, cx->line);
	if (KN__UNLIKELY(member == NULL))
		return false;
	start->is_taken = true;
	start->server = server;
	cx->longest = 0;
	kn__ctx_set_link(cx, (kn__link *) (void *) member);
	atomic_store_explicit(&member->last_sql, item->sql, memory_order_release);
	item->may_repeat = (call->class & KN__CLASS_READ) != 0;
	cx->wait.now = start->began;
	is_done = kn__flight_plain(cx->link->conn, item, &cx->wait, &start->begun, &cx->fault);
	cx->wait.now = 0;
	if (KN__LIKELY(is_done))
		end(cx, server, start);
	return is_done;
}

/* Nothing has to be looked at, or to come before it or after it, but the statement. */
static bool
is_plain(const kn__call *call)
{
	const kn_ctx *cx = call->cx;

	return cx->is_plain && cx->work.depth == 0 && call->options == NULL && call->count == 1 &&
		   (call->class & ~(unsigned) (KN__CLASS_KNOWN | KN__CLASS_READ)) == KN__CLASS_ATOMIC;
}

/* See kn__run_end(). */
static void
end(kn_ctx *cx, kn__server *server, const kn__start *start)
{
	int64_t now = kn__coarse(cx->db->clock);
	kn__breaker_state was;
	kn__breaker_state is;

	kn__budget_call(&cx->db->budget);
	kn__pool_note_query(server->pool, &cx->link->member);
	kn__run_give(cx, now);
	if (KN__UNLIKELY(kn__breaker_report(&server->breaker,
										&start->permit,
										now,
										now - start->began,
										false,
										&was,
										&is)))
		kn__tell_breaker(server, is);
}
