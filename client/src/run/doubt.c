/*
 * doubt.c
 *		What has become of a transaction whose COMMIT was not answered.
 *
 * The server remembers that by the transaction's number, which comes back with the statement that
 * caused it; so another connection can ask.  "Aborted" is always true.  "Committed" may be said of
 * another transaction: a crash takes those with it that are not written yet, and their numbers are
 * given out again.  But after a crash the server begins its statistics anew, so that one that
 * came after the transaction's begin, by the server's own clock, is found out.
 */
#include "run/run.h"

#include <stdio.h>
#include <string.h>

static const char x_xid[] =
	"SELECT pg_catalog.pg_current_xact_id_if_assigned()::text, pg_catalog.now()";

/* A standby has no numbers to give. */
static const char x_new_xid[] =
	"SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery()"
	" THEN pg_catalog.pg_current_xact_id()::text END, pg_catalog.now()";

static const char x_outcome[] =
	"SELECT CASE WHEN o = 'committed' AND b.stats_reset > $2 THEN 'perhaps' ELSE o END"
	" FROM pg_catalog.pg_xact_status($1::text::xid8) o, pg_catalog.pg_stat_bgwriter b";

static kn__item ask(const char *sql);
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
	const char *why;
	kn_value xid;
	kn_value at;

	if (item->result == NULL)
		return;
	if (kn__result_rows(item->result) == 1 &&
		kn__result_value(item->result, 0, 0, &cx->arena, &xid, &why) == KN_OK &&
		kn__result_value(item->result, 0, 1, &cx->arena, &at, &why) == KN_OK &&
		xid.type == KN_TYPE_TEXT && xid.n < sizeof(cx->work.xid) && at.type == KN_TYPE_TIMESTAMPTZ)
	{
		memcpy(cx->work.xid, xid.as.p, xid.n);
		cx->work.xid[xid.n] = '\0';
		cx->work.xid_at = (kn_time){ at.as.i };
	}
	kn__result_free(item->result);
	item->result = NULL;
}

/* KN_OK: it is committed.  KN_CONN_LOST: it is not.  KN_OUTCOME_UNKNOWN. */
kn_status
kn__doubt_ask(kn_ctx *cx)
{
	char answer[16];
	kn__call call = { .cx = cx, .server = cx->work.server };

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
		/* "perhaps" as well.  The session may not have noticed yet that its client is gone. */
		if (*found != '\0' && strcmp(found, "in progress") != 0)
			break;
		call.attempts++;
		pause =
			kn__backoff(10 * KN__NS_PER_MS, 500 * KN__NS_PER_MS, call.attempts, kn__ctx_random(cx));
		if (kn__now(cx->db->clock) + pause >= cx->wait.deadline || call.attempts > 20 ||
			!kn__run_sleep(cx, pause))
			break;
	}
	return cx->work.failed =
			   kn__fail(&cx->fault, KN_OUTCOME_UNKNOWN, "%s", kn_status_text(KN_OUTCOME_UNKNOWN));
}

/* "" where nobody could be asked. */
static const char *
ask_once(kn_ctx *cx, char *answer, size_t capacity)
{
	kn__server *server = cx->work.server;
	kn_value values[] = { kn_text(cx->work.xid), kn_timestamptz(cx->work.xid_at) };
	kn__item item = kn__run_plain(x_outcome);
	kn__member *member;
	kn__outcome outcome;
	kn__fault fault;
	kn_value value;
	const char *why;

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
	item.values = values;
	item.count = 2;
	item.wants_rows = true;
	if (kn__flight(((kn__link *) (void *) member)->conn, &item, 1, &cx->wait, &outcome, &fault) ==
			KN_OK &&
		kn__result_rows(item.result) == 1 &&
		kn__result_value(item.result, 0, 0, &cx->arena, &value, &why) == KN_OK)
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
	kn__pool_give(server->pool,
				  member,
				  kn__conn_is_clean(((kn__link *) (void *) member)->conn) ? KN__GIVE_CLEAN
																		  : KN__GIVE_BROKEN);
	return answer;
}
