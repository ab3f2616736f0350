/*
 * soak_work.h
 *		What the threads of the soak do, and what is known of it afterwards.
 *
 * Most is done by a tenant: as a role that row-level security holds for, and with the tenant's
 * number as a claim.  Each row says whose it is.  What is written carries the number that the
 * program meant, beside the one that the session had.
 */
#ifndef KN_TESTS_SOAK_WORK_H
#define KN_TESTS_SOAK_WORK_H

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "kints/kints.h"

#define THREADS     32
#define CONNECTIONS 8
#define TENANTS     8
#define NOBODY      (-1) /* instead of a tenant */
#define OWN_ROWS    50   /* of each tenant */
#define ACCOUNTS    20
#define BALANCE     1000
#define TOKENS      250000 /* a thread */
#define NOTES       50000  /* likewise */
#define PIECES      16     /* of a token that is copied, at most */

/* What is known of a token: of the row, or rows, that carry it. */
typedef enum fate
{
	FATE_UNUSED,
	FATE_DONE,   /* it is there, once */
	FATE_UNDONE, /* it is not */
	FATE_UNKNOWN /* it is there at most once */
} fate;

/* How it is there: in kn_soak_token, or as so many rows of kn_soak_piece. */
#define IS_PIECES 0x80

typedef struct worker
{
	pthread_t thread;
	int number;
	uint64_t random;
	pthread_mutex_t lock; /* of cx, for who cancels */
	kn_ctx *cx;
	int tokens;
	unsigned char *fates;
	int notes;
	unsigned char *note_fates;
	uint64_t calls;
	uint64_t by_status[KN_STATUS_COUNT];
} worker;

static kn_db *db;
static worker workers[THREADS];
static _Atomic(bool) is_over;
static _Atomic(uint64_t) foreign; /* rows of others that somebody saw */
static _Atomic(uint64_t) wrong;   /* answers that are not what was asked for */
static _Atomic(uint64_t) odd;     /* failures that nobody can explain */
static _Atomic(uint64_t) stale;   /* cached answers older than what was committed before */
static _Atomic(uint64_t) cached;  /* answers out of the cache, or not */
static bool is_pooled;

/* Of each tenant: how often his version was raised, perhaps raised, and what it was at least. */
static _Atomic(int64_t) raised[TENANTS];
static _Atomic(int64_t) maybe_raised[TENANTS];
static _Atomic(int64_t) version[TENANTS];

static uint64_t
roll(worker *w, uint64_t sides)
{
	w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (w->random >> 33) % sides;
}

static void
rest(int64_t milliseconds)
{
	struct timespec time = { milliseconds / 1000, (milliseconds % 1000) * 1000000 };

	(void) nanosleep(&time, NULL);
}

static void
note_row_of(int owner, int tenant)
{
	if (tenant != NOBODY && owner != tenant)
		atomic_fetch_add(&foreign, 1);
}

/* Rows of a context with a tenant: all his, and no others. */
static kn_status
look_at_rows(kn_rows *rows, int tenant)
{
	int expected = tenant == NOBODY ? TENANTS * OWN_ROWS : OWN_ROWS;
	int seen = 0;
	int64_t sum = 0;
	kn_status status;

	while (kn_next(rows))
	{
		note_row_of(kn_get_i32(rows, 0), tenant);
		sum += kn_get_i32(rows, 1);
		seen++;
	}
	status = kn_done(rows);
	if (status == KN_OK && (seen != expected || sum != (int64_t) expected * (OWN_ROWS + 1) / 2))
		atomic_fetch_add(&wrong, 1);
	return status;
}

static const char x_rows[] = "SELECT tenant, id FROM kn_soak_row";

static kn_status
query_rows(worker *w, kn_ctx *cx, int tenant)
{
	(void) w;
	return look_at_rows(kn_query(cx, x_rows), tenant);
}

/* From the second time on it comes by COPY. */
static kn_status
stream_rows(worker *w, kn_ctx *cx, int tenant)
{
	(void) w;
	return look_at_rows(kn_stream(cx, x_rows), tenant);
}

/* A stream that is ended early, or left to the end of its context. */
static kn_status
stream_a_few(worker *w, kn_ctx *cx, int tenant)
{
	kn_rows *rows = kn_stream(cx, x_rows);

	if (!kn_next(rows))
		return kn_done(rows);
	note_row_of(kn_get_i32(rows, 0), tenant);
	return roll(w, 2) == 0 ? KN_OK : kn_done(rows);
}

