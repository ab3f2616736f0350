/*
 * test_wire_frozen.c
 *		Rows as bytes and back, on a small stack, and bytes that are no rows.
 */
#include <libpq-fe.h>
#include <pthread.h>
#include <string.h>

#include "suite.h"
#include "wire/wire.h"

#define COLUMNS 1600
#define ROWS    3

/* Each column has its number for a name, and each value is that of its row, or NULL. */
static PGresult *
make_rows(int columns)
{
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc *shape = calloc((size_t) columns, sizeof(*shape));
	char name[16];

	ck_assert(result != NULL && shape != NULL);
	for (int i = 0; i < columns; i++)
	{
		(void) snprintf(name, sizeof(name), "c%d", i);
		shape[i] = (PGresAttDesc){ .name = strdup(name), .typid = 25, .typlen = -1 };
	}
	ck_assert(PQsetResultAttrs(result, columns, shape));
	for (int i = 0; i < columns; i++)
		free(shape[i].name);
	free(shape);
	for (int row = 0; row < ROWS; row++)
	{
		for (int i = 0; i < columns; i++)
		{
			(void) snprintf(name, sizeof(name), "%d", row);
			ck_assert(
				PQsetvalue(result, row, i, name, row == 1 && i % 2 == 0 ? -1 : (int) strlen(name)));
		}
	}
	return result;
}

static void *
thaw(void *argument)
{
	const kn__buf *bytes = argument;

	return kn__result_thaw(bytes->data, bytes->length);
}

/* A thread of a program may have little stack, and libpq needs some of it, too. */
START_TEST(thaws_on_a_small_stack)
{
	PGresult *result = make_rows(COLUMNS);
	pthread_attr_t small;
	pthread_t thread;
	kn__buf bytes;
	kn__buf again;
	void *thawed;

	kn__buf_init(&bytes, NULL, SIZE_MAX / 2);
	kn__buf_init(&again, NULL, SIZE_MAX / 2);
	ck_assert(kn__result_freeze((const kn__result *) result, NULL, &bytes));
	ck_assert_int_eq(pthread_attr_init(&small), 0);
	ck_assert_int_eq(pthread_attr_setstacksize(&small, (size_t) 48 * 1024), 0);
	ck_assert_int_eq(pthread_create(&thread, &small, thaw, &bytes), 0);
	ck_assert_int_eq(pthread_join(thread, &thawed), 0);
	ck_assert_int_eq(pthread_attr_destroy(&small), 0);
	ck_assert_ptr_nonnull(thawed);
	ck_assert_int_eq(kn__result_columns(thawed), COLUMNS);
	ck_assert_int_eq(kn__result_rows(thawed), ROWS);
	ck_assert_str_eq(kn__result_name(thawed, COLUMNS - 1), "c1599");
	ck_assert(kn__result_freeze(thawed, NULL, &again));
	ck_assert_uint_eq(again.length, bytes.length);
	ck_assert_mem_eq(again.data, bytes.data, bytes.length);
	kn__result_free(thawed);
	PQclear(result);
	kn__buf_release(&again);
	kn__buf_release(&bytes);
}
END_TEST

/* Cut anywhere, or with something behind it, it is no rows. */
START_TEST(refuses_what_is_cut)
{
	PGresult *result = make_rows(2);
	kn__buf bytes;

	kn__buf_init(&bytes, NULL, SIZE_MAX / 2);
	ck_assert(kn__result_freeze((const kn__result *) result, NULL, &bytes));
	for (size_t size = 0; size < bytes.length; size++)
		ck_assert_ptr_null(kn__result_thaw(bytes.data, size));
	kn__buf_add(&bytes, "", 1);
	ck_assert_ptr_null(kn__result_thaw(bytes.data, bytes.length));
	PQclear(result);
	kn__buf_release(&bytes);
}
END_TEST

/* A number of columns or rows that there are no bytes for. */
START_TEST(refuses_what_is_not_there)
{
	static const uint32_t counts[][2] = { { 1664, 0 },       { 1665, 0 }, { UINT32_MAX, 1 },
										  { 1, UINT32_MAX }, { 0, 1 },    { 2, 1 } };
	uint32_t column[3] = { 25, 0, 0 };
	kn__buf bytes;

	kn__buf_init(&bytes, NULL, SIZE_MAX / 2);
	kn__buf_u32(&bytes, UINT32_C(0x6b6e7232));
	kn__buf_u32(&bytes, counts[_i][0]);
	kn__buf_u32(&bytes, counts[_i][1]);
	for (int i = 0; i < COUNT(column); i++)
		kn__buf_u32(&bytes, column[i]);
	kn__buf_add(&bytes, "", 1);
	ck_assert_ptr_null(kn__result_thaw(bytes.data, bytes.length));
	kn__buf_release(&bytes);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, thaws_on_a_small_stack);
	tcase_add_test(tcase, refuses_what_is_cut);
	tcase_add_loop_test(tcase, refuses_what_is_not_there, 0, 6);
}

int
main(void)
{
	return suite_run("wire_frozen", fill);
}
