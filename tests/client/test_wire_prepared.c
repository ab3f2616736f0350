/*
 * test_wire_prepared.c
 *		Which statements a connection keeps, which it lets go, and what it tells the server of them.
 */
#include "failing.h"
#include "suite.h"
#include "wire/conn.h"

#define ROOM 1000000

static failing f;
static kn__prepared_cache cache;

static void
set_up(void)
{
	failing_init(&f, 0, false);
}

static void
tear_down(void)
{
	kn__prepared_release(&cache, &f.allocator);
	ck_assert(failing_is_even(&f));
}

static void
begin(int limit, int64_t byte_limit)
{
	ck_assert(kn__prepared_init(&cache, &f.allocator, limit, byte_limit));
}

static kn__prepared *
find(uint64_t key, const char *sql)
{
	return kn__prepared_find(&cache, &f.allocator, key, sql, strlen(sql));
}

/* The same, and the server has it from now on. */
static kn__prepared *
prepare(uint64_t key, const char *sql)
{
	kn__prepared *entry = find(key, sql);

	ck_assert_ptr_nonnull(entry);
	entry->is_prepared = true;
	return entry;
}

/* Keys from the newest on, each of one digit. */
static const char *
keys(void)
{
	static char text[32];
	size_t n = 0;

	for (const kn__prepared *entry = cache.newest; entry != NULL; entry = entry->older)
		text[n++] = (char) ('0' + entry->key);
	text[n] = '\0';
	ck_assert_uint_eq(n, (size_t) cache.count);
	return text;
}

/* What is to be closed, the last digit of each name. */
static const char *
closing(void)
{
	static char text[32];
	const kn__buf *names = &cache.closing;
	size_t n = 0;

	for (size_t at = 0; at < names->length; at += KN__NAME_SIZE)
	{
		ck_assert_uint_eq(strlen(names->data + at), KN__NAME_SIZE - 1);
		text[n++] = names->data[at + KN__NAME_SIZE - 2];
	}
	text[n] = '\0';
	return text;
}

START_TEST(is_found_again)
{
	kn__prepared *entry;

	begin(4, ROOM);
	entry = find(1, "one");
	ck_assert_str_eq(entry->name, "kn_0000000000000001");
	ck_assert_str_eq(entry->sql, "one");
	ck_assert(!entry->is_prepared);
	entry->uses = 3;
	ck_assert_ptr_ne(find(2, "two"), entry);
	ck_assert_ptr_eq(find(1, "one"), entry);
	ck_assert_int_eq(entry->uses, 3);
	ck_assert_int_eq(cache.bytes, 6);
	ck_assert_str_eq(keys(), "12");
}
END_TEST

/* A text is its own, whatever its hash says. */
START_TEST(is_not_taken_for_one_of_the_same_hash)
{
	begin(4, ROOM);
	(void) prepare(1, "one");
	ck_assert_ptr_null(find(1, "two"));
	ck_assert_ptr_null(find(1, "ones"));
	ck_assert_ptr_null(find(1, "on"));
	ck_assert_str_eq(find(1, "one")->sql, "one");
	ck_assert_str_eq(keys(), "1");
	ck_assert_str_eq(closing(), "");
}
END_TEST

START_TEST(goes_if_it_was_not_used_for_the_longest_time)
{
	begin(3, ROOM);
	for (uint64_t key = 1; key <= 3; key++)
		(void) prepare(key, "sql");
	ck_assert_str_eq(keys(), "321");
	/* That it came first is no reason. */
	(void) find(1, "sql");
	ck_assert_str_eq(keys(), "132");
	(void) prepare(4, "sql");
	ck_assert_str_eq(keys(), "413");
	ck_assert_str_eq(closing(), "2");
	(void) find(3, "sql");
	(void) find(4, "sql");
	(void) prepare(5, "sql");
	ck_assert_str_eq(keys(), "543");
	ck_assert_str_eq(closing(), "21");
}
END_TEST

/* The server has not heard of what was used once. */
START_TEST(is_closed_only_where_it_was_prepared)
{
	begin(1, ROOM);
	(void) find(1, "sql");
	(void) prepare(2, "sql");
	ck_assert_str_eq(closing(), "");
	(void) find(3, "sql");
	ck_assert_str_eq(closing(), "2");
}
END_TEST

START_TEST(makes_room_for_bytes)
{
	begin(9, 10);
	(void) prepare(1, "1234");
	(void) prepare(2, "1234");
	ck_assert_int_eq(cache.bytes, 8);
	(void) prepare(3, "12");
	ck_assert_str_eq(keys(), "321");
	ck_assert_int_eq(cache.bytes, 10);
	(void) prepare(4, "1");
	ck_assert_str_eq(keys(), "432");
	ck_assert_str_eq(closing(), "1");
	ck_assert_int_eq(cache.bytes, 7);
	/* As long as may be: it takes all there is. */
	(void) prepare(5, "1234567890");
	ck_assert_str_eq(keys(), "5");
	ck_assert_str_eq(closing(), "1234");
	ck_assert_int_eq(cache.bytes, 10);
}
END_TEST

/* What will not fit costs nobody his place. */
START_TEST(is_not_kept_if_it_is_too_long)
{
	begin(9, 10);
	(void) prepare(1, "1234567890");
	ck_assert_ptr_null(find(2, "12345678901"));
	ck_assert_str_eq(keys(), "1");
	ck_assert_str_eq(closing(), "");
}
END_TEST

