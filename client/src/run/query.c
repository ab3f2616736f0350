/*
 * query.c
 *		Statements of the caller's: all rows at once, or as they arrive.
 */
#include "run/cache.h"
#include "run/rows.h"

#include <string.h>

/* What may have no place here. */
#define IN_QUESTION                                                                    \
	(KN__CLASS_TRANSACTION | KN__CLASS_COPY | KN__CLASS_MULTIPLE | KN__CLASS_SETTING | \
	 KN__CLASS_COMMITS)

static KN__HOT unsigned recognize(kn_ctx *cx, kn__item *item);

KN__HOT kn_status
kn_exec_values(kn_ctx *cx, const char *sql, const kn_value *values, int count,
			   const kn_options *options, int64_t *rows)
{
	kn__item item;
	kn__call call;
	kn_status status;

	if (rows != NULL)
		*rows = 0;
	if (!kn__ctx_is_usable(cx, &status))
		return status;
	status = kn__query_prepare(cx, sql, values, count, options, &item, &call);
	if (status == KN_OK)
		status = kn__run(&call);
	if (status == KN_OK && rows != NULL && item.affected > 0)
		*rows = item.affected;
	return status;
}

KN__HOT kn_rows *
kn_query_values(kn_ctx *cx, const char *sql, const kn_value *values, int count,
				const kn_options *options)
{
	kn__item item;
	kn__call call;
	kn_status status;
	kn_rows *rows;

	if (KN__UNLIKELY(!kn__ctx_is_usable(cx, &status)))
		return kn__rows_fail(cx, status);
	/* First of all: without memory for the rows nothing is to happen. */
	rows = kn__rows_new(cx);
	if (KN__UNLIKELY(rows->cx == NULL))
		return rows;
	rows->status = kn__query_prepare(cx, sql, values, count, options, &item, &call);
	if (KN__UNLIKELY(rows->status != KN_OK))
		return rows;
	item.wants_rows = true;
	rows->status = KN__UNLIKELY(kn__cache_serves(&call)) ? kn__cache_run(&call) : kn__run(&call);
	if (KN__LIKELY(rows->status == KN_OK))
		kn__rows_fill(rows, &item);
	return rows;
}

/* One statement of the caller's as a call; KN_USAGE where it has no place in a pool. */
kn_status
kn__query_prepare(kn_ctx *cx, const char *sql, const kn_value *values, int count,
				  const kn_options *options, kn__item *item, kn__call *call)
{
	kn_status status = KN__LIKELY(options == NULL) ? KN_OK : kn__ctx_take_options(cx, &options);

	memset(call, 0, sizeof(*call));
	item->affected = 0;
	item->result = NULL;
	if (KN__UNLIKELY(status != KN_OK))
		return status;
	if (KN__UNLIKELY(sql == NULL || count < 0 || (count > 0 && values == NULL)))
		return kn__fail(&cx->fault, KN_USAGE, "a statement or its values are missing");
	call->cx = cx;
	call->items = item;
	call->count = 1;
	call->options = options;
	call->class = kn__query_item(cx, sql, values, count, item);
	item->never_prepare |= options != NULL && options->never_prepare;
	if (KN__LIKELY((call->class & IN_QUESTION) == 0))
		return KN_OK;
	status = kn__run_usage(cx, call->class, sql);
	return status == KN_OK ? kn__run_keeps_identity(cx, call->class, sql) : status;
}

unsigned
kn__query_item(kn_ctx *cx, const char *sql, const kn_value *values, int count, kn__item *item)
{
	unsigned class;

	*item = (kn__item){ .sql = sql, .length = strlen(sql), .values = values, .count = count };
	class = recognize(cx, item);
	item->hash ^= cx->path;
	item->is_atomic = (class & KN__CLASS_ATOMIC) != 0;
	item->never_prepare = !item->is_atomic;
	item->calls = (class & (KN__CLASS_CALLS | KN__CLASS_LASTS)) != 0;
	/* What a later server has a word for may do so; it is not refused for that. */
	item->commits = (class & (KN__CLASS_COMMITS | KN__CLASS_UNKNOWN)) != 0;
	return class;
}

/* The class of a statement, and its hash: from what the context remembers, if it can. */
static unsigned
recognize(kn_ctx *cx, kn__item *item)
{
	kn__recent *recent = &cx->recent[item->length % KN__RECENT];
	unsigned class;

	if (KN__LIKELY(recent->length == item->length && item->length > 0 &&
				   memcmp(recent->text, item->sql, item->length) == 0))
	{
		item->hash = recent->hash;
		return recent->class;
	}
	item->hash = kn__hash(item->sql, item->length, 0);
	class =
		kn__classes_of(cx->db->classes, &cx->db->functions, item->sql, item->length, item->hash);
	if (item->length <= KN__RECENT_TEXT)
	{
		recent->hash = item->hash;
		recent->length = (uint32_t) item->length;
		recent->class = class;
		memcpy(recent->text, item->sql, item->length);
	}
	return class;
}

