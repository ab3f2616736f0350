/*
 * rows.c
 *		The rows of a query, as the caller walks through them.
 *
 * What goes wrong with a value is remembered, and comes out of kn_done(): a loop need
 * not ask after each one.  What is asked for as what its column is goes a short way, see take();
 * whatever is out of the ordinary goes the long one, through a kn_value.
 */
#include "run/rows.h"

#include <string.h>

#define KIND_UNKNOWN 0xff /* of a column: not looked at yet */

static kn_rows failed_rows = { .row = -1, .number = -1, .status = KN_NO_MEMORY, .is_done = true };

static void forget_kinds(kn_rows *rows);
static kn_type kind_of(const kn_rows *rows, int column);
static kn_str take(const kn_rows *rows, int column, kn_type kind);
static void fail_value(kn_rows *rows, int column, kn_status status, const char *why);
static bool get(kn_rows *rows, int column, kn_value *value);
static int64_t get_int(kn_rows *rows, int column, int64_t least, int64_t most);
static double get_double(kn_rows *rows, int column, bool single);
static bool get_kind(kn_rows *rows, int column, kn_type kind, kn_value *value);

/* Rows for which there is no memory. */
kn_rows *
kn__rows_failed(void)
{
	return &failed_rows;
}

/* Rows of the context, that still have to be filled; never NULL. */
kn_rows *
kn__rows_new(kn_ctx *cx)
{
	kn_rows *rows = kn__arena_get_zero(&cx->arena, 1, sizeof(kn_rows));

	if (rows == NULL)
	{
		(void) kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
		return &failed_rows;
	}
	rows->cx = cx;
	rows->row = -1;
	rows->number = -1;
	rows->affected = -1;
	kn__arena_init(&rows->values, cx->db->allocator);
	rows->next = cx->open_rows;
	cx->open_rows = rows;
	return rows;
}

/* Gives the result of an item to its rows. */
void
kn__rows_fill(kn_rows *rows, kn__item *item)
{
	rows->result = item->result;
	rows->count = kn__result_rows(item->result);
	rows->columns = kn__result_columns(item->result);
	rows->affected = item->affected;
	rows->item.sql = item->sql;
	item->result = NULL;
}

bool
kn_next(kn_rows *rows)
{
	if (rows == NULL || rows->is_done || rows->status != KN_OK)
		return false;
	kn__arena_clear(&rows->values);
	if (rows->row + 1 < rows->count)
	{
		rows->row++;
		rows->number++;
	}
	else if (!rows->is_streaming || !kn__stream_more(rows))
	{
		rows->row = rows->count;
		rows->kinds = NULL;
		return false;
	}
	if (rows->number == 0)
		forget_kinds(rows);
	return true;
}

/* They are found out one by one, as they are asked for.  Without memory all goes the long way. */
static void
forget_kinds(kn_rows *rows)
{
	rows->kinds = kn__arena_get(&rows->cx->arena, (size_t) rows->columns);
	if (rows->kinds != NULL)
		memset(rows->kinds, KIND_UNKNOWN, (size_t) rows->columns);
}

static kn_type
kind_of(const kn_rows *rows, int column)
{
	bool is_array;
	const kn__type *type;

	if (rows->fields == NULL)
		return kn__result_kind(rows->result, column);
	type = kn__type_find(kn__result_oid(rows->result, column), &is_array);
	return type == NULL || is_array ? KN_TYPE_NULL : type->kind;
}

/* The bytes of a value that is of that kind and in binary; empty where that is not known. */
static kn_str
take(const kn_rows *rows, int column, kn_type kind)
{
	if (rows == NULL || rows->kinds == NULL || column < 0 || column >= rows->columns)
		return (kn_str){ NULL, 0 };
	if (rows->kinds[column] == KIND_UNKNOWN)
		rows->kinds[column] = (uint8_t) kind_of(rows, column);
	if (rows->kinds[column] != kind)
		return (kn_str){ NULL, 0 };
	if (rows->fields != NULL)
		return (kn_str){ rows->fields[column].p,
						 rows->fields[column].n < 0 ? 0 : (size_t) rows->fields[column].n };
	return kn__result_bytes(rows->result, rows->row, column);
}

