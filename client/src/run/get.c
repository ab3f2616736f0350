/*
 * get.c
 *		The values of the current row, as what they are asked for.
 *
 * What goes wrong with a value is remembered, and comes out of kn_done(): a loop need
 * not ask after each one.  What is asked for as what its column is goes a short way, see take();
 * whatever is out of the ordinary goes the long one, through a kn_value.
 */
#include "run/rows.h"

#include <string.h>

#define KIND_UNKNOWN 0 /* of a column: not looked at yet; else its kind and one more */

static void fail_value(kn_rows *rows, int column, kn_status status, const char *why);
static bool get(kn_rows *rows, int column, kn_value *value);
static int64_t get_int(kn_rows *rows, int column, int64_t least, int64_t most);
static KN__HOT const char *take(const kn_rows *rows, int column, kn_type kind, int32_t *n);
static KN__HOT int32_t get_i32(kn_rows *rows, int column);
static KN__HOT int64_t get_i64(kn_rows *rows, int column);
static KN__HOT double get_f64(kn_rows *rows, int column);
static KN__HOT kn_str get_str(kn_rows *rows, int column);
static KN__HOT kn_time get_time(kn_rows *rows, int column);
static bool is_time(const char *bytes);
static kn_time time_at(const char *bytes);
static double get_double(kn_rows *rows, int column, bool single);
static bool get_kind(kn_rows *rows, int column, kn_type kind, kn_value *value);

/*
 * The bytes of a value that is of that kind and in binary, and how many they are; less than 1 where
 * that is not known.
 */
static const char *
take(const kn_rows *rows, int column, kn_type kind, int32_t *n)
{
	*n = 0;
	if (KN__UNLIKELY(rows == NULL || (unsigned) column >= (unsigned) rows->width))
		return NULL;
	if (rows->kinds[column] == KIND_UNKNOWN && rows->is_binary)
		rows->kinds[column] = (uint8_t) (kn__result_kind(rows->result, column) + 1);
	if (KN__UNLIKELY(rows->kinds[column] != kind + 1))
		return NULL;
	if (rows->fields == NULL)
		return kn__result_bytes(rows->result, rows->row, column, n);
	*n = rows->fields[column].n;
	return rows->fields[column].p;
}

/* The same of a row that came by COPY, if what its column is was found out before; else NULL. */
static inline const kn__field *
scanned(const kn_rows *rows, int column, kn_type kind)
{
	if (rows == NULL || rows->fields == NULL || (unsigned) column >= (unsigned) rows->width ||
		rows->kinds[column] != kind + 1)
		return NULL;
	return &rows->fields[column];
}

static void
fail_value(kn_rows *rows, int column, kn_status status, const char *why)
{
	kn__fault *fault = &rows->cx->fault;
	const char *name = kn_column_name(rows, column);

	if (rows->status != KN_OK)
		return;
	rows->width = 0;
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
	kn__fault_text(fault, &fault->error.sql, rows->sql);
}

/* False, and an error, where there is no such value. */
static bool
has(kn_rows *rows, int column)
{
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
	return true;
}

