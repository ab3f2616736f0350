/*
 * one.h
 *		What tests of one context share; each opens the handle as it needs it.
 */
#ifndef KN_TESTS_ONE_H
#define KN_TESTS_ONE_H

#include "live.h"

static PGconn *look;
static kn_db *db;
static kn_ctx *cx;

static inline void
tear_down(void)
{
	kn_end(cx);
	close_even(db);
	PQfinish(look);
}

#endif
