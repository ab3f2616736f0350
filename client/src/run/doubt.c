/*
 * doubt.c
 *		What has become of a transaction whose COMMIT was not answered.
 *
 * The server remembers that by the transaction's number, which comes back with the statement that
 * caused it; so another connection can ask.  But the same number may be another transaction's:
 *
 * - On another server, or on one that was promoted since and has not got all that the old one had:
 *   so with the number goes where it was given out, which is the timeline of the log, and what
 *   tells the server from all others.  Where they differ nothing is known.
 * - After a crash, which takes those with it that are not written yet: their numbers are given out
 *   again.  "Aborted" is true even so, but "committed" may be said of the later one.  After a crash
 *   the server begins its statistics anew, so that one that came after the transaction's begin,
 *   by the server's own clock, is found out.
 *
 * A standby may be behind, and knows nothing for certain: another one is asked.
 */
#include "run/run.h"

#include <stdio.h>
#include <string.h>

#define MOST_QUESTIONS 20

/* Where a number is given out; a standby gives out none, and has no timeline to tell. */
#define ORIGIN                                                                        \
	"pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8)" \
	" || '/' || (pg_catalog.pg_control_system()).system_identifier"

static const char x_xid[] =
	"SELECT pg_catalog.pg_current_xact_id_if_assigned()::text, pg_catalog.now(),"
	" CASE WHEN pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL"
	" THEN " ORIGIN " END";

static const char x_new_xid[] =
	"SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery()"
	" THEN pg_catalog.pg_current_xact_id()::text END, pg_catalog.now(),"
	" CASE WHEN NOT pg_catalog.pg_is_in_recovery()"
	" THEN " ORIGIN " END";

enum
{
	XID_NUMBER,
	XID_BEGAN,
	XID_ORIGIN
};

/* The number is looked up only where it can be ours. */
static const char x_outcome[] =
	"SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'standby'"
	" WHEN " ORIGIN
	" <> $3::text THEN 'other'"
	" ELSE (SELECT CASE WHEN o = 'committed' AND b.stats_reset > $2 THEN 'perhaps' ELSE o END"
	" FROM pg_catalog.pg_xact_status($1::text::xid8) o, pg_catalog.pg_stat_bgwriter b) END";

static kn__item ask(const char *sql);
static bool take_text(char *out, size_t capacity, const kn_value *value);
static bool may_know_more(const char *found);
static const char *ask_once(kn_ctx *cx, char *answer, size_t capacity);

kn__item
kn__doubt_item(void)
{
	return ask(x_xid);
}

kn__item
kn__doubt_new_item(void)
{
	return ask(x_new_xid);
}

static kn__item
ask(const char *sql)
{
	kn__item item = kn__run_plain(sql);

	item.never_prepare = false;
	item.wants_rows = true;
	return item;
}

void
kn__doubt_note(kn_ctx *cx, kn__item *item)
{
	kn__work *work = &cx->work;
	const char *why;
	kn_value values[3];

	if (item->result == NULL)
		return;
	work->is_number_due = false;
	for (int i = 0; i < 3; i++)
	{
		if (kn__result_rows(item->result) != 1 ||
			kn__result_value(item->result, 0, i, NULL, &cx->arena, &values[i], &why) != KN_OK)
			values[i] = kn_null();
	}
	if (values[XID_BEGAN].type == KN_TYPE_TIMESTAMPTZ &&
		take_text(work->xid, sizeof(work->xid), &values[XID_NUMBER]) &&
		!take_text(work->origin, sizeof(work->origin), &values[XID_ORIGIN]))
		work->xid[0] = '\0';
	work->xid_at = (kn_time){ values[XID_BEGAN].as.i };
	kn__result_free(item->result);
	item->result = NULL;
}

/* False, and empty: it is none, or too long. */
static bool
take_text(char *out, size_t capacity, const kn_value *value)
{
	bool fits = value->type == KN_TYPE_TEXT && value->n < capacity;

	if (fits)
		memcpy(out, value->as.p, value->n);
	out[fits ? value->n : 0] = '\0';
	return fits;
}