/* An error for what has no place in a pooled connection. */
kn_status
kn__run_usage(kn_ctx *cx, unsigned class, const char *sql)
{
	const char *why = NULL;

	if ((class & KN__CLASS_TRANSACTION) != 0)
		why = "transactions have calls of their own";
	else if ((class & KN__CLASS_COPY) != 0)
		why = "COPY has calls of its own";
	else if ((class & KN__CLASS_MULTIPLE) != 0)
		why = "there is more than one statement in the text";
	else if ((class & KN__CLASS_KEEPS) == KN__CLASS_SETTING)
		why = "the statement sets something for the session, which is shared";
	return why == NULL ? KN_OK : kn__run_refuse(cx, why, sql);
}

/* KN_USAGE, for the reason given. */
kn_status
kn__run_refuse(kn_ctx *cx, const char *why, const char *sql)
{
	(void) kn__fail(&cx->fault, KN_USAGE, "%s", why);
	kn__fault_text(&cx->fault, &cx->fault.error.sql, sql);
	return KN_USAGE;
}

/*
 * A lock of the session outlives the failure of the statement that has taken it.  Behind a pooler
 * nobody knows which session it was.
 */
void
kn__run_soil(kn_ctx *cx, unsigned class)
{
	if ((class & KN__CLASS_SOILS) != 0)
		kn__conn_soil(cx->link->conn);
	else if ((class & (KN__CLASS_CALLS | KN__CLASS_CREATES)) != 0 && !cx->link->is_pooled)
		kn__conn_touch(cx->link->conn);
}

/*
 * An error for what is there to leave something in the session, where that is a pooler's and goes
 * to whoever is next.  Known only once there is a connection.
 */
kn_status
kn__run_suits_pooler(const kn__call *call)
{
	kn_ctx *cx = call->cx;
	int at = 0;

	if ((call->class & KN__CLASS_KEEPS) != KN__CLASS_KEEPS || !cx->link->is_pooled)
		return KN_OK;
	while (at < call->count - 1 && (kn__classes_of(cx->db->classes,
												   &cx->db->functions,
												   call->items[at].sql,
												   call->items[at].length,
												   call->items[at].hash) &
									KN__CLASS_KEEPS) != KN__CLASS_KEEPS)
		at++;
	(void) kn__run_refuse(cx,
						  "the statement leaves something in the session, which a pooler gives to "
						  "others",
						  call->items[at].sql);
	cx->fault.error.item = call->count > 1 ? at : -1;
	return KN_USAGE;
}

/*
 * Role and claims hold for a transaction: what commits in the middle of it goes on without them,
 * as somebody else.  Within a transaction of the caller's the server does not let it commit.
 */
kn_status
kn__run_keeps_identity(kn_ctx *cx, unsigned class, const char *sql)
{
	if ((class & KN__CLASS_COMMITS) == 0 || cx->prelude == NULL || cx->work.depth > 0)
		return KN_OK;
	return kn__run_refuse(
		cx,
		"what may commit by itself would lose role and claims: it takes a transaction",
		sql);
}

/*
 * What the server cannot know of a statement that it does not understand: in C11 true is an int,
 * and goes out as one.  To take it for a boolean would be a cast, and wrong where an int is meant.
 */
void
kn__query_explain(const kn__call *call, kn_status status)
{
	kn__fault *fault = &call->cx->fault;
	const char *sqlstate = fault->error.sqlstate;

	if (status != KN_SCHEMA || (strcmp(sqlstate, "42804") != 0 && strcmp(sqlstate, "42883") != 0) ||
		strstr(fault->error.message, "boolean") == NULL)
		return;
	for (int i = 0; i < call->count; i++)
	{
		for (int j = 0; j < call->items[i].count; j++)
		{
			const kn_value *value = &call->items[i].values[j];

			if (value->type != KN_TYPE_I32 || (value->as.i & ~INT64_C(1)) != 0)
				continue;
			kn__fault_text(fault,
						   &fault->error.hint,
						   "true and false are ints in C11: kn_bool(true) is a boolean");
			return;
		}
	}
}

/* Rows that have nothing but their failure. */
kn_rows *
kn__rows_fail(kn_ctx *cx, kn_status status)
{
	kn_rows *rows;

	if (cx == NULL || cx->db == NULL)
		return kn__rows_failed();
	rows = kn__rows_new(cx);
	if (rows->cx != NULL)
		rows->status = status;
	return rows;
}
