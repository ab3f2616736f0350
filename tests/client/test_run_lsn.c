/*
 * test_run_lsn.c
 *		What a context has to see after it has written.
 */
#include <libpq-fe.h>
#include <string.h>

#include "run/run.h"
#include "suite.h"

static kn_db db;
static kn__server servers[2];
static kn__link link_there;
static kn_ctx cx;

static void
set_up(void)
{
	memset(&db, 0, sizeof(db));
	memset(servers, 0, sizeof(servers));
	memset(&cx, 0, sizeof(cx));
	db.servers = servers;
	db.server_count = 2;
	servers[0].db = servers[1].db = &db;
	servers[0].is_primary = servers[0].is_known = servers[1].is_known = true;
	servers[0].timeline = servers[1].timeline = 1;
	link_there.server = &servers[0];
	cx.db = &db;
	cx.link = &link_there;
}

static void
tear_down(void)
{
}

/* What the server has answered to the question for its place; NULL: nothing. */
static void
note(const char *place, bool may_have_written)
{
	kn__item item = kn__lsn_item();
	PGresAttDesc shape = { .name = (char *) "lsn", .typid = 20, .typlen = 8 };
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

	ck_assert_ptr_nonnull(result);
	ck_assert(PQsetResultAttrs(result, 1, &shape));
	if (place != NULL)
		ck_assert(PQsetvalue(result, 0, 0, (char *) place, (int) strlen(place)));
	item.result = (kn__result *) result;
	kn__lsn_note(&cx, &item, may_have_written);
	ck_assert_ptr_null(item.result);
}

START_TEST(is_the_furthest_place)
{
	note("100", true);
	ck_assert_uint_eq(cx.last_lsn, 100);
	note("90", true);
	ck_assert_uint_eq(cx.last_lsn, 100);
	note("200", false);
	ck_assert_uint_eq(cx.last_lsn, 100);
	note(NULL, false);
	ck_assert_uint_eq(cx.last_lsn, 100);
	/* Nobody knows where that was. */
	note(NULL, true);
	ck_assert_uint_eq(cx.last_lsn, UINT64_MAX);
}
END_TEST

/* A standby has written nothing; one that is promoted by now has, and the others know not of it. */
START_TEST(is_no_place_of_one_that_is_not_known_to_be_the_primary)
{
	link_there.server = &servers[1];
	note("0", true);
	ck_assert_uint_eq(cx.last_lsn, 0);
	note("100", false);
	ck_assert_uint_eq(cx.last_lsn, 0);
	note("100", true);
	ck_assert_uint_eq(cx.last_lsn, UINT64_MAX);
	/* Nor is the first one a primary, if it was left behind, or cannot be looked at. */
	cx.last_lsn = 0;
	link_there.server = &servers[0];
	servers[0].is_known = false;
	note("100", true);
	ck_assert_uint_eq(cx.last_lsn, UINT64_MAX);
	cx.last_lsn = 0;
	servers[0].is_known = true;
	db.newest_primary = 2;
	note("100", true);
	ck_assert_uint_eq(cx.last_lsn, UINT64_MAX);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, is_the_furthest_place);
	tcase_add_test(tcase, is_no_place_of_one_that_is_not_known_to_be_the_primary);
}

int
main(void)
{
	return suite_run("run_lsn", fill);
}
