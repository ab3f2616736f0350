/*
 * soak_work.h
 *		What the threads of the soak do, and what is known of it afterwards.
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
#define OWN_ROWS    50 /* of each tenant */
#define ACCOUNTS    20
#define BALANCE     1000
#define TOKENS      250000 /* a thread */

/* What is known of a token: of the row that carries it. */
typedef enum fate
{
	FATE_UNUSED,
	FATE_DONE,   /* it is there, once */
	FATE_UNDONE, /* it is not */
	FATE_UNKNOWN /* it is there at most once */
} fate;

typedef struct worker
{
	pthread_t thread;
	int number;
	uint64_t random;
	pthread_mutex_t lock; /* of cx, for who cancels */
	kn_ctx *cx;
	int tokens;
	unsigned char *fates;
	uint64_t calls;
	uint64_t by_status[KN_STATUS_COUNT];
} worker;

static kn_db *db;
static worker workers[THREADS];
static _Atomic(bool) is_over;
static _Atomic(uint64_t) foreign; /* rows of others that somebody saw */
static _Atomic(uint64_t) wrong;   /* answers that are not what was asked for */
static _Atomic(uint64_t) odd;     /* failures that nobody can explain */

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

/* Rows of a context with a tenant: all his, and no others. */
static kn_status
look_at_rows(kn_ctx *cx, kn_rows *rows, int tenant, int expected)
{
	int seen = 0;
	int64_t sum = 0;
	kn_status status;

	while (kn_next(rows))
	{
		if (tenant >= 0 && kn_get_i32(rows, 0) != tenant)
			atomic_fetch_add(&foreign, 1);
		sum += kn_get_i32(rows, 1);
		seen++;
	}
	status = kn_done(rows);
	(void) cx;
	if (status == KN_OK && (seen != expected || sum != (int64_t) expected * (OWN_ROWS + 1) / 2))
		atomic_fetch_add(&wrong, 1);
	return status;
}

static const char x_rows[] = "SELECT tenant, id FROM kn_soak_row";
static const char x_token[] = "INSERT INTO kn_soak_token VALUES ($1)";
static const char x_slow_token[] = "INSERT INTO kn_soak_token SELECT $1 FROM pg_sleep(0.01)";

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

static void
settle(worker *w, int token, kn_status status)
{
	w->fates[token] = (unsigned char) (status == KN_OK                ? FATE_DONE
									   : status == KN_OUTCOME_UNKNOWN ? FATE_UNKNOWN
																	  : FATE_UNDONE);
}

static kn_status
insert(worker *w, kn_ctx *cx, const char *sql)
{
	int token = next_token(w);
	kn_status status;

	if (token < 0)
		return KN_OK;
	status = kn_exec(cx, sql, name_of(w, token));
	settle(w, token, status);
	return status;
}

static kn_status
insert_batch(worker *w, kn_ctx *cx)
{
	kn_batch *batch = kn_begin_batch(cx);
	int tokens[3];
	kn_status status;

	for (int i = 0; i < 3; i++)
		tokens[i] = next_token(w);
	if (tokens[2] < 0)
		return KN_OK;
	for (int i = 0; i < 3; i++)
		(void) kn_add(batch, x_token, name_of(w, tokens[i]));
	status = kn_run_batch(batch, NULL);
	for (int i = 0; i < 3; i++)
		settle(w, tokens[i], status);
	return status;
}

typedef struct transfer
{
	int64_t token;
	int from;
	int to;
	int amount;
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
						 "INSERT INTO kn_soak_token VALUES ($1, $2, $3, $4)",
						 t->token,
						 t->from,
						 t->to,
						 t->amount);
	return status;
}

static kn_status
move_money(worker *w, kn_ctx *cx)
{
	int token = next_token(w);
	transfer t = { name_of(w, token),
				   (int) roll(w, ACCOUNTS),
				   (int) roll(w, ACCOUNTS),
				   (int) roll(w, 100) };
	kn_status status;

	if (token < 0)
		return KN_OK;
	status = kn_transact(cx, transfer_body, &t);
	settle(w, token, status);
	return status;
}

