/*
 * test_base_buf.c
 *		Buffers: growing, the limit, the NUL behind, network order, out of memory.
 */
#include "failing.h"
#include "suite.h"

START_TEST(grows)
{
	kn__buf buf;
	char expected[5001];

	kn__buf_init(&buf, NULL, SIZE_MAX);
	for (int i = 0; i < 5000; i++)
	{
		char letter = (char) ('a' + i % 26);

		expected[i] = letter;
		kn__buf_add(&buf, &letter, 1);
		ck_assert_int_eq(buf.data[buf.length], '\0');
	}
	expected[5000] = '\0';
	ck_assert_uint_eq(buf.length, 5000);
	ck_assert_str_eq(buf.data, expected);
	kn__buf_cut(&buf, 3);
	ck_assert_str_eq(buf.data, "abc");
	kn__buf_clear(&buf);
	ck_assert_uint_eq(buf.length, 0);
	ck_assert_str_eq(buf.data, "");
	kn__buf_release(&buf);
	ck_assert_ptr_null(buf.data);
}
END_TEST

START_TEST(clear_gives_back_what_is_unusual)
{
	failing f;
	kn__buf buf;

	failing_init(&f, 0, false);
	kn__buf_init(&buf, &f.allocator, SIZE_MAX);
	kn__buf_clear(&buf);
	ck_assert_ptr_nonnull(kn__buf_room(&buf, 2 * 1024 * 1024));
	kn__buf_clear(&buf);
	ck_assert(failing_is_even(&f));
	kn__buf_text(&buf, "again");
	ck_assert_str_eq(buf.data, "again");
	kn__buf_release(&buf);
	ck_assert(failing_is_even(&f));
}
END_TEST

START_TEST(holds_to_its_limit)
{
	for (size_t limit = 0; limit < 200; limit++)
	{
		kn__buf buf;

		kn__buf_init(&buf, NULL, limit);
		for (size_t i = 0; i < limit; i++)
			kn__buf_add(&buf, "x", 1);
		ck_assert(!buf.has_failed);
		ck_assert_uint_eq(buf.length, limit);
		ck_assert_uint_le(buf.capacity, limit + 1);
		kn__buf_add(&buf, "x", 1);
		ck_assert(buf.has_failed);
		ck_assert_uint_eq(buf.length, limit);
		kn__buf_add(&buf, "", 0);
		ck_assert_ptr_null(kn__buf_room(&buf, 0));
		kn__buf_clear(&buf);
		ck_assert(!buf.has_failed);
		kn__buf_release(&buf);
	}
}
END_TEST

START_TEST(impossible_sizes)
{
	const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, SIZE_MAX - 3 };

	for (int i = 0; i < COUNT(sizes); i++)
	{
		kn__buf buf;

		kn__buf_init(&buf, NULL, SIZE_MAX);
		kn__buf_text(&buf, "abc");
		ck_assert_ptr_null(kn__buf_room(&buf, sizes[i]));
		ck_assert(buf.has_failed);
		ck_assert_str_eq(buf.data, "abc");
		kn__buf_release(&buf);
	}
}
END_TEST

START_TEST(prints)
{
	kn__buf buf;
	char *long_text = malloc(3001);

	memset(long_text, 'y', 3000);
	long_text[3000] = '\0';
	kn__buf_init(&buf, NULL, SIZE_MAX);
	kn__buf_printf(&buf, "%s-%d", "one", 2);
	ck_assert_str_eq(buf.data, "one-2");
	kn__buf_printf(&buf, "%s", "");
	kn__buf_printf(&buf, "[%s]", long_text);
	ck_assert_uint_eq(buf.length, 5 + 3002);
	ck_assert_int_eq(memcmp(buf.data, "one-2[yyy", 9), 0);
	ck_assert_str_eq(buf.data + 5 + 3000, "y]");
	kn__buf_release(&buf);
	for (size_t length = 50; length < 80; length++)
	{
		kn__buf_init(&buf, NULL, 70);
		kn__buf_printf(&buf, "%.*s", (int) length, long_text);
		ck_assert(buf.has_failed == (length > 70));
		ck_assert_uint_eq(buf.length, length > 70 ? 0 : length);
		ck_assert_uint_eq(strlen(buf.data), buf.length);
		kn__buf_release(&buf);
	}
	free(long_text);
}
END_TEST

