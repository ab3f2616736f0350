/*
 * soak_reads.h
 *		What the threads of the soak know, and what they read.
 *
 * Most is done by a tenant: as a role that row-level security holds for, and with the tenant's
 * number as a claim.  Each row says whose it is.
 */
#ifndef KN_TESTS_SOAK_READS_H
#define KN_TESTS_SOAK_READS_H

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
	_Atomic(uint64_t) calls;
	_Atomic(uint64_t) by_status[KN_STATUS_COUNT];
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

#endif
