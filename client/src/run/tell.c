/*
 * tell.c
 *		What the pipeline has to tell to those who listen.
 */
#include "run/tell.h"

#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "run/config.h"
#include "run/observe.h"

#define OPERATION_ROOM 40

static void describe(kn_event *event, const kn__call *call, kn_status status);
static void tell_audit(const kn__call *call, kn_status status, int64_t rows, int64_t took);
static bool may_write(const kn__call *call);
static kn__call one_of(const kn__call *call, int index);
static void tell_call(kn_event *event, const kn__call *call, kn_status status, int64_t rows);
static void tell_batch(kn_event *event, const kn__call *call, kn_status status);
static const char *batch_operation(const kn__call *call, char *room);
static const char *verb_of(const kn__item *item);
static int64_t rows_of(const kn__item *item);
static int64_t sum(int64_t a, int64_t b);
static void place(kn_event *event, const kn__server *server);

void
kn__tell_begin(kn__call *call)
{
	call->started = call->cx->db->config.hooks == NULL ? 0 : kn__now(call->cx->db->clock);
}

void
kn__tell_retry(const kn__call *call, kn_status status, int64_t pause)
{
	const kn_config *config = &call->cx->db->config;
	kn_event event;

	if (!kn__hears(config->hooks, KN_EVENT_RETRY))
		return;
	kn__event_init(&event, KN_EVENT_RETRY, config->clock);
	describe(&event, call, status);
	event.what = pause < 0 ? "denied" : "repeated";
	event.pause_ns = pause;
	kn__tell(config->hooks, &event);
}

void
kn__tell_hedge(const kn__call *call, const kn__server *second)
{
	const kn_config *config = &call->cx->db->config;
	kn_event event;

	if (!kn__hears(config->hooks, KN_EVENT_RETRY))
		return;
	kn__event_init(&event, KN_EVENT_RETRY, config->clock);
	describe(&event, call, KN_OK);
	place(&event, second);
	event.what = "hedged";
	kn__tell(config->hooks, &event);
}

/* Rows: -1 where the call has none to speak of; those of a batch are counted here. */
void
kn__tell_end(const kn__call *call, kn_status status, int64_t rows)
{
	const kn_config *config = &call->cx->db->config;
	const kn_hooks *hooks = config->hooks;
	kn_event event;
	int64_t took;

	if (hooks == NULL || call->started == 0)
		return;
	took = kn__now(config->clock) - call->started;
	if (kn__hears(hooks, KN_EVENT_QUERY))
	{
		kn__event_init(&event, KN_EVENT_QUERY, config->clock);
		event.duration_ns = took;
		tell_call(&event, call, status, rows);
	}
	if (config->slow_ms >= 0 && took >= config->slow_ms * KN__NS_PER_MS &&
		kn__hears(hooks, KN_EVENT_SLOW_QUERY))
	{
		kn__event_init(&event, KN_EVENT_SLOW_QUERY, config->clock);
		event.duration_ns = took;
		tell_call(&event, call, status, rows);
	}
	if (may_write(call) && kn__hears(hooks, KN_EVENT_AUDIT))
		tell_audit(call, status, rows, took);
}

void
kn__tell_undone(kn_ctx *cx, const char *sql, kn_status why)
{
	const kn_config *config = &cx->db->config;
	kn__item item = kn__run_plain(sql);
	kn__call call = { .cx = cx, .items = &item, .count = 1, .attempts = 1 };
	kn_event event;

	if (!kn__hears(config->hooks, KN_EVENT_AUDIT))
		return;
	call.server = cx->work.server;
	item.affected = -1;
	kn__event_init(&event, KN_EVENT_AUDIT, config->clock);
	event.what = "undone";
	tell_call(&event, &call, why, -1);
}

