/*
 * codecs.c
 *		Random values of every type that has a codec, there and back again.
 *
 *	codecs [SEED [COUNT]]	against the server of the PG* variables
 *
 * The server reads a value's text, and says what it prints for it, and what it sends in
 * binary.  Both are decoded to the same value; that value, encoded as a parameter and as a
 * field of COPY, makes the server print the same, and so does our own text for it.
 */
#include <libpq-fe.h>

#include "data/data.h"
#include "mood.h"
#include "samples.h"

#define MOST_FAILURES 10

typedef struct codec
{
	const char *name; /* of the type, as SQL has it */
	uint32_t oid;
	sample *put;
	bool prints_alike; /* our text is the server's */
} codec;

static const codec codecs[] = {
	{ "boolean", 16, put_bool, false },
	{ "smallint", 21, put_int2, true },
	{ "integer", 23, put_int4, true },
	{ "bigint", 20, put_int8, true },
	{ "oid", 26, put_oid, true },
	{ "real", 700, put_float4, false },
	{ "double precision", 701, put_float8, false },
	{ "numeric", 1700, put_numeric, true },
	{ "text", 25, put_text, true },
	{ "varchar", 1043, put_text, true },
	{ "name", 19, put_text, true },
	{ "bytea", 17, put_bytea, false },
	{ "uuid", 2950, put_uuid, true },
	{ "date", 1082, put_date, true },
	{ "time", 1083, put_time, true },
	{ "timestamp", 1114, put_timestamp, true },
	{ "timestamptz", 1184, put_timestamptz, true },
	{ "interval", 1186, put_interval, false },
	{ "json", 114, put_json, true },
	{ "jsonb", 3802, put_json, true },
	{ "inet", 869, put_inet, true },
	{ "cidr", 650, put_cidr, true },
	{ "kn_mood", 0, put_mood, true }, /* 0: the database knows */
	{ "kn_words", 0, put_text, true },
};

/* What is under test: a codec, or that of the arrays of it. */
typedef struct trial
{
	PGconn *conn;
	const codec *codec;
	const char *zone; /* of the session */
	bool is_array;
	kn__arena arena;
	kn__buf text;     /* the input */
	uint32_t oid;     /* of the type, or of the array of it */
	uint32_t element; /* of such an array that is the database's own, else 0 */
	bool is_own;
	long tried;
	long refused;
	long unfit; /* the server has it, and we say that we have not */
	long failed;
} trial;

static bool
complain(trial *t, const char *what, const char *got, const char *wanted)
{
	(void) fprintf(stderr,
				   "%s%s, time zone %s, %s\n\tinput  %s\n\tgot    %s\n\twanted %s\n",
				   t->codec->name,
				   t->is_array ? "[]" : "",
				   t->zone,
				   what,
				   t->text.data,
				   got,
				   wanted);
	return false;
}

static bool
is_same(const kn_value *a, const kn_value *b)
{
	const kn_array *x;
	const kn_array *y;
	size_t sizes;

	if (a->type != b->type || a->oid != b->oid || a->n != b->n)
		return false;
	switch (a->type)
	{
		case KN_TYPE_NULL:
			return true;
		case KN_TYPE_BOOL:
			return a->as.b == b->as.b;
		case KN_TYPE_F32:
		case KN_TYPE_F64:
			return memcmp(&a->as.d, &b->as.d, sizeof(double)) == 0 ||
				   (a->as.d != a->as.d && b->as.d != b->as.d);
		case KN_TYPE_TEXT:
		case KN_TYPE_BYTES:
		case KN_TYPE_NUMERIC:
		case KN_TYPE_JSON:
		case KN_TYPE_INET:
			return memcmp(a->as.p, b->as.p, a->n) == 0;
		case KN_TYPE_UUID:
			return memcmp(&a->as.uuid, &b->as.uuid, sizeof(kn_uuid)) == 0;
		case KN_TYPE_INTERVAL:
			return a->as.interval.usec == b->as.interval.usec &&
				   a->as.interval.days == b->as.interval.days &&
				   a->as.interval.months == b->as.interval.months;
		case KN_TYPE_ARRAY:
			break;
		default:
			return a->as.i == b->as.i;
	}
	x = a->as.array;
	y = b->as.array;
	sizes = (size_t) x->dimensions * sizeof(int32_t);
	if (x->dimensions != y->dimensions || x->element != y->element ||
		(sizes > 0 && (memcmp(x->sizes, y->sizes, sizes) != 0 ||
					   memcmp(x->lower_bounds, y->lower_bounds, sizes) != 0)))
		return false;
	for (uint32_t i = 0; i < a->n; i++)
	{
		if (!is_same(&x->items[i], &y->items[i]))
			return false;
	}
	return true;
}

