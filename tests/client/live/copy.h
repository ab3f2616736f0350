/*
 * copy.h
 *		What the tests of COPY in share: a table, a handle and a context.
 */
#ifndef KN_TESTS_COPY_H
#define KN_TESTS_COPY_H

#include "one.h"

static const char to_table[] = "COPY kn_copy (a, b, c) FROM STDIN (FORMAT binary)";

static inline void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_copy; DROP FUNCTION IF EXISTS kn_copy_wait;"
			"CREATE TABLE kn_copy (a int PRIMARY KEY, b text, c float8, CHECK (a <> 13))");
	OPEN(db, .max_connections = 2, .cancel_ms = 20000);
	cx = kn_begin(db);
}

static inline long
count(void)
{
	return look_number(look, "SELECT count(*) FROM kn_copy");
}

#endif