static kn_status
count_up(worker *w, kn_ctx *cx, int tenant)
{
	int from = (int) roll(w, 1000);
	int expected = from;
	kn_rows *rows = kn_stream(cx, "SELECT generate_series($1, $1 + 999)", from);
	kn_status status;

	(void) tenant;
	while (kn_next(rows))
		if (kn_get_i32(rows, 0) != expected++)
			atomic_fetch_add(&wrong, 1);
	status = kn_done(rows);
	if (status == KN_OK && expected != from + 1000)
		atomic_fetch_add(&wrong, 1);
	return status;
}

static kn_status
tenant_body(kn_ctx *cx, void *argument)
{
	int tenant = *(const int *) argument;
	kn_status status = look_at_rows(kn_query(cx, x_rows), tenant);

	return status == KN_OK ? look_at_rows(kn_stream(cx, x_rows), tenant) : status;
}

static kn_status
transact_rows(worker *w, kn_ctx *cx, int tenant)
{
	return kn_transact(cx, tenant_body, &tenant, .is_read_only = roll(w, 2) == 0);
}

/* What comes out is text: the tenant, a tab, and the number. */
static kn_status
copy_rows_out(worker *w, kn_ctx *cx, int tenant)
{
	kn_copy *copy = kn_copy_out(cx, "COPY kn_soak_row TO STDOUT");
	bool ends_early = roll(w, 4) == 0;
	int64_t count = 0;
	int seen = 0;
	kn_str piece;
	kn_status status;

	while (kn_copy_get(copy, &piece) && !(ends_early && seen > 0))
	{
		note_row_of((int) strtol(piece.p, NULL, 10), tenant);
		seen++;
	}
	status = kn_copy_end(copy, &count);
	if (status == KN_OK && !ends_early && (count != seen || seen != OWN_ROWS))
		atomic_fetch_add(&wrong, 1);
	return status;
}

/* Whoever has no role and no claims finds none that another has left. */
static kn_status
be_nobody(worker *w, kn_ctx *cx, int tenant)
{
	kn_rows *rows = kn_query(
		cx,
		"SELECT coalesce(current_setting('app.tenant', true), ''), current_user = session_user");

	(void) w;
	(void) tenant;
	if (kn_next(rows) && (kn_get_str(rows, 0).n != 0 || !kn_get_bool(rows, 1)))
		atomic_fetch_add(&foreign, 1);
	return kn_done(rows);
}

/* Fails, and must leave nothing of its tenant behind. */
static kn_status
fail(worker *w, kn_ctx *cx, int tenant)
{
	kn_rows *rows = kn_query(cx, "SELECT tenant, 1 / (id - id) FROM kn_soak_row");
	kn_status status = kn_done(rows);

	(void) w;
	(void) tenant;
	return status == KN_DATA ? KN_OK : status;
}

/* A session that somebody has left a tenant and a lock in serves nobody else. */
static kn_status
soil(worker *w, kn_ctx *cx, int tenant)
{
	/* A pooler would keep that session, and a connection that is closed each time is no load. */
	if (is_pooled || roll(w, 8) != 0)
		return be_nobody(w, cx, tenant);
	return kn_exec(cx,
				   "SELECT set_config('app.tenant', '7', false), pg_advisory_lock_shared($1)",
				   (int64_t) roll(w, 100));
}

static int64_t
name_of(const worker *w, int token)
{
	return (int64_t) w->number * TOKENS + token;
}

/* One more token; -1: there are none left. */
static int
next_token(worker *w)
{
	return w->tokens < TOKENS ? w->tokens++ : -1;
}

static unsigned char
fate_of(kn_status status)
{
	return status == KN_OK ? FATE_DONE : status == KN_OUTCOME_UNKNOWN ? FATE_UNKNOWN : FATE_UNDONE;
}

static kn_value
owner(int tenant)
{
	return tenant == NOBODY ? kn_null() : kn_i32(tenant);
}

static const char x_token[] = "INSERT INTO kn_soak_token (token, wanted) VALUES ($1, $2)";

static kn_status
insert_with(worker *w, kn_ctx *cx, int tenant, const char *sql)
{
	int token = next_token(w);
	kn_status status;

	if (token < 0)
		return KN_OK;
	status = kn_exec(cx, sql, name_of(w, token), owner(tenant));
	w->fates[token] = fate_of(status);
	return status;
}

