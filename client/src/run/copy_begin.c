/*
 * copy_begin.c
 *		How a COPY begins.
 *
 * It goes in no flight, so what has to come before it goes in one of its own: BEGIN, the role and
 * the claims, the number of the transaction, for the case that the answer to COMMIT is lost, and
 * the columns that rows will be written for.  Outside of a transaction it has one of its own.
 */
#include "run/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * Names and types of the columns that a COPY of $1 with the list $2 is about, in its order: domains
 * are what they are of, and an enum looks like text; of an array of such, what its elements are.
 */
static const char x_columns[] =
	"WITH RECURSIVE base (position, name, type, beneath) AS ("
	" SELECT coalesce(l.position, a.attnum), a.attname, a.atttypid,"
	"        (SELECT t.typbasetype FROM pg_catalog.pg_type AS t"
	"          WHERE t.oid OPERATOR(pg_catalog.=) a.atttypid)"
	"   FROM pg_catalog.pg_attribute AS a"
	"   LEFT JOIN ROWS FROM (pg_catalog.unnest($2::text[])) WITH ORDINALITY AS l (name, position)"
	"     ON a.attname OPERATOR(pg_catalog.=)"
	"        (pg_catalog.parse_ident(l.name))[1]::pg_catalog.name"
	"  WHERE a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1::text)"
	"    AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped"
	"    AND CASE WHEN $2::text[] IS NULL THEN a.attgenerated OPERATOR(pg_catalog.=) ''"
	"             ELSE l.position IS NOT NULL END"
	"  UNION ALL"
	" SELECT b.position, b.name, b.beneath,"
	"        (SELECT t.typbasetype FROM pg_catalog.pg_type AS t"
	"          WHERE t.oid OPERATOR(pg_catalog.=) b.beneath)"
	"   FROM base AS b WHERE b.beneath OPERATOR(pg_catalog.<>) 0)"
	" SELECT b.name::text,"
	"        CASE f.form WHEN 1 THEN 25 WHEN 2 THEN 1009 ELSE b.type::int8 END,"
	"        CASE f.form WHEN 2 THEN t.typelem::int8 ELSE 0 END"
	"   FROM base AS b"
	"   JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) b.type"
	"  CROSS JOIN LATERAL (SELECT CASE WHEN t.oid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid"
	"                                  THEN 3 ELSE " KN__SQL_OF_FORM
	" END) AS f (form)"
	"  WHERE b.beneath OPERATOR(pg_catalog.=) 0"
	"  ORDER BY b.position";

enum
{
	COLUMN_NAME,
	COLUMN_TYPE,
	COLUMN_ELEMENT
};

#define MOST_BEFORE 6

static bool is_for_replicas(const kn__call *call);
static kn_status start_once(kn_copy *copy);
static kn_status fly(kn_copy *copy);
static kn_status fail(kn_copy *copy, kn_status status);
static bool hold_columns(kn_copy *copy, kn__item *items);
static bool ask_columns(kn_copy *copy, kn__item *item);
static kn_value array_of(kn_ctx *cx, kn_str columns, int count);
static bool take_columns(kn_copy *copy, const kn__result *result);

/* KN_USAGE where the text is no COPY in that direction. */
kn_status
kn__copy_prepare(kn_copy *copy, const char *sql)
{
	kn_ctx *cx = copy->cx;
	kn__item *item = &copy->item;
	kn__call *call = &copy->call;
	bool is_in = copy->direction == KN__COPY_IN;
	unsigned refused = KN__CLASS_MULTIPLE | KN__CLASS_BROKEN;

	kn__buf_init(&copy->buf, cx->db->allocator, SIZE_MAX / 2);
	if (sql == NULL)
		return kn__fail(&cx->fault, KN_USAGE, "the statement is missing");
	*item = kn__run_plain(sql);
	item->affected = -1;
	call->cx = cx;
	call->items = item;
	call->count = 1;
	call->class =
		kn__classes_of(cx->db->classes, &cx->db->functions, sql, item->length, item->hash);
	copy->text = kn__copy_text_of((kn_str){ sql, item->length });
	if ((call->class & refused) == 0 && (is_in ? copy->text.is_in : copy->text.is_out))
		return KN_OK;
	return kn__run_refuse(cx,
						  is_in ? "the statement is not one COPY FROM STDIN"
								: "the statement is not one COPY TO STDOUT",
						  sql);
}