START_TEST(is_copied_out)
{
	kn__buf buf;
	char memory[4] = "---";

	kn__buf_init(&buf, NULL, 5);
	ck_assert_uint_eq(kn__buf_copy_out(&buf, memory, sizeof(memory)), 0);
	ck_assert_str_eq(memory, "");
	kn__buf_text(&buf, "abc");
	ck_assert_uint_eq(kn__buf_copy_out(&buf, memory, sizeof(memory)), 3);
	ck_assert_str_eq(memory, "abc");
	kn__buf_text(&buf, "de");
	ck_assert_uint_eq(kn__buf_copy_out(&buf, memory, sizeof(memory)), 5);
	ck_assert_str_eq(memory, "abc");
	ck_assert_uint_eq(kn__buf_copy_out(&buf, NULL, 0), 5);
	kn__buf_text(&buf, "f");
	ck_assert_uint_eq(kn__buf_copy_out(&buf, memory, sizeof(memory)), SIZE_MAX);
	ck_assert_str_eq(memory, "");
	kn__buf_release(&buf);
}
END_TEST

START_TEST(network_order)
{
	const char expected[] = "\x01\x02\x01\x02\x03\x04\x80\x02\x03\x04\x05\x06\x07\xff";
	kn__buf buf;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	kn__buf_u16(&buf, 0x0102);
	kn__buf_u32(&buf, 0x01020304);
	kn__buf_u64(&buf, UINT64_C(0x80020304050607ff));
	ck_assert_uint_eq(buf.length, 14);
	ck_assert_mem_eq(buf.data, expected, 15);
	ck_assert_uint_eq(kn__load_u16(buf.data), 0x0102);
	ck_assert_uint_eq(kn__load_u32(buf.data + 2), 0x01020304);
	ck_assert_uint_eq(kn__load_u64(buf.data + 6), UINT64_C(0x80020304050607ff));
	kn__buf_set_u32(&buf, 2, 0xfffefdfc);
	ck_assert_uint_eq(kn__load_u32(buf.data + 2), 0xfffefdfc);
	kn__buf_set_u32(&buf, 10, 1);
	ck_assert_uint_eq(kn__load_u32(buf.data + 10), 1);
	kn__buf_set_u32(&buf, 11, 7); /* beyond the end: nothing */
	kn__buf_set_u32(&buf, SIZE_MAX, 7);
	ck_assert_uint_eq(kn__load_u32(buf.data + 10), 1);
	kn__buf_release(&buf);
}
END_TEST

static void
add_all(kn__buf *buf)
{
	for (int i = 0; i < 100; i++)
	{
		kn__buf_text(buf, "text");
		kn__buf_printf(buf, "%d %s", i, "and a longer text, that may be in need of more room");
		kn__buf_u16(buf, 1);
		kn__buf_u32(buf, 2);
		kn__buf_u64(buf, 3);
		kn__buf_set_u32(buf, buf->length, 7);
	}
}

START_TEST(every_allocation_may_fail)
{
	bool is_done = false;

	for (long n = 1; !is_done; n++)
	{
		failing f;
		kn__buf buf;
		size_t length;

		failing_init(&f, n, false);
		kn__buf_init(&buf, &f.allocator, SIZE_MAX);
		add_all(&buf);
		is_done = !buf.has_failed;
		ck_assert(is_done == (f.calls < n));
		length = buf.length;
		ck_assert(is_done || length < 100 * 60);
		add_all(&buf);
		ck_assert(is_done || buf.length == length);
		kn__buf_release(&buf);
		ck_assert(failing_is_even(&f));
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, grows);
	tcase_add_test(tcase, clear_gives_back_what_is_unusual);
	tcase_add_test(tcase, holds_to_its_limit);
	tcase_add_test(tcase, impossible_sizes);
	tcase_add_test(tcase, prints);
	tcase_add_test(tcase, is_copied_out);
	tcase_add_test(tcase, network_order);
	tcase_add_test(tcase, every_allocation_may_fail);
}

int
main(void)
{
	return suite_run("base_buf", fill);
}
