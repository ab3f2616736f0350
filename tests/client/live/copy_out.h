/*
 * copy_out.h
 *		What the tests of what comes by COPY share: a table, a handle and a context.
 */
#ifndef KN_TESTS_COPY_OUT_H
#define KN_TESTS_COPY_OUT_H

#include "one.h"

static inline void
set_up(void)
{
	look = look_open();
	/* A session of the test before may take a moment to be gone. */
	if (!is_pooled())
		look_await(
			look,
			"SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT * FROM (%COPY (%'"
			" AND pid <> pg_backend_pid()",
			0);
	look_do(look,
			"DROP TABLE IF EXISTS kn_out; CREATE TABLE kn_out (a int, b text);"
			"INSERT INTO kn_out SELECT g, CASE WHEN g % 3 <> 0 THEN 'text ' || g END"
			" FROM generate_series(1, 1000) g");
	/* What is left of many rows is read to its end, which may take a while. */
	OPEN(db, .max_connections = 2, .cancel_ms = 20000);
	cx = kn_begin(db);
}

#endif