/* The server prints a parameter as it printed the value in the first place. */
static bool
comes_back(trial *t, const char *what, uint32_t oid, const char *bytes, int length, int format,
		   const char *wanted)
{
	char sql[80];
	PGresult *result;
	bool is_good = true;

	(void) snprintf(sql,
					sizeof(sql),
					"SELECT format('%%s', $1::%s%s)",
					t->codec->name,
					t->is_array ? "[]" : "");
	result = PQexecParams(t->conn, sql, 1, &oid, &bytes, &length, &format, 1);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		is_good = complain(t, what, PQerrorMessage(t->conn), wanted);
	else if (strcmp(PQgetvalue(result, 0, 0), wanted) != 0)
		is_good = complain(t, what, PQgetvalue(result, 0, 0), wanted);
	PQclear(result);
	return is_good;
}

static bool
encodes(trial *t, const kn_value *value, const char *wanted)
{
	/* COPY has what the database's own types look like. */
	uint32_t oid = !t->is_own ? t->oid : t->is_array ? 1009 : 25;
	const char *why = "";
	kn__parameter parameter;
	kn__buf buf;
	bool is_good;
	int column;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	kn__buf_u32(&buf, 0); /* something that is there already */
	if (kn__encode(&buf, value, &parameter, &why) != KN_OK)
		is_good = complain(t, "encoding", why, wanted);
	else
	{
		char *copy =
			kn__arena_copy(&t->arena,
						   parameter.data != NULL ? parameter.data : buf.data + parameter.offset,
						   (size_t) parameter.length);

		is_good = comes_back(t,
							 "parameter",
							 parameter.oid,
							 copy,
							 parameter.length,
							 parameter.format,
							 wanted);
	}
	kn__buf_clear(&buf);
	if (is_good && kn__row_encode(&buf, value, 1, &oid, &t->element, &column, &why) != KN_OK)
		is_good = complain(t, "encoding a field", why, wanted);
	else if (is_good)
		is_good = comes_back(t,
							 "field",
							 t->oid,
							 buf.data + 6,
							 (int) kn__load_u32(buf.data + 2),
							 1,
							 wanted);
	kn__buf_release(&buf);
	return is_good;
}

static bool
prints(trial *t, const kn_value *value, const char *wanted)
{
	const char *why = "";
	kn_str text;

	if (t->is_array || value->type == KN_TYPE_BYTES)
		return true;
	if (kn__to_text(&t->arena, value, &text, &why) != KN_OK)
		return complain(t, "printing", why, wanted);
	if (t->codec->prints_alike && strcmp(t->zone, "UTC") == 0 &&
		(text.n != strlen(wanted) || memcmp(text.p, wanted, text.n) != 0))
		return complain(t, "printed", text.p, wanted);
	text.p = kn__arena_copy(&t->arena, text.p, text.n);
	return comes_back(t, "text", 0, text.p, (int) text.n, 0, wanted);
}

static bool
compare(trial *t, const PGresult *result)
{
	const char *printed = PQgetvalue(result, 0, 0);
	const char *why = "";
	const char *why_not = "";
	kn_value binary;
	kn_value text;
	int own = !t->is_own ? 0 : t->is_array ? KN__FORMAT_TEXTS : KN__FORMAT_AS_TEXT;
	kn_status of_text = kn__decode(&t->arena,
								   t->oid,
								   KN__FORMAT_TEXT | (own & KN__FORMAT_TEXTS),
								   printed,
								   PQgetlength(result, 0, 0),
								   &text,
								   &why_not);
	kn_status of_binary = kn__decode(&t->arena,
									 t->oid,
									 KN__FORMAT_BINARY | own,
									 PQgetvalue(result, 0, 1),
									 PQgetlength(result, 0, 1),
									 &binary,
									 &why);

	if (of_text != of_binary || (of_text != KN_OK && strcmp(why, why_not) != 0))
		return complain(t, "decoding", why_not, why);
	if (of_binary != KN_OK)
	{
		t->unfit++;
		return strstr(printed, "2942") != NULL ? true : complain(t, "unfit", why, printed);
	}
	if (!is_same(&text, &binary))
		return complain(t, "text and binary are not the same", "", printed);
	return encodes(t, &binary, printed) && prints(t, &binary, printed);
}