kn_status
kn_done(kn_rows *rows)
{
	kn_ctx *cx;
	kn_rows **place;

	if (rows == NULL)
		return KN_USAGE;
	if (rows->is_done)
		return rows->status;
	rows->is_done = true;
	rows->kinds = NULL;
	if (rows->is_streaming)
		kn__stream_close(rows);
	kn__result_free(rows->result);
	rows->result = NULL;
	rows->fields = NULL;
	rows->count = 0;
	rows->row = -1;
	kn__arena_release(&rows->values);
	cx = rows->cx;
	for (place = &cx->open_rows; *place != NULL; place = &(*place)->next)
	{
		if (*place == rows)
		{
			*place = rows->next;
			break;
		}
	}
	return rows->status;
}

/* Ends all that the caller has left open. */
void
kn__rows_forget_all(kn_ctx *cx)
{
	while (cx->open_rows != NULL)
	{
		kn_status status = kn_done(cx->open_rows);

		(void) status;
	}
}

int
kn_column_count(const kn_rows *rows)
{
	return rows == NULL || rows->result == NULL ? 0 : rows->columns;
}

const char *
kn_column_name(const kn_rows *rows, int column)
{
	return rows == NULL || rows->result == NULL ? NULL : kn__result_name(rows->result, column);
}

uint32_t
kn_column_oid(const kn_rows *rows, int column)
{
	return rows == NULL || rows->result == NULL ? 0 : kn__result_oid(rows->result, column);
}

int
kn_column_index(const kn_rows *rows, const char *name)
{
	for (int i = 0; name != NULL && i < kn_column_count(rows); i++)
	{
		if (strcmp(kn_column_name(rows, i), name) == 0)
			return i;
	}
	return -1;
}

int64_t
kn_row_count(const kn_rows *rows)
{
	if (rows == NULL || rows->is_streaming)
		return -1;
	return rows->affected >= 0 ? rows->affected : rows->count;
}

static void
fail_value(kn_rows *rows, int column, kn_status status, const char *why)
{
	kn__fault *fault = &rows->cx->fault;
	const char *name = kn_column_name(rows, column);

	if (rows->status != KN_OK)
		return;
	rows->kinds = NULL;
	rows->status = kn__fail(fault,
							status,
							"column %d (\"%s\") of row %lld: %s",
							column,
							name == NULL ? "" : name,
							(long long) rows->number,
							why);
	fault->error.row = rows->number;
	fault->error.column = column;
	if (name != NULL)
		kn__fault_text(fault, &fault->error.column_name, name);
	kn__fault_text(fault, &fault->error.sql, rows->item.sql);
}

/* False, and an error, where there is no such value or it is not what its type says. */
static bool
get(kn_rows *rows, int column, kn_value *value)
{
	const char *why = "";
	kn_status status;

	memset(value, 0, sizeof(*value));
	if (rows == NULL || rows->is_done || rows->status != KN_OK)
		return false;
	if (rows->row < 0 || rows->row >= rows->count || column < 0 || column >= rows->columns)
	{
		fail_value(rows,
				   column,
				   KN_USAGE,
				   rows->row < 0              ? "kn_next() has not been called"
				   : rows->row >= rows->count ? "kn_next() has come to the end"
											  : "there is no such column");
		return false;
	}
	if (rows->fields == NULL)
		status = kn__result_value(rows->result, rows->row, column, &rows->values, value, &why);
	else
		status = kn__decode(&rows->values,
							kn__result_oid(rows->result, column),
							1,
							rows->fields[column].p,
							rows->fields[column].n,
							value,
							&why);
	if (status == KN_OK)
		return true;
	fail_value(rows, column, status, why);
	return false;
}

kn_value
kn_column(kn_rows *rows, int column)
{
	kn_value value;

	(void) get(rows, column, &value);
	return value;
}

bool
kn_is_null(kn_rows *rows, int column)
{
	kn_value value;

	return get(rows, column, &value) && value.type == KN_TYPE_NULL;
}

bool
kn_get_bool(kn_rows *rows, int column)
{
	kn_value value;
	const char *why = "";
	bool out = false;
	kn_status status;

	if (!get(rows, column, &value))
		return false;
	status = kn__to_bool(&value, &out, &why);
	if (status != KN_OK)
		fail_value(rows, column, status, why);
	return status == KN_OK && out;
}

static int64_t
get_int(kn_rows *rows, int column, int64_t least, int64_t most)
{
	kn_value value;
	const char *why = "";
	int64_t out = 0;
	kn_status status;

	if (!get(rows, column, &value))
		return 0;
	status = kn__to_int(&value, least, most, &out, &why);
	if (status == KN_OK)
		return out;
	fail_value(rows, column, status, why);
	return 0;
}

int16_t
kn_get_i16(kn_rows *rows, int column)
{
	return (int16_t) get_int(rows, column, INT16_MIN, INT16_MAX);
}