static kn_status
tenant_body(kn_ctx *cx, void *argument)
{
	int tenant = *(const int *) argument;
	kn_status status = KN_OK;

	for (int i = 0; i < 2 && status == KN_OK; i++)
		status = look_at_rows(cx, kn_query(cx, x_rows), tenant, OWN_ROWS);
	return status;
}

static kn_status
count_up(worker *w, kn_ctx *cx)
{
	int from = (int) roll(w, 1000);
	int expected = from;
	kn_rows *rows = kn_stream(cx, "SELECT generate_series($1, $1 + 999)", from);
	kn_status status;

	while (kn_next(rows))
		if (kn_get_i32(rows, 0) != expected++)
			atomic_fetch_add(&wrong, 1);
	status = kn_done(rows);
	if (status == KN_OK && expected != from + 1000)
		atomic_fetch_add(&wrong, 1);
	return status;
}

/* Whoever has no role and no claims finds none that another has left. */
static kn_status
be_nobody(kn_ctx *cx)
{
	kn_rows *rows = kn_query(
		cx,
		"SELECT coalesce(current_setting('app.tenant', true), ''), current_user = session_user");

	if (kn_next(rows) && (kn_get_str(rows, 0).n != 0 || !kn_get_bool(rows, 1)))
		atomic_fetch_add(&foreign, 1);
	return kn_done(rows);
}

static kn_status
act(worker *w, kn_ctx *cx, int what, int tenant)
{
	kn_rows *rows;

	switch (what)
	{
		case 0:
			return look_at_rows(cx, kn_query(cx, x_rows), tenant, OWN_ROWS);
		case 1:
			return look_at_rows(cx, kn_stream(cx, x_rows), tenant, OWN_ROWS);
		case 2:
			return kn_transact(cx, tenant_body, &tenant);
		case 3: /* a stream that ends early */
			rows = kn_stream(cx, x_rows);
			if (kn_next(rows) && kn_get_i32(rows, 0) != tenant)
				atomic_fetch_add(&foreign, 1);
			return kn_done(rows);
		case 4:
			return look_at_rows(cx, kn_query(cx, x_rows), -1, TENANTS * OWN_ROWS);
		case 5:
			return be_nobody(cx);
		case 6:
			return insert(w, cx, x_token);
		case 7:
			return insert_batch(w, cx);
		case 8:
			return move_money(w, cx);
		case 9:
			return count_up(w, cx);
		default: /* with little time */
			return insert(w, cx, x_slow_token);
	}
}

#define KINDS 11

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

static void
step(worker *w)
{
	char name[16];
	const char *const claims[] = { "app.tenant", name, NULL };
	int what = (int) roll(w, KINDS);
	int tenant = (int) roll(w, TENANTS);
	/* Nobody but who looks at all rows, or at what others have left, has always to be himself. */
	bool is_tenants = what < 4 || (what > 5 && roll(w, 2) == 0);
	kn_ctx *cx;
	kn_status status;

	(void) snprintf(name, sizeof(name), "%d", tenant);
	cx = kn_begin(db,
				  .role = is_tenants ? "kn_soak_tenant" : NULL,
				  .claims = is_tenants ? claims : NULL,
				  .timeout_ms = what == KINDS - 1 ? 1 + (int64_t) roll(w, 30) : 8000);
	(void) pthread_mutex_lock(&w->lock);
	w->cx = cx;
	(void) pthread_mutex_unlock(&w->lock);
	status = act(w, cx, what, tenant);
	w->calls++;
	w->by_status[status]++;
	if (!is_explained(status))
	{
		atomic_fetch_add(&odd, 1);
		(void) printf("kind %d: %s [%s] %s\n",
					  what,
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

static void *
cancel_some(void *argument)
{
	worker *own = argument;

	while (!atomic_load(&is_over))
	{
		worker *w = &workers[roll(own, THREADS)];

		(void) pthread_mutex_lock(&w->lock);
		if (w->cx != NULL)
			kn_cancel(w->cx);
		(void) pthread_mutex_unlock(&w->lock);
		rest(20);
	}
	return NULL;
}

#endif