/* The server still has it, and has not been told otherwise. */
START_TEST(comes_back_before_it_is_closed)
{
	begin(1, ROOM);
	(void) prepare(1, "sql");
	(void) prepare(2, "sql");
	(void) prepare(3, "sql");
	ck_assert_str_eq(closing(), "12");
	ck_assert(find(2, "sql")->is_prepared);
	ck_assert_str_eq(closing(), "13");
	ck_assert(!find(4, "sql")->is_prepared);
	ck_assert_str_eq(closing(), "132");
	ck_assert(find(1, "sql")->is_prepared);
	ck_assert_str_eq(closing(), "32");
}
END_TEST

/* Once that is sent, it is over, and the answer takes those that were sent, and no others. */
START_TEST(is_prepared_anew_once_it_is_being_closed)
{
	begin(1, ROOM);
	(void) prepare(1, "sql");
	(void) prepare(2, "sql");
	cache.sent = cache.closing.length;
	ck_assert(!find(1, "sql")->is_prepared);
	(void) prepare(1, "sql");
	ck_assert_str_eq(closing(), "12");
	kn__prepared_closed(&cache);
	ck_assert_str_eq(closing(), "2");
	ck_assert_uint_eq(cache.sent, 0);
	ck_assert(find(2, "sql")->is_prepared);
	ck_assert_str_eq(closing(), "1");
}
END_TEST

START_TEST(is_forgotten_with_all_others)
{
	begin(2, ROOM);
	for (uint64_t key = 1; key <= 3; key++)
		prepare(key, "sql")->uses = 5;
	kn__prepared_forget_all(&cache, false);
	ck_assert_str_eq(closing(), "");
	ck_assert_str_eq(keys(), "32");
	for (uint64_t key = 2; key <= 3; key++)
	{
		ck_assert(!find(key, "sql")->is_prepared);
		ck_assert_int_eq(find(key, "sql")->uses, 0);
	}
}
END_TEST

#define KEPT 8

/* Moves a key to the front of those that are kept, whose last goes if it was not among them. */
static void
use(uint64_t *kept, uint64_t key)
{
	int at = 0;

	while (at < KEPT - 1 && kept[at] != key)
		at++;
	memmove(kept + 1, kept, (size_t) at * sizeof(*kept));
	kept[0] = key;
}

/* Keys push each other on, past the end of the slots as well: whoever goes, the others are found.
 */
START_TEST(leaves_no_gap)
{
	uint64_t kept[KEPT] = { 0 };
	uint64_t random = 1 + (uint64_t) _i;

	begin(KEPT, ROOM);
	ck_assert_uint_eq(cache.slot_count, 2 * KEPT);
	for (int step = 0; step < 2000; step++)
	{
		uint64_t key;

		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		/* Six homes that lie together, four keys of each. */
		key = ((random >> 33) % 4 + 1) * 16 + (13 + (random >> 40) % 6) % 16;
		find(key, "sql")->uses++;
		use(kept, key);
		/* From the oldest on, so that they stay in that order. */
		for (int i = KEPT - 1; i >= 0; i--)
		{
			if (kept[i] != 0)
				ck_assert_int_gt(find(kept[i], "sql")->uses, 0);
		}
	}
	ck_assert_int_eq(cache.count, KEPT);
}
END_TEST

START_TEST(keeps_nothing_where_nothing_is_to_be_kept)
{
	begin(_i == 0 ? 0 : -1, ROOM);
	ck_assert_ptr_null(find(1, "sql"));
	kn__prepared_forget_all(&cache, false);
}
END_TEST

/* What cannot be kept is done without, and those that are there stay. */
START_TEST(without_memory)
{
	failing_arm(&f, 1);
	ck_assert(!kn__prepared_init(&cache, &f.allocator, 2, ROOM));
	ck_assert(failing_disarm(&f));
	kn__prepared_release(&cache, &f.allocator);
	begin(2, ROOM);
	(void) prepare(1, "sql");
	(void) prepare(2, "sql");
	failing_arm(&f, 1);
	ck_assert_ptr_null(find(3, "sql"));
	ck_assert(failing_disarm(&f));
	ck_assert_str_eq(keys(), "21");
	ck_assert_str_eq(closing(), "");
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, is_found_again);
	tcase_add_test(tcase, is_not_taken_for_one_of_the_same_hash);
	tcase_add_test(tcase, goes_if_it_was_not_used_for_the_longest_time);
	tcase_add_test(tcase, is_closed_only_where_it_was_prepared);
	tcase_add_test(tcase, makes_room_for_bytes);
	tcase_add_test(tcase, is_not_kept_if_it_is_too_long);
	tcase_add_test(tcase, comes_back_before_it_is_closed);
	tcase_add_test(tcase, is_prepared_anew_once_it_is_being_closed);
	tcase_add_test(tcase, is_forgotten_with_all_others);
	tcase_add_loop_test(tcase, leaves_no_gap, 0, 5);
	tcase_add_loop_test(tcase, keeps_nothing_where_nothing_is_to_be_kept, 0, 2);
	tcase_add_test(tcase, without_memory);
}

int
main(void)
{
	return suite_run("wire_prepared", fill);
}