int32_t
kn_get_i32(kn_rows *rows, int column)
{
	kn_str bytes = take(rows, column, KN_TYPE_I32);

	if (bytes.n == sizeof(int32_t))
		return (int32_t) kn__load_u32(bytes.p);
	return (int32_t) get_int(rows, column, INT32_MIN, INT32_MAX);
}

int64_t
kn_get_i64(kn_rows *rows, int column)
{
	kn_str bytes = take(rows, column, KN_TYPE_I64);

	if (bytes.n == sizeof(int64_t))
		return (int64_t) kn__load_u64(bytes.p);
	return get_int(rows, column, INT64_MIN, INT64_MAX);
}

static double
get_double(kn_rows *rows, int column, bool single)
{
	kn_value value;
	const char *why = "";
	double out = 0;
	kn_status status;

	if (!get(rows, column, &value))
		return 0;
	status = kn__to_double(&value, single, &out, &why);
	if (status == KN_OK)
		return out;
	fail_value(rows, column, status, why);
	return 0;
}

float
kn_get_f32(kn_rows *rows, int column)
{
	return (float) get_double(rows, column, true);
}

double
kn_get_f64(kn_rows *rows, int column)
{
	kn_str bytes = take(rows, column, KN_TYPE_F64);
	uint64_t bits;
	double out;

	if (bytes.n != sizeof(out))
		return get_double(rows, column, false);
	bits = kn__load_u64(bytes.p);
	memcpy(&out, &bits, sizeof(out));
	return out;
}

kn_str
kn_get_str(kn_rows *rows, int column)
{
	kn_value value;
	const char *why = "";
	kn_str out = take(rows, column, KN_TYPE_TEXT);
	kn_status status;

	if (out.n > 0)
		return out;
	out = (kn_str){ "", 0 };
	if (!get(rows, column, &value))
		return out;
	status = kn__to_text(&rows->values, &value, &out, &why);
	if (status == KN_OK)
		return out;
	fail_value(rows, column, status, why);
	return (kn_str){ "", 0 };
}

const char *
kn_get_text(kn_rows *rows, int column)
{
	kn_str text = kn_get_str(rows, column);
	char *copy;

	if (rows == NULL || rows->cx == NULL)
		return "";
	/* Bytes may have one in them. */
	if (memchr(text.p, '\0', text.n) != NULL)
	{
		fail_value(rows, column, KN_DATA, "it has a NUL in it, where text ends");
		return "";
	}
	copy = kn__arena_copy(&rows->cx->arena, text.p, text.n);
	if (copy == NULL)
		fail_value(rows, column, KN_NO_MEMORY, "out of memory");
	return copy == NULL ? "" : copy;
}

/* A value that has to be of one kind. */
static bool
get_kind(kn_rows *rows, int column, kn_type kind, kn_value *value)
{
	if (!get(rows, column, value))
		return false;
	if (value->type == kind)
		return true;
	fail_value(rows,
			   column,
			   KN_DATA,
			   value->type == KN_TYPE_NULL ? "it is NULL" : "it is of another type");
	return false;
}

kn_uuid
kn_get_uuid(kn_rows *rows, int column)
{
	kn_value value;

	return get_kind(rows, column, KN_TYPE_UUID, &value) ? value.as.uuid : (kn_uuid){ { 0 } };
}

kn_date
kn_get_date(kn_rows *rows, int column)
{
	kn_value value;

	return (kn_date){ get_kind(rows, column, KN_TYPE_DATE, &value) ? (int32_t) value.as.i : 0 };
}

kn_time
kn_get_time(kn_rows *rows, int column)
{
	kn_str bytes = take(rows, column, KN_TYPE_TIMESTAMPTZ);
	kn_value value;

	if (bytes.n == sizeof(int64_t))
	{
		int64_t usec = (int64_t) kn__load_u64(bytes.p);

		/* Neither infinite nor too late. */
		if (usec != INT64_MIN && usec < INT64_MAX - KN__EPOCH_USEC)
			return (kn_time){ usec + KN__EPOCH_USEC };
	}
	return (kn_time){ get_kind(rows, column, KN_TYPE_TIMESTAMPTZ, &value) ? value.as.i : 0 };
}

kn_interval
kn_get_interval(kn_rows *rows, int column)
{
	kn_value value;

	return get_kind(rows, column, KN_TYPE_INTERVAL, &value) ? value.as.interval
															: (kn_interval){ 0, 0, 0 };
}