kn_status
kn__copy_start(kn_copy *copy)
{
	kn_ctx *cx = copy->cx;
	kn__call *call = &copy->call;

	copy->is_own = cx->work.depth == 0;
	if (copy->is_own)
		kn__budget_call(&cx->db->budget);
	for (;;)
	{
		kn_status status;

		call->attempts++;
		call->outcome = KN__NOTHING_DONE;
		if (copy->is_own)
			kn__transact_open(cx, is_for_replicas(call));
		status = start_once(copy);
		if (status == KN_OK)
			return KN_OK;
		if (!copy->is_own && kn__transact_swap(cx, &status))
			continue;
		/* Whatever has become of it, it is not committed. */
		call->outcome = KN__NOTHING_DONE;
		status = fail(copy, status);
		/* Without rows, whatever looks like a function in it is none. */
		if (copy->direction == KN__COPY_IN)
			cx->fault.was_begun = false;
		if (!copy->is_own || !kn__run_may_repeat(call, status) || !kn__run_again(call, &status))
			return kn__run_settle(call, status);
	}
}

/*
 * A function that writes is refused by a replica only once data is on its way, and then it is too
 * late to ask the primary: so what may call one goes there at once, but for who insists.
 */
static bool
is_for_replicas(const kn__call *call)
{
	return call->cx->route == KN_ROUTE_REPLICA ? kn__run_is_read(call) : kn__run_is_harmless(call);
}

/* Ends the transaction, or notes that it has failed. */
static kn_status
fail(kn_copy *copy, kn_status status)
{
	kn_ctx *cx = copy->cx;

	if (copy->is_own)
		return kn__transact_close(cx, status);
	if (cx->link != NULL)
		kn__transact_show(cx, NULL);
	if (cx->work.failed == KN_OK)
		kn__transact_note(cx, status);
	return status;
}

static kn_status
start_once(kn_copy *copy)
{
	kn_ctx *cx = copy->cx;
	kn_status status = kn__transact_check(cx);

	if (status != KN_OK)
		return status;
	if (cx->link == NULL)
		status = kn__transact_take(cx);
	copy->call.server = cx->work.server;
	if (status != KN_OK)
		return status;
	kn__transact_show(cx, copy->item.sql);
	copy->call.pid = kn__conn_pid(cx->link->conn);
	status = kn__run_suits_pooler(&copy->call);
	if (status != KN_OK)
		return status;
	status = fly(copy);
	if (status != KN_OK)
	{
		cx->fault.was_begun = false;
		kn__fault_text(&cx->fault, &cx->fault.error.sql, copy->item.sql);
		cx->fault.error.position = 0;
		cx->fault.error.item = -1;
		return status;
	}
	/* A transaction of our own is not READ ONLY, wherever it goes. */
	if (!kn__run_is_harmless(&copy->call))
	{
		cx->work.may_have_written = true;
		cx->work.is_number_due =
			cx->work.xid[0] == '\0' && (copy->is_own || !cx->work.is_read_only);
	}
	kn__run_soil(cx, copy->call.class);
	return kn__copy_begin(cx->link->conn,
						  &copy->item,
						  copy->direction,
						  &cx->wait,
						  &copy->shape,
						  &copy->call.outcome,
						  &cx->fault);
}

/* What has to come before it. */
static kn_status
fly(kn_copy *copy)
{
	kn_ctx *cx = copy->cx;
	bool is_in = copy->direction == KN__COPY_IN;
	kn__item items[MOST_BEFORE];
	int count = kn__run_before(cx, items);
	kn__item *xid = NULL;
	kn__item *columns = NULL;
	kn_status status;

	if (cx->work.xid[0] == '\0' && !kn__run_is_read(&copy->call))
	{
		xid = &items[count++];
		*xid = kn__doubt_new_item();
	}
	if (is_in && copy->text.is_binary && copy->text.relation.n > 0)
	{
		columns = &items[count + 2];
		if (!hold_columns(copy, &items[count]) || !ask_columns(copy, columns))
			return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	}
	if (columns != NULL)
		count += 3;
	if (count == 0)
		return KN_OK;
	status = kn__flight(cx->link->conn, items, count, &cx->wait, &copy->call.outcome, &cx->fault);
	kn__transact_note_begun(cx, status);
	if (xid != NULL)
		kn__doubt_note(cx, xid);
	if (status == KN_OK && columns != NULL && !take_columns(copy, columns->result))
		status = kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	kn__run_forget(items, count);
	return status;
}