/* KN_OK: it is committed.  KN_CONN_LOST: it is not.  KN_OUTCOME_UNKNOWN. */
kn_status
kn__doubt_ask(kn_ctx *cx)
{
	char answer[16];
	int attempts = 0;

	while (cx->work.xid[0] != '\0')
	{
		const char *found = ask_once(cx, answer, sizeof(answer));
		int64_t pause;

		if (strcmp(found, "committed") == 0)
		{
			cx->work.failed = KN_OK;
			kn__fault_clear(&cx->fault);
			return KN_OK;
		}
		if (strcmp(found, "aborted") == 0)
			return cx->work.failed =
					   kn__fail(&cx->fault, KN_CONN_LOST, "%s", kn_status_text(KN_CONN_LOST));
		if (!may_know_more(found))
			break;
		attempts++;
		pause = kn__backoff(10 * KN__NS_PER_MS, 500 * KN__NS_PER_MS, attempts, kn__ctx_random(cx));
		if (kn__now(cx->db->clock) + pause >= cx->wait.deadline || attempts > MOST_QUESTIONS ||
			!kn__run_sleep(cx, pause))
			break;
	}
	return cx->work.failed =
			   kn__fail(&cx->fault, KN_OUTCOME_UNKNOWN, "%s", kn_status_text(KN_OUTCOME_UNKNOWN));
}

/* Not "perhaps", or "other".  The session may not have noticed yet that its client is gone. */
static bool
may_know_more(const char *found)
{
	return *found == '\0' || strcmp(found, "in progress") == 0 || strcmp(found, "standby") == 0;
}

/* "" where nobody could be asked. */
static const char *
ask_once(kn_ctx *cx, char *answer, size_t capacity)
{
	kn__server *server = kn__route_primary(cx->db);
	kn_value values[] = { kn_text(cx->work.xid),
						  kn_timestamptz(cx->work.xid_at),
						  kn_text(cx->work.origin) };
	kn__item item = kn__run_plain(x_outcome);
	kn__link *before = cx->link; /* a broken one, or none */
	kn__link *link;
	kn__member *member;
	kn__outcome outcome;
	kn__fault fault;
	kn_value value;
	const char *why;
	kn_status status;

	*answer = '\0';
	kn__fault_clear(&fault);
	if (kn__pool_take(server->pool,
					  cx->wait.deadline,
					  cx->file,
					  cx->line,
					  (const volatile bool *) &cx->is_cancelled,
					  &member,
					  &fault) != KN_OK)
		return answer;
	link = (kn__link *) (void *) member;
	item.values = values;
	item.count = 3;
	item.wants_rows = true;
	/* So that whoever cancels the context wakes this. */
	kn__ctx_set_link(cx, link);
	status = kn__flight(link->conn, &item, 1, &cx->wait, &outcome, &fault);
	kn__ctx_set_link(cx, before);
	if (status == KN_OK && kn__result_rows(item.result) == 1 &&
		kn__result_value(item.result, 0, 0, NULL, &cx->arena, &value, &why) == KN_OK)
	{
		/* NULL: it is so old that nobody remembers. */
		if (value.type != KN_TYPE_TEXT)
			(void) snprintf(answer, capacity, "forgotten");
		else
			(void) snprintf(answer, capacity, "%.*s", (int) value.n, (const char *) value.as.p);
	}
	else if (strcmp(fault.error.sqlstate, "22023") == 0)
		/* A number that has not been given yet: a crash has left no trace of ours. */
		(void) snprintf(answer, capacity, "aborted");
	kn__result_free(item.result);
	/* Whoever connects anew may come to another server by the same name. */
	kn__link_give(link,
				  kn__conn_is_clean(link->conn) && strcmp(answer, "standby") != 0,
				  kn__coarse(server->db->clock));
	return answer;
}
