/*
 * test_data_inet.c
 *		Addresses and networks: text to bytes, bytes to text, and what is none.
 */
#include "failing.h"
#include "suite.h"

#include "data/data.h"

static const struct
{
	const char *text;
	bool is_cidr;
	const char *bytes;
	size_t length;
	const char *printed; /* NULL: as text */
} good[] = {
	{ "1.2.3.4", false, "\2\40\0\4\1\2\3\4", 8, NULL },
	{ "1.2.3.4/32", false, "\2\40\0\4\1\2\3\4", 8, "1.2.3.4" },
	{ "1.2.3.4/24", false, "\2\30\0\4\1\2\3\4", 8, NULL },
	{ "0.0.0.0/0", true, "\2\0\1\4\0\0\0\0", 8, NULL },
	{ "10.0.0.1", true, "\2\40\1\4\12\0\0\1", 8, "10.0.0.1/32" },
	{ "255.255.255.255/8", false, "\2\10\0\4\xff\xff\xff\xff", 8, NULL },
	{ "::1", false, "\3\200\0\20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 20, NULL },
	{ "::/0", true, "\3\0\1\20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, NULL },
	{ "2001:DB8::1/64",
	  false,
	  "\3\100\0\20\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1",
	  20,
	  "2001:db8::1/64" },
	{ "::ffff:1.2.3.4", false, "\3\200\0\20\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4", 20, NULL },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/127",
	  false,
	  "\3\177\0\20\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	  20,
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127" },
};

START_TEST(there_and_back)
{
	const char *printed = good[_i].printed != NULL ? good[_i].printed : good[_i].text;
	const char *why = NULL;
	kn_str text = { good[_i].text, strlen(good[_i].text) };
	kn__arena arena = { 0 };
	kn__buf buf;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	ck_assert_int_eq(kn__inet_encode(&buf, text, good[_i].is_cidr, &why), KN_OK);
	ck_assert_uint_eq(buf.length, good[_i].length);
	ck_assert_mem_eq(buf.data, good[_i].bytes, buf.length);
	ck_assert_int_eq(kn__inet_decode(&arena, buf.data, buf.length, &text, &why), KN_OK);
	ck_assert_uint_eq(text.n, strlen(printed));
	ck_assert_str_eq(text.p, printed);
	kn__arena_release(&arena);
	kn__buf_release(&buf);
}
END_TEST

static const kn_str no_addresses[] = {
	{ "", 0 },
	{ "/", 1 },
	{ "1.2.3.4/", 8 },
	{ "1.2.3.4/33", 10 },
	{ "1.2.3", 5 },
	{ "1.2.3.4.5", 9 },
	{ "256.1.1.1", 9 },
	{ "::1/129", 7 },
	{ "::1/0128", 8 },
	{ "1.2.3.4/-1", 10 },
	{ "1.2.3.4/ 1", 10 },
	{ "1.2.3.4/1/2", 11 },
	{ "1.2.3.4\0/8", 10 },
	{ " 1.2.3.4", 8 },
	{ "localhost", 9 },
	{ ":::", 3 },
	{ "fe80::1%eth0", 12 },
	{ "00000000000000000000000000000000000000000000000000000000000000000001.2.3.4", 75 },
};

START_TEST(no_address)
{
	const char *why = NULL;
	kn__buf buf;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	ck_assert_int_eq(kn__inet_encode(&buf, no_addresses[_i], false, &why), KN_DATA);
	ck_assert_str_eq(why, "it is no network address");
	ck_assert_uint_eq(buf.length, 0);
	kn__buf_release(&buf);
}
END_TEST

static const kn_str bad_messages[] = {
	{ "", 0 },
	{ "\2\40\0", 3 },
	{ "\2\40\0\4\1\2\3", 7 },
	{ "\2\40\0\4\1\2\3\4\5", 9 },
	{ "\2\41\0\4\1\2\3\4", 8 },
	{ "\2\377\0\4\1\2\3\4", 8 },
	{ "\2\40\0\20\1\2\3\4", 8 },
	{ "\1\40\0\4\1\2\3\4", 8 },
	{ "\3\40\0\4\1\2\3\4", 8 },
	{ "\3\201\0\20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 20 },
};

START_TEST(bad_message)
{
	const char *why = NULL;
	kn_str text;
	kn__arena arena = { 0 };

	ck_assert_int_eq(kn__inet_decode(&arena, bad_messages[_i].p, bad_messages[_i].n, &text, &why),
					 KN_DATA);
	ck_assert_str_eq(why, "the message is not a network address");
	kn__arena_release(&arena);
}
END_TEST

START_TEST(without_memory)
{
	const char *why = NULL;
	kn_str text;
	kn__arena arena;
	failing f;

	failing_init(&f, 1, true);
	kn__arena_init(&arena, &f.allocator);
	ck_assert_int_eq(kn__inet_decode(&arena, good[0].bytes, 8, &text, &why), KN_NO_MEMORY);
	ck_assert_str_eq(why, "out of memory");
	kn__arena_release(&arena);
	ck_assert(failing_is_even(&f));
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, there_and_back, good);
	LOOP(tcase, no_address, no_addresses);
	LOOP(tcase, bad_message, bad_messages);
	tcase_add_test(tcase, without_memory);
}

int
main(void)
{
	return suite_run("data_inet", fill);
}