/*
 * From here on to the end of the transaction they stay as they are; a snapshot of before still has
 * what they were, where the transaction is one that keeps it.  LOCK takes more rights than
 * COPY does, and a query that is only prepared takes none; what locks its table is that it is read.
 */
static bool
hold_columns(kn_copy *copy, kn__item *items)
{
	kn_ctx *cx = copy->cx;
	kn_str relation = copy->text.relation;
	uint64_t number = kn__ctx_random(cx);
	char *prepare = kn_alloc(cx, relation.n + 60);
	char *close = kn_alloc(cx, 60);

	if (prepare == NULL || close == NULL)
		return false;
	(void) snprintf(prepare,
					relation.n + 60,
					"PREPARE kn_held_%016" PRIx64 " AS SELECT FROM %.*s",
					number,
					(int) relation.n,
					relation.p);
	(void) snprintf(close, 60, "DEALLOCATE kn_held_%016" PRIx64, number);
	items[0] = kn__run_plain(prepare);
	items[1] = kn__run_plain(close);
	return true;
}

static bool
ask_columns(kn_copy *copy, kn__item *item)
{
	kn_ctx *cx = copy->cx;
	kn_value *values = kn_alloc(cx, 2 * sizeof(kn_value));

	if (values == NULL)
		return false;
	*item = kn__run_plain(x_columns);
	item->never_prepare = false;
	item->wants_rows = true;
	item->values = values;
	item->count = 2;
	values[0] = kn_text_of(copy->text.relation);
	values[1] = kn_as(kn_null(), kn__type_array_oid(KN_TYPE_TEXT));
	if (copy->text.column_count > 0)
		values[1] = array_of(cx, copy->text.columns, copy->text.column_count);
	return copy->text.column_count == 0 || values[1].type == KN_TYPE_ARRAY;
}

/* NULL without memory. */
static kn_value
array_of(kn_ctx *cx, kn_str columns, int count)
{
	kn_array *array = kn_alloc(cx, sizeof(kn_array));
	kn_value *items = kn_alloc(cx, (size_t) count * sizeof(kn_value));
	int32_t *size = kn_alloc(cx, sizeof(int32_t));

	if (array == NULL || items == NULL || size == NULL)
		return kn_null();
	for (int i = 0; i < count; i++)
		items[i] = kn_text_of(kn__copy_next_column(&columns));
	*size = count;
	*array = (kn_array){ .items = items, .sizes = size, .dimensions = 1, .element = KN_TYPE_TEXT };
	return kn_array_of(array);
}

/* What is not found there, the server has something to say about. */
static bool
take_columns(kn_copy *copy, const kn__result *result)
{
	kn_ctx *cx = copy->cx;
	int count = kn__result_rows(result);

	copy->types = kn_alloc(cx, ((size_t) count + 1) * 2 * sizeof(uint32_t));
	copy->names = kn_alloc(cx, ((size_t) count + 1) * sizeof(char *));
	if (copy->types == NULL || copy->names == NULL)
		return false;
	copy->elements = copy->types + count;
	for (int i = 0; i < count; i++)
	{
		const char *why;
		kn_value name;
		kn_value type;
		kn_value element;

		if (kn__result_value(result, i, COLUMN_NAME, NULL, &cx->arena, &name, &why) != KN_OK ||
			kn__result_value(result, i, COLUMN_TYPE, NULL, &cx->arena, &type, &why) != KN_OK ||
			kn__result_value(result, i, COLUMN_ELEMENT, NULL, &cx->arena, &element, &why) != KN_OK)
			return false;
		copy->names[i] = kn_copy_text(cx, (kn_str){ name.as.p, name.n });
		copy->types[i] = (uint32_t) type.as.i;
		copy->elements[i] = (uint32_t) element.as.i;
		if (copy->names[i] == NULL)
			return false;
	}
	copy->known = count;
	return true;
}
