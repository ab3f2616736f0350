/*
 * soak_writes.h
 *		What the threads of the soak write, and what was said of it.
 *
 * What is written carries the number of the tenant that the program meant, and the server adds
 * that which the session had.
 */
#ifndef KN_TESTS_SOAK_WRITES_H
#define KN_TESTS_SOAK_WRITES_H

#include "soak_reads.h"

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

static transfer
any_transfer(worker *w, int token, int tenant)
{
	return (transfer){ name_of(w, token),
					   (int) roll(w, ACCOUNTS),
					   (int) roll(w, ACCOUNTS),
					   (int) roll(w, 100),
					   owner(tenant) };
}

static kn_status
move_money(worker *w, kn_ctx *cx, int tenant)
{
	int token = next_token(w);
	transfer t = any_transfer(w, token, tenant);
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
	transfer t = any_transfer(w, token, tenant);
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

#endif