/* Of a batch each statement that may write is told by itself. */
static void
tell_audit(const kn__call *call, kn_status status, int64_t rows, int64_t took)
{
	const kn_config *config = &call->cx->db->config;
	bool is_pending = status == KN_OK && call->cx->work.depth > 0;

	for (int i = 0; i < call->count; i++)
	{
		kn__call one = call->count == 1 ? *call : one_of(call, i);
		kn_event event;

		if (!may_write(&one))
			continue;
		kn__event_init(&event, KN_EVENT_AUDIT, config->clock);
		event.what = status == KN_OUTCOME_UNKNOWN ? "unknown"
					 : status != KN_OK            ? "failed"
					 : is_pending                 ? "pending"
												  : "committed";
		event.duration_ns = took;
		event.batch_size = call->count > 1 ? call->count : -1;
		call->cx->work.pending += is_pending;
		tell_call(&event, &one, status, call->count == 1 ? rows : rows_of(one.items));
	}
}

static bool
may_write(const kn__call *call)
{
	return (call->class & KN__CLASS_READ) == 0 || !kn__run_is_harmless(call);
}

/* A statement of a batch, as if it were a call. */
static kn__call
one_of(const kn__call *call, int index)
{
	kn_db *db = call->cx->db;
	kn__call one = *call;

	one.items = &call->items[index];
	one.count = 1;
	one.class = kn__classes_of(db->classes,
							   &db->functions,
							   one.items->sql,
							   one.items->length,
							   one.items->hash);
	/* What a read calls may have been seen to write. */
	if ((one.class & KN__CLASS_CALLS) != 0 && (call->class & KN__CLASS_READ) == 0)
		one.class &= ~(unsigned) KN__CLASS_READ;
	return one;
}

static void
tell_call(kn_event *event, const kn__call *call, kn_status status, int64_t rows)
{
	const kn_config *config = &call->cx->db->config;
	const kn__item *item = &call->items[0];
	kn__told_sql told;

	describe(event, call, status);
	if (call->count > 1)
	{
		tell_batch(event, call, status);
		return;
	}
	event->operation = verb_of(item);
	event->rows = rows;
	event->affected = status == KN_OK ? item->affected : -1;
	event->sql = kn__told_sql_init(&told,
								   config->allocator,
								   item->sql,
								   item->count > 0,
								   config->show_parameters);
	kn__event_parameters(event, item->values, item->count, config->show_parameters);
	kn__tell(config->hooks, event);
	kn__told_sql_release(&told);
}

/* All of its statements; but no parameters, which are those of one each. */
static void
tell_batch(kn_event *event, const kn__call *call, kn_status status)
{
	const kn_config *config = &call->cx->db->config;
	char operation[OPERATION_ROOM];
	int parameters = 0;
	kn__told_sql told;

	event->operation = batch_operation(call, operation);
	for (int i = 0; i < call->count; i++)
	{
		parameters += call->items[i].count;
		if (status != KN_OK)
			continue;
		event->rows = sum(event->rows, rows_of(&call->items[i]));
		event->affected = sum(event->affected, call->items[i].affected);
	}
	event->sql = kn__told_batch_init(&told,
									 config->allocator,
									 call->items,
									 call->count,
									 config->show_parameters);
	kn__event_parameters(event, NULL, parameters, false);
	kn__tell(config->hooks, event);
	kn__told_sql_release(&told);
}

/* As OpenTelemetry has it: "BATCH INSERT" where all do the same, else "BATCH". */
static const char *
batch_operation(const kn__call *call, char *room)
{
	const char *verb = verb_of(&call->items[0]);

	for (int i = 1; i < call->count && verb != NULL; i++)
	{
		const char *other = verb_of(&call->items[i]);

		if (other == NULL || strcmp(other, verb) != 0)
			verb = NULL;
	}
	(void) snprintf(room, OPERATION_ROOM, verb == NULL ? "BATCH" : "BATCH %s", verb);
	return room;
}

/* NULL: it has none that is known. */
static const char *
verb_of(const kn__item *item)
{
	return kn__said(kn__statement_of((kn_str){ item->sql, item->length }).verb);
}

static int64_t
rows_of(const kn__item *item)
{
	return item->result == NULL ? -1 : kn__result_rows(item->result);
}

/* Of two numbers, each of which is -1 where it is not known. */
static int64_t
sum(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 ? a : a + b;
}

