/*
 * transact.h
 *		What the tests of transactions share: accounts, a handle and a context.
 */
#ifndef KN_TESTS_TRANSACT_H
#define KN_TESTS_TRANSACT_H

#include "one.h"

static inline void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_account CASCADE;"
			"CREATE TABLE kn_account (id int PRIMARY KEY, balance int NOT NULL,"
			" CONSTRAINT kn_distinct UNIQUE (balance) DEFERRABLE INITIALLY IMMEDIATE);"
			"INSERT INTO kn_account VALUES (1, 100), (2, 200)");
	OPEN(db, .max_connections = 8, .retry_budget_percent = 100);
	cx = kn_begin(db);
}

#endif
