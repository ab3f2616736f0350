/*
 * statement.h
 *		What a statement does, as one line of text to compare with.
 */
#ifndef KN_TESTS_STATEMENT_H
#define KN_TESTS_STATEMENT_H

#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "suite.h"

typedef struct statement_example
{
	const char *sql;
	const char
		*does; /* the verb, then what is so of it, then the parameters: "SELECT read rows $2" */
} statement_example;

static inline const char *
statement_does(const char *sql)
{
	static char out[200];
	kn__statement s = kn__statement_of((kn_str){ sql, strlen(sql) });
	char parameters[20] = "";

	if (s.parameters > 0)
		(void) snprintf(parameters, sizeof(parameters), " $%d", s.parameters);
	(void) snprintf(out,
					sizeof(out),
					"%s%s%s%s%s%s%s%s%s%s",
					s.verb,
					s.is_read ? " read" : "",
					s.returns_rows ? " rows" : "",
					s.is_transaction ? " transaction" : "",
					s.sets_session ? " session" : "",
					s.is_copy ? " copy" : "",
					s.is_multiple ? " multiple" : "",
					s.locks_rows ? " locks" : "",
					s.is_broken ? " broken" : "",
					parameters);
	return out;
}

/* A test that each row of a table of statement_example does what it says. */
#define STATEMENT_TEST(table)                                                     \
	START_TEST(table##_do)                                                        \
	{                                                                             \
		ck_assert_msg(strcmp(statement_does(table[_i].sql), table[_i].does) == 0, \
					  "\"%s\" does \"%s\", not \"%s\"",                           \
					  table[_i].sql,                                              \
					  statement_does(table[_i].sql),                              \
					  table[_i].does);                                            \
	}                                                                             \
	END_TEST

#endif