static kn_status
insert(worker *w, kn_ctx *cx, int tenant)
{
	return insert_with(w, cx, tenant, x_token);
}

static kn_status
insert_slowly(worker *w, kn_ctx *cx, int tenant)
{
	return insert_with(w,
					   cx,
					   tenant,
					   "INSERT INTO kn_soak_token (token, wanted) SELECT $1, $2 FROM"
					   " pg_sleep(0.01)");
}

static kn_status
insert_batch(worker *w, kn_ctx *cx, int tenant)
{
	kn_batch *batch = kn_begin_batch(cx);
	int tokens[3];
	kn_status status;

	for (int i = 0; i < 3; i++)
		tokens[i] = next_token(w);
	if (tokens[2] < 0)
		return KN_OK;
	for (int i = 0; i < 3; i++)
	{
		const kn_value values[] = { kn_i64(name_of(w, tokens[i])), owner(tenant) };

		(void) kn_add_values(batch, x_token, values, 2);
	}
	status = kn_run_batch(batch, NULL);
	for (int i = 0; i < 3; i++)
		w->fates[tokens[i]] = fate_of(status);
	return status;
}

/* Row by row, or as text; one in four is given up, or left to the end of its context. */
static kn_status
copy_in(worker *w, kn_ctx *cx, int tenant)
{
	bool is_text = roll(w, 2) == 0;
	uint64_t end = roll(w, 8);
	int token = next_token(w);
	int64_t count = 0;
	kn_copy *copy;
	kn_status status;

	if (token < 0)
		return KN_OK;
	w->fates[token] = FATE_UNDONE | IS_PIECES;
	copy = kn_copy_in(cx,
					  is_text
						  ? "COPY kn_soak_piece (token, piece, wanted) FROM STDIN"
						  : "COPY kn_soak_piece (token, piece, wanted) FROM STDIN (FORMAT binary)");
	for (int i = 0; i < token % PIECES + 1; i++)
	{
		char line[64];
		char name[16] = "\\N";

		if (tenant != NOBODY)
			(void) snprintf(name, sizeof(name), "%d", tenant);
		(void) snprintf(line, sizeof(line), "%" PRId64 "\t%d\t%s\n", name_of(w, token), i, name);
		status = is_text ? kn_copy_put(copy, line, strlen(line))
						 : kn_copy_row(copy, name_of(w, token), i, owner(tenant));
		if (status != KN_OK)
			break;
	}
	if (end == 0)
		return KN_OK;
	if (end == 1)
		kn_copy_abort(copy);
	status = kn_copy_end(copy, &count);
	if (status == KN_OK && (end == 1 || count != token % PIECES + 1))
		atomic_fetch_add(&wrong, 1);
	w->fates[token] = fate_of(status) | IS_PIECES;
	return end == 1 && status == KN_CANCELED ? KN_OK : status;
}

typedef struct transfer
{
	int64_t token;
	int from;
	int to;
	int amount;
	kn_value wanted;
} transfer;

static kn_status
transfer_body(kn_ctx *cx, void *argument)
{
	const transfer *t = argument;
	kn_status status;

	status = kn_exec(cx,
					 "UPDATE kn_soak_account SET balance = balance - $1 WHERE id = $2",
					 t->amount,
					 t->from);
	if (status == KN_OK)
		status = kn_exec(cx,
						 "UPDATE kn_soak_account SET balance = balance + $1 WHERE id = $2",
						 t->amount,
						 t->to);
	if (status == KN_OK)
		status = kn_exec(cx,
						 "INSERT INTO kn_soak_token VALUES ($1, $2, $3, $4, $5)",
						 t->token,
						 t->from,
						 t->to,
						 t->amount,
						 t->wanted);
	return status;
}

static kn_status
move_money(worker *w, kn_ctx *cx, int tenant)
{
	int token = next_token(w);
	transfer t = { name_of(w, token),
				   (int) roll(w, ACCOUNTS),
				   (int) roll(w, ACCOUNTS),
				   (int) roll(w, 100),
				   owner(tenant) };
	kn_status status;

	if (token < 0)
		return KN_OK;
	status = kn_transact(cx, transfer_body, &t);
	w->fates[token] = fate_of(status);
	return status;
}

