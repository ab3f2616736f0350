/*
 * copy_out.h
 *		What the tests of what comes by COPY share: a table, a handle and a context.
 */
#ifndef KN_TESTS_COPY_OUT_H
#define KN_TESTS_COPY_OUT_H

#include "live.h"

static PGconn *look;
static kn_db *db;
static kn_ctx *cx;

static inline void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_out; CREATE TABLE kn_out (a int, b text);"
			"INSERT INTO kn_out SELECT g, CASE WHEN g % 3 <> 0 THEN 'text ' || g END"
			" FROM generate_series(1, 1000) g");
	OPEN(db, .max_connections = 2);
	cx = kn_begin(db);
}

static inline void
tear_down(void)
{
	kn_end(cx);
	close_even(db);
	PQfinish(look);
}

#endif