static void
describe(kn_event *event, const kn__call *call, kn_status status)
{
	const kn_ctx *cx = call->cx;

	place(event, call->server);
	event->db_name = cx->db->config.name;
	event->summary = call->options == NULL ? NULL : call->options->name;
	if (call->count > 1)
		event->batch_size = call->count;
	event->trace_id = cx->trace_id;
	event->actor = cx->actor;
	event->attempts = call->attempts;
	if (cx->work.depth > 0 && cx->work.savepoint > 0)
		event->savepoint = cx->work.savepoint;
	event->file = cx->file;
	event->line = cx->line;
	event->connection_pid = call->pid > 0      ? call->pid
							: cx->link != NULL ? kn__conn_pid(cx->link->conn)
											   : -1;
	if (status != KN_OK)
		kn__event_fault(event, &cx->fault, cx->db->config.show_parameters);
}

static void
place(kn_event *event, const kn__server *server)
{
	if (server == NULL)
		return;
	event->host = kn__said(server->host);
	event->port = server->place->port > 0 ? server->place->port : -1;
	event->database = server->place->database;
	event->db_name = server->db->config.name;
}

void
kn__tell_breaker(const kn__server *server, kn__breaker_state state)
{
	const kn_config *config = &server->db->config;
	kn_event event;

	if (!kn__hears(config->hooks, KN_EVENT_BREAKER))
		return;
	kn__event_init(&event, KN_EVENT_BREAKER, config->clock);
	place(&event, server);
	event.what = kn_breaker_state_name((int) state);
	kn__tell(config->hooks, &event);
}

/* The process number of a session, as far as there is one to tell: a copy of a head has none. */
static int64_t
pid_of(const kn__news *news)
{
	if (news->kind != KN__NEWS_OPENED && news->kind != KN__NEWS_CLOSED)
		return -1;
	return kn__conn_pid(((const kn__link *) (const void *) news->member)->conn);
}

void
kn__tell_pool(void *user, const kn__news *news)
{
	static const char *const whats[] = {
		[KN__NEWS_OPENED] = "opened", [KN__NEWS_OPEN_FAILED] = "open_failed",
		[KN__NEWS_CLOSED] = "closed", [KN__NEWS_LEAKED] = "leaked",
		[KN__NEWS_WAITED] = "waited", [KN__NEWS_WAIT_FAILED] = "wait_failed",
	};
	const kn__server *server = user;
	const kn_config *config = &server->db->config;
	kn_event event;
	kn__told_sql told;

	if (!kn__hears(config->hooks, KN_EVENT_POOL))
		return;
	kn__event_init(&event, KN_EVENT_POOL, config->clock);
	place(&event, server);
	event.what = whats[news->kind];
	event.reason = kn__said(news->reason);
	event.duration_ns = news->took_ns;
	event.connection_pid = pid_of(news);
	event.file = news->file;
	event.line = news->file == NULL ? -1 : news->line;
	event.sql = kn__told_sql_init(
		&told,
		config->allocator,
		news->kind == KN__NEWS_LEAKED ? atomic_load(&news->member->last_sql) : NULL,
		false,
		config->show_parameters);
	if (news->fault != NULL)
		kn__event_fault(&event, news->fault, config->show_parameters);
	kn__tell(config->hooks, &event);
	kn__told_sql_release(&told);
}

void
kn__tell_listen(const kn__server *server, const char *what, const kn__fault *fault)
{
	const kn_config *config = &server->db->config;
	kn_event event;

	if (!kn__hears(config->hooks, KN_EVENT_POOL))
		return;
	kn__event_init(&event, KN_EVENT_POOL, config->clock);
	place(&event, server);
	event.what = what;
	if (fault != NULL)
		kn__event_fault(&event, fault, config->show_parameters);
	kn__tell(config->hooks, &event);
}

void
kn__tell_notice(void *user, const char *severity, const char *text, bool may_quote)
{
	const kn__server *server = user;
	const kn_config *config = &server->db->config;
	kn_event event;

	if (!kn__hears(config->hooks, KN_EVENT_NOTICE))
		return;
	kn__event_init(&event, KN_EVENT_NOTICE, config->clock);
	place(&event, server);
	event.what = severity;
	event.message = may_quote && !config->show_parameters ? NULL : text;
	kn__tell(config->hooks, &event);
}