static kn_status
refuse_body(kn_ctx *cx, void *argument)
{
	kn_status status = transfer_body(cx, argument);

	return status == KN_OK ? KN_CONFLICT : status;
}

/* What a savepoint has undone is undone, whatever becomes of the rest. */
static kn_status
nest_body(kn_ctx *cx, void *argument)
{
	transfer *t = argument;
	transfer inner = { t->token + 1, t->from, t->to, t->amount, t->wanted };
	kn_status status = kn_transact(cx, refuse_body, &inner);

	return status == KN_CONFLICT ? transfer_body(cx, t) : status;
}

static kn_status
nest(worker *w, kn_ctx *cx, int tenant)
{
	int token = next_token(w);
	int undone = next_token(w);
	transfer t = { name_of(w, token),
				   (int) roll(w, ACCOUNTS),
				   (int) roll(w, ACCOUNTS),
				   (int) roll(w, 100),
				   owner(tenant) };
	kn_status status;

	if (undone < 0)
		return KN_OK;
	w->fates[undone] = FATE_UNDONE;
	status = kn_transact(cx, nest_body, &t);
	w->fates[token] = fate_of(status);
	return status;
}

typedef struct tale
{
	int worker;
	int note;
	kn_value wanted;
} tale;

/* Told only if it is committed, and then to who listens. */
static kn_status
tell_body(kn_ctx *cx, void *argument)
{
	const tale *t = argument;
	char payload[32];
	kn_status status;

	(void) snprintf(payload, sizeof(payload), "%d %d", t->worker, t->note);
	status = kn_notify(cx, "kn_soak", payload);
	return status == KN_OK ? kn_exec(cx,
									 "INSERT INTO kn_soak_note VALUES ($1, $2, $3)",
									 t->worker,
									 t->note,
									 t->wanted)
						   : status;
}

static kn_status
tell(worker *w, kn_ctx *cx, int tenant)
{
	tale t = { w->number, w->notes, owner(tenant) };
	kn_status status;

	if (w->notes == NOTES)
		return KN_OK;
	w->notes++;
	status = kn_transact(cx, tell_body, &t);
	w->note_fates[t.note] = fate_of(status);
	return status;
}

typedef struct raising
{
	int tenant;
	int64_t n;
} raising;

/* Nothing but the policy says which row it is. */
static kn_status
raise_body(kn_ctx *cx, void *argument)
{
	raising *r = argument;
	kn_rows *rows = kn_query(cx, "UPDATE kn_soak_version SET n = n + 1 RETURNING tenant, n");
	int seen = 0;
	kn_status status;

	while (kn_next(rows))
	{
		note_row_of(kn_get_i32(rows, 0), r->tenant);
		r->n = kn_get_i64(rows, 1);
		seen++;
	}
	status = kn_done(rows);
	if (status == KN_OK && seen != 1)
		atomic_fetch_add(&wrong, 1);
	return status == KN_OK ? kn_uncache(cx, "version") : status;
}

static kn_status
raise_version(worker *w, kn_ctx *cx, int tenant)
{
	raising r = { tenant, 0 };
	kn_status status = kn_transact(cx, raise_body, &r);
	int64_t was = atomic_load(&version[tenant]);

	(void) w;
	if (status == KN_OUTCOME_UNKNOWN)
		atomic_fetch_add(&maybe_raised[tenant], 1);
	if (status != KN_OK)
		return status;
	atomic_fetch_add(&raised[tenant], 1);
	while (was < r.n && !atomic_compare_exchange_weak(&version[tenant], &was, r.n))
		;
	return KN_OK;
}

/* No older than what was committed before it was asked. */
static kn_status
read_version(worker *w, kn_ctx *cx, int tenant)
{
	const kn_options options = { .size = sizeof(options),
								 .cache_key = "version",
								 .cache_ms = 60000 };
	int64_t at_least = atomic_load(&version[tenant]);
	kn_rows *rows = kn_query_values(cx, "SELECT tenant, n FROM kn_soak_version", NULL, 0, &options);
	int seen = 0;
	kn_status status;

	(void) w;
	while (kn_next(rows))
	{
		note_row_of(kn_get_i32(rows, 0), tenant);
		if (kn_get_i64(rows, 1) < at_least)
			atomic_fetch_add(&stale, 1);
		seen++;
	}
	status = kn_done(rows);
	if (status == KN_OK && seen != 1)
		atomic_fetch_add(&wrong, 1);
	if (status == KN_OK)
		atomic_fetch_add(&cached, 1);
	return status;
}