static void
try_one(trial *t)
{
	char sql[120];
	const char *input;
	PGresult *result;

	t->text.length = 0;
	kn__buf_add(&t->text, "", 0);
	if (t->is_array)
		put_array(&t->text, t->codec->put);
	else
		t->codec->put(&t->text);
	input = t->text.data;
	(void) snprintf(sql,
					sizeof(sql),
					"SELECT format('%%s', v), v FROM (SELECT $1::text::%s%s) AS s (v)",
					t->codec->name,
					t->is_array ? "[]" : "");
	result = PQexecParams(t->conn, sql, 1, NULL, &input, NULL, NULL, 1);
	t->tried++;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		/* Out of range it may be; that it is no value at all is a fault of ours. */
		const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

		t->refused++;
		if (sqlstate == NULL || (strcmp(sqlstate, "22008") != 0 && strcmp(sqlstate, "22003") != 0 &&
								 strcmp(sqlstate, "22015") != 0))
			t->failed += !complain(t, "input", PQresultErrorMessage(result), "");
	}
	else if (!compare(t, result))
		t->failed++;
	PQclear(result);
	kn__arena_clear(&t->arena);
}

static uint32_t
ask_oid(PGconn *conn, const char *name, const char *suffix)
{
	char sql[80];
	PGresult *result;
	uint32_t oid;

	(void) snprintf(sql, sizeof(sql), "SELECT '%s%s'::regtype::oid", name, suffix);
	result = PQexec(conn, sql);
	oid = (uint32_t) strtoul(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return oid;
}

/* The number of failures; what was tried is added to the count of that. */
static long
try_codec(PGconn *conn, const codec *codec, bool is_array, uint64_t seed, long count, long *tried)
{
	static const char *const zones[] = { "UTC",
										 "America/St_Johns",
										 "Asia/Kathmandu",
										 "Europe/Amsterdam",
										 "UTC" };
	trial t = { .conn = conn, .codec = codec, .is_array = is_array };
	bool is_ignored;

	t.is_own = codec->oid == 0;
	if (t.is_own)
	{
		t.oid = ask_oid(conn, codec->name, is_array ? "[]" : "");
		t.element = is_array ? ask_oid(conn, codec->name, "") : 0;
	}
	else
		t.oid = is_array ? kn__type_find(codec->oid, &is_ignored)->array_oid : codec->oid;
	kn__arena_init(&t.arena, NULL);
	kn__buf_init(&t.text, NULL, SIZE_MAX);
	for (long i = 0; i < count && t.failed < MOST_FAILURES; i++)
	{
		state = seed + (uint64_t) codec->oid * UINT64_C(1000000007) + (uint64_t) i * 1000003;
		if (i % 250 == 0)
		{
			char sql[80];

			t.zone = zones[i / 250 % 5];
			(void) snprintf(sql, sizeof(sql), "SET TimeZone = '%s'", t.zone);
			PQclear(PQexec(conn, sql));
		}
		try_one(&t);
	}
	(void) printf("%s%s: %ld values, %ld refused by the server, %ld unfit, %ld failed\n",
				  codec->name,
				  is_array ? "[]" : "",
				  t.tried,
				  t.refused,
				  t.unfit,
				  t.failed);
	if (t.refused + t.unfit > t.tried / 2)
		t.failed += !complain(&t, "too many", "refused", "tried");
	kn__buf_release(&t.text);
	kn__arena_release(&t.arena);
	*tried += t.tried;
	return t.failed;
}

int
main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 20261127;
	long count = argc > 2 ? atol(argv[2]) : 3000;
	long tried = 0;
	long failed = 0;
	PGconn *conn = PQconnectdb("client_encoding=UTF8 options='-c lc_messages=C'");

	if (PQstatus(conn) != CONNECTION_OK)
	{
		(void) fprintf(stderr, "%s", PQerrorMessage(conn));
		return EXIT_FAILURE;
	}
	PQclear(PQexec(conn, "SET client_min_messages = error;" CREATE_MOOD));
	(void) printf("seed %" PRIu64 "\n", seed);
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
	{
		failed += try_codec(conn, &codecs[i], false, seed, count, &tried);
		failed += try_codec(conn, &codecs[i], true, seed, count, &tried);
	}
	(void) printf("%ld passed, %ld failed\n", tried - failed, failed);
	PQfinish(conn);
	return failed == 0 && tried > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
