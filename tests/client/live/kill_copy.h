/*
 * kill_copy.h
 *		COPY that a connection is lost by: as it begins, with its data on the way, at its end and at
 *		its COMMIT.
 *
 * What goes in waits at its first row, or it is the deferred trigger that makes COMMIT wait.
 */
#ifndef KN_TESTS_KILL_COPY_H
#define KN_TESTS_KILL_COPY_H

#include "kill_deed.h"

#define COPY_LINES 3
#define COPY_NOTE  30000 /* bytes a line, where all of them are more than a piece */

#define COPY_IN     "COPY kn_kill FROM STDIN"
#define COPY_ROWS   COPY_IN " (FORMAT binary)"
#define WAITING     " WHERE kn_pause()"
#define COPY_OUT    "COPY (SELECT kn_pause(), g FROM generate_series(1, 100) g) TO STDOUT"
#define COPY_WRITES "COPY (INSERT INTO kn_kill VALUES (1) RETURNING token) TO STDOUT"

/* How many rows it told of is how many were meant, or it says nothing. */
static inline kn_status
end_copy(kn_copy *copy, int expected)
{
	int64_t rows = -1;
	kn_status status = kn_copy_end(copy, &rows);

	ck_assert_int_eq(rows, status == KN_OK ? expected : 0);
	ck_assert_int_eq(kn_copy_end(copy, NULL), status);
	return status;
}

static inline kn_status
copy_rows(kn_ctx *cx, const char *sql)
{
	kn_copy *copy = kn_copy_in(cx, sql);

	for (int i = 0; i < COPY_LINES; i++)
		(void) kn_copy_row(copy, i, "row");
	return end_copy(copy, COPY_LINES);
}

/* More than a piece, which the server gets while the rest is still here. */
static inline kn_copy *
put_pieces(kn_ctx *cx, const char *sql)
{
	static char line[COPY_NOTE];
	kn_copy *copy = kn_copy_in(cx, sql);

	for (int i = 0; i < COPY_LINES; i++)
	{
		int head = snprintf(line, sizeof(line), "%d\t", i);

		memset(line + head, 'x', sizeof(line) - (size_t) head);
		line[sizeof(line) - 1] = '\n';
		if (i == COPY_LINES - 1)
			memcpy(line + sizeof(line) - 6, "last!", 5);
		(void) kn_copy_put(copy, line, sizeof(line));
	}
	return copy;
}

static inline kn_status
act_copy_rows(scene *s, kn_ctx *cx)
{
	(void) s;
	return copy_rows(cx, COPY_ROWS WAITING);
}

static inline kn_status
act_copy_pieces(scene *s, kn_ctx *cx)
{
	(void) s;
	return end_copy(put_pieces(cx, COPY_IN WAITING), COPY_LINES);
}

static inline kn_status
act_copy_commit(scene *s, kn_ctx *cx)
{
	(void) s;
	return end_copy(put_pieces(cx, COPY_IN), COPY_LINES);
}

static inline kn_status
act_copy_abort(scene *s, kn_ctx *cx)
{
	kn_copy *copy = put_pieces(cx, COPY_IN WAITING);

	(void) s;
	kn_copy_abort(copy);
	return end_copy(copy, 0);
}

static inline kn_status
copy_body(kn_ctx *cx, void *argument)
{
	begin_body(argument, cx);
	return copy_rows(cx, COPY_ROWS WAITING);
}

static inline kn_status
copy_commit_body(kn_ctx *cx, void *argument)
{
	begin_body(argument, cx);
	return copy_rows(cx, COPY_ROWS);
}

static inline kn_status
act_copying(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, copy_body, s);
}

static inline kn_status
act_copying_commit(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, copy_commit_body, s);
}

/* All that it has handed out, and it may be that not all has come. */
static inline kn_status
copy_out(kn_ctx *cx, const char *sql, int expected)
{
	kn_copy *copy = kn_copy_out(cx, sql);
	kn_str piece;
	int pieces = 0;
	kn_status status;

	while (kn_copy_get(copy, &piece))
	{
		ck_assert_int_eq(piece.p[piece.n - 1], '\n');
		pieces++;
	}
	status = end_copy(copy, expected);
	ck_assert_int_le(pieces, expected);
	if (status == KN_OK)
		ck_assert_int_eq(pieces, expected);
	return status;
}

static inline kn_status
act_copy_out(scene *s, kn_ctx *cx)
{
	(void) s;
	return copy_out(cx, COPY_OUT, 100);
}

static inline kn_status
act_copy_writes(scene *s, kn_ctx *cx)
{
	(void) s;
	return copy_out(cx, COPY_WRITES, 1);
}

static inline kn_status
copy_out_body(kn_ctx *cx, void *argument)
{
	begin_body(argument, cx);
	return copy_out(cx, COPY_WRITES, 1);
}

static inline kn_status
act_copying_out(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, copy_out_body, s);
}

#define ROWS .rows = COPY_LINES

static const deed copies[] = {
	{ "copy", "COPY kn_kill", DEED_BEGINS_A_COPY, act_copy_rows, .message = 'Q', ROWS },
	{ "data", "row", DEED_FILLS, act_copy_rows, .waits = true, .message = 'd', ROWS },
	{ "last data", "last!", DEED_FILLS, act_copy_pieces, .waits = true, .message = 'd', ROWS },
	{ "end of data",
	  "",
	  DEED_FILLS,
	  act_copy_rows,
	  .waits = true,
	  .message = 'c',
	  ROWS,
	  .is_last = true },
	{ "commit of data", "COMMIT", DEED_ENDS_A_COPY, act_copy_commit, .waits = true, ROWS },
	{ "no more data", "", DEED_GIVES_UP, act_copy_abort, .waits = true, .message = 'f' },
	{ "copy in a body", "COPY kn_kill", DEED_IN_A_BODY, act_copying, .message = 'Q', ROWS },
	{ "data in a body", "row", DEED_IN_A_BODY, act_copying, .waits = true, .message = 'd', ROWS },
	{ "end in a body",
	  "",
	  DEED_IN_A_BODY,
	  act_copying,
	  .waits = true,
	  .message = 'c',
	  ROWS,
	  .is_last = true },
	{ "commit of a body", "COMMIT", DEED_ENDS_A_BODY, act_copying_commit, .waits = true, ROWS },
	{ "copy out",
	  "kn_pause",
	  DEED_READS,
	  act_copy_out,
	  .waits = true,
	  .streams = true,
	  .commits = true },
	{ "commit of a copy out", "COMMIT", DEED_ENDS_A_READ, act_copy_out, .waits = false },
	{ "copy of a write",
	  "RETURNING",
	  DEED_BEGINS_A_COPY,
	  act_copy_writes,
	  .streams = true,
	  .is_last = true },
	{ "commit of it", "COMMIT", DEED_ENDS_A_COPY, act_copy_writes, .waits = true },
	{ "the same in a body",
	  "RETURNING",
	  DEED_IN_A_BODY,
	  act_copying_out,
	  .streams = true,
	  .is_last = true },
};

#endif