/* Who does it: a tenant, nobody, or either. */
typedef enum doer
{
	TENANT,
	NO_TENANT,
	ANYBODY
} doer;

static const struct
{
	const char *name;
	kn_status (*act)(worker *w, kn_ctx *cx, int tenant);
	doer by;
	int hasty; /* with up to so many milliseconds; 0: enough of them */
} kinds[] = {
	{ "query rows", query_rows, TENANT, 0 },
	{ "query all rows", query_rows, NO_TENANT, 0 },
	{ "stream rows", stream_rows, TENANT, 0 },
	{ "stream a few", stream_a_few, TENANT, 0 },
	{ "count up", count_up, ANYBODY, 0 },
	{ "transact rows", transact_rows, TENANT, 0 },
	{ "copy rows out", copy_rows_out, TENANT, 0 },
	{ "be nobody", be_nobody, NO_TENANT, 0 },
	{ "fail", fail, TENANT, 0 },
	{ "soil", soil, NO_TENANT, 0 },
	{ "insert", insert, ANYBODY, 0 },
	{ "insert slowly", insert_slowly, ANYBODY, 30 },
	{ "insert a batch", insert_batch, ANYBODY, 0 },
	{ "copy in", copy_in, ANYBODY, 0 },
	{ "copy in quickly", copy_in, ANYBODY, 5 },
	{ "move money", move_money, ANYBODY, 0 },
	{ "move money quickly", move_money, ANYBODY, 10 },
	{ "nest", nest, ANYBODY, 0 },
	{ "tell", tell, ANYBODY, 0 },
	{ "raise the version", raise_version, TENANT, 0 },
	{ "read the version", read_version, TENANT, 0 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Whether a server that comes and goes, and a short deadline, can be the reason. */
static bool
is_explained(kn_status status)
{
	switch (status)
	{
		case KN_OK:
		case KN_CONN_LOST:
		case KN_UNAVAILABLE:
		case KN_OUTCOME_UNKNOWN:
		case KN_CIRCUIT_OPEN:
		case KN_POOL_TIMEOUT:
		case KN_TIMEOUT:
		case KN_CANCELED:
		case KN_SERIALIZATION:
		case KN_DEADLOCK:
			return true;
		default:
			return false;
	}
}

static kn_ctx *
begin_as(int tenant, int64_t timeout_ms)
{
	char name[16];
	const char *const claims[] = { "app.tenant", name, NULL };

	(void) snprintf(name, sizeof(name), "%d", tenant);
	return kn_begin(db,
					.role = tenant == NOBODY ? NULL : "kn_soak_tenant",
					.claims = tenant == NOBODY ? NULL : claims,
					.timeout_ms = timeout_ms);
}

static void
step(worker *w)
{
	size_t what = roll(w, KINDS);
	int tenant = (int) roll(w, TENANTS);
	kn_ctx *cx;
	kn_status status;

	if (kinds[what].by == NO_TENANT || (kinds[what].by == ANYBODY && roll(w, 4) == 0))
		tenant = NOBODY;
	cx = begin_as(tenant,
				  kinds[what].hasty == 0 ? 8000
										 : 1 + (int64_t) roll(w, (uint64_t) kinds[what].hasty));
	(void) pthread_mutex_lock(&w->lock);
	w->cx = cx;
	(void) pthread_mutex_unlock(&w->lock);
	status = kinds[what].act(w, cx, tenant);
	w->calls++;
	w->by_status[status]++;
	if (!is_explained(status))
	{
		atomic_fetch_add(&odd, 1);
		(void) printf("%s: %s [%s] %s\n",
					  kinds[what].name,
					  kn_status_name(status),
					  kn_last_error(cx)->sqlstate,
					  kn_last_error(cx)->message);
	}
	(void) pthread_mutex_lock(&w->lock);
	w->cx = NULL;
	(void) pthread_mutex_unlock(&w->lock);
	kn_end(cx);
	/* While there is no server, not all processors are needed to find that out. */
	if (status != KN_OK)
		rest(2);
}

static void *
work(void *argument)
{
	while (!atomic_load(&is_over))
		step(argument);
	return NULL;
}

#endif