/* Nor one that is what its type says. */
static bool
get(kn_rows *rows, int column, kn_value *value)
{
	const char *why = "";
	kn_status status;

	memset(value, 0, sizeof(*value));
	if (!has(rows, column))
		return false;
	if (rows->fields == NULL)
		status = kn__result_value(rows->result,
								  rows->row,
								  column,
								  rows->cx->db->known,
								  &rows->values,
								  value,
								  &why);
	else
		status = kn__decode(&rows->values,
							kn__result_oid(rows->result, column),
							kn__known_format(rows->cx->db->known,
											 kn__result_oid(rows->result, column),
											 KN__FORMAT_BINARY),
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

KN__HOT bool
kn_is_null(kn_rows *rows, int column)
{
	if (!has(rows, column))
		return false;
	return rows->fields == NULL ? kn__result_is_null(rows->result, rows->row, column)
								: rows->fields[column].n < 0;
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

KN__HOT int32_t
kn_get_i32(kn_rows *rows, int column)
{
	const kn__field *field = scanned(rows, column, KN_TYPE_I32);

	if (field != NULL && field->n == (int32_t) sizeof(int32_t))
		return (int32_t) kn__load_u32(field->p);
	return get_i32(rows, column);
}

static int32_t
get_i32(kn_rows *rows, int column)
{
	int32_t n;
	const char *bytes = take(rows, column, KN_TYPE_I32, &n);

	if (n == (int32_t) sizeof(int32_t))
		return (int32_t) kn__load_u32(bytes);
	return (int32_t) get_int(rows, column, INT32_MIN, INT32_MAX);
}

KN__HOT int64_t
kn_get_i64(kn_rows *rows, int column)
{
	const kn__field *field = scanned(rows, column, KN_TYPE_I64);

	if (field != NULL && field->n == (int32_t) sizeof(int64_t))
		return (int64_t) kn__load_u64(field->p);
	return get_i64(rows, column);
}

static int64_t
get_i64(kn_rows *rows, int column)
{
	int32_t n;
	const char *bytes = take(rows, column, KN_TYPE_I64, &n);

	if (n == (int32_t) sizeof(int64_t))
		return (int64_t) kn__load_u64(bytes);
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

static double
double_at(const char *bytes)
{
	uint64_t bits = kn__load_u64(bytes);
	double out;

	memcpy(&out, &bits, sizeof(out));
	return out;
}

KN__HOT double
kn_get_f64(kn_rows *rows, int column)
{
	const kn__field *field = scanned(rows, column, KN_TYPE_F64);

	if (field != NULL && field->n == (int32_t) sizeof(double))
		return double_at(field->p);
	return get_f64(rows, column);
}

static double
get_f64(kn_rows *rows, int column)
{
	int32_t n;
	const char *bytes = take(rows, column, KN_TYPE_F64, &n);

	return n == (int32_t) sizeof(double) ? double_at(bytes) : get_double(rows, column, false);
}

KN__HOT kn_str
kn_get_str(kn_rows *rows, int column)
{
	const kn__field *field = scanned(rows, column, KN_TYPE_TEXT);

	if (field != NULL && field->n > 0)
		return (kn_str){ field->p, (size_t) field->n };
	return get_str(rows, column);
}

static kn_str
get_str(kn_rows *rows, int column)
{
	int32_t n;
	const char *bytes = take(rows, column, KN_TYPE_TEXT, &n);
	kn_value value;
	const char *why = "";
	kn_str out = { "", 0 };
	kn_status status;

	if (n > 0)
		return (kn_str){ bytes, (size_t) n };
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

KN__HOT kn_time
kn_get_time(kn_rows *rows, int column)
{
	const kn__field *field = scanned(rows, column, KN_TYPE_TIMESTAMPTZ);

	if (field != NULL && field->n == (int32_t) sizeof(int64_t) && is_time(field->p))
		return time_at(field->p);
	return get_time(rows, column);
}

static kn_time
get_time(kn_rows *rows, int column)
{
	int32_t n;
	const char *bytes = take(rows, column, KN_TYPE_TIMESTAMPTZ, &n);
	kn_value value;

	if (n == (int32_t) sizeof(int64_t) && is_time(bytes))
		return time_at(bytes);
	return (kn_time){ get_kind(rows, column, KN_TYPE_TIMESTAMPTZ, &value) ? value.as.i : 0 };
}

/* Neither infinite nor too late. */
static bool
is_time(const char *bytes)
{
	int64_t usec = (int64_t) kn__load_u64(bytes);

	return usec != INT64_MIN && usec < INT64_MAX - KN__EPOCH_USEC;
}

static kn_time
time_at(const char *bytes)
{
	return (kn_time){ (int64_t) kn__load_u64(bytes) + KN__EPOCH_USEC };
}

kn_interval
kn_get_interval(kn_rows *rows, int column)
{
	kn_value value;

	return get_kind(rows, column, KN_TYPE_INTERVAL, &value) ? value.as.interval
															: (kn_interval){ 0, 0, 0 };
}
