/*
 * test_wire_conninfo.c
 *		Options of ours are cut out of a conninfo or URI, and nothing else changes.
 */
#include <stdio.h>
#include <string.h>

#include "failing.h"
#include "suite.h"
#include "wire/conninfo.h"

/* What was found as "[ours]keyword=value ... [theirs]...", or the error. */
static const char *
take_apart(const char *text)
{
	static char out[2000];
	kn__arena arena = { 0 };
	kn__fault fault;
	kn__conninfo found;
	size_t n = 0;

	out[0] = '\0';
	if (kn__conninfo_parse(&found, &arena, text, &fault) != KN_OK)
		n += (size_t) snprintf(out,
							   sizeof(out),
							   "%s: %s",
							   kn_status_name(fault.error.status),
							   fault.error.message);
	else
	{
		for (int i = 0; i < found.our_count; i++)
			n += (size_t) snprintf(out + n,
								   sizeof(out) - n,
								   "<%s=%s>",
								   found.ours[i].keyword,
								   found.ours[i].value);
		for (int i = 0; i < found.their_count; i++)
			n += (size_t) snprintf(out + n,
								   sizeof(out) - n,
								   "[%s=%s]",
								   found.theirs[i].keyword,
								   found.theirs[i].value);
	}
	ck_assert(n < sizeof(out));
	kn__arena_release(&arena);
	return out;
}

static const struct
{
	const char *text;
	const char *found;
} cases[] = {
	{ NULL, "" },
	{ "", "" },
	{ "  ", "" },
	{ "host=h", "[host=h]" },
	{ "kn_a=1", "<a=1>" },
	{ "kn_a=1 host=h kn_b=2", "<a=1><b=2>[host=h]" },
	{ " kn_a = 1\nhost\t=\th ", "<a=1>[host=h]" },
	{ "kn_a='it\\'s \\\\' host='a b'", "<a=it's \\>[host=a b]" },
	{ "kn_a=x\\ y host=h", "<a=x y>[host=h]" },
	{ "kn_a='1'host=h", "<a=1>[host=h]" },
	{ "kn_a= host=h", "<a=host=h>" },
	{ "kn_a='' host=h", "<a=>[host=h]" },
	{ "kn_a=1 kn_a=2", "<a=1><a=2>" },
	{ "kn_=1", "<=1>" },
	{ "password='kn_a=1' host=h", "[password=kn_a=1][host=h]" },
	{ "password=a\\ kn_b=1 host=h", "[password=a kn_b=1][host=h]" },
	{ "host=h kn_a=1 host=i", "<a=1>[host=i]" },
	{ "kn_a=1 postgresql://h",
	  "KN_CONFIG: missing \"=\" after \"postgresql://h\" in connection info string" },
	{ "password=a\\", "[password=a]" },
	{ "kn_a=a\\", "<a=a>" },
	{ "host", "KN_CONFIG: missing \"=\" after \"host\" in connection info string" },
	{ "kn_a", "KN_CONFIG: missing \"=\" after \"kn_a\" in connection info string" },
	{ "kn_a=1 host", "KN_CONFIG: missing \"=\" after \"host\" in connection info string" },
	{ "host='a kn_b=1", "KN_CONFIG: unterminated quoted string in connection info string" },
	{ "kn_a='b host=h", "KN_CONFIG: the value of option \"kn_a\" is malformed" },
	{ "hots=h", "KN_CONFIG: invalid connection option \"hots\"" },
	{ "KN_a=1", "KN_CONFIG: invalid connection option \"KN_a\"" },
	{ "postgresql://", "" },
	{ "postgres://u:p@h:1/d", "[user=u][password=p][dbname=d][host=h][port=1]" },
	{ "postgresql://h?kn_a=1", "<a=1>[host=h]" },
	{ "postgresql://h/d?kn_a=1&user=u&kn_b=2", "<a=1><b=2>[user=u][dbname=d][host=h]" },
	{ "postgresql://h?user=u&kn_a=1", "<a=1>[user=u][host=h]" },
	{ "postgresql://h?kn_a=1%202%26", "<a=1 2&>[host=h]" },
	{ "postgresql://h?kn_a=it's", "<a=it's>[host=h]" },
	{ "postgresql://h?%6bn_a=1", "<a=1>[host=h]" },
	{ "postgresql://h?kn_a=", "<a=>[host=h]" },
	{ "postgresql://u:p?kn_a=1@h", "[user=u][password=p?kn_a=1][host=h]" },
	{ "postgresql:///d?host=/tmp&kn_a=1", "<a=1>[dbname=d][host=/tmp]" },
	{ "postgresql://a:1,b:2/d?kn_a=1&target_session_attrs=any",
	  "<a=1>[dbname=d][host=a,b][port=1,2][target_session_attrs=any]" },
	{ "postgresql://[::1]/d?kn_a=1", "<a=1>[dbname=d][host=::1]" },
	/* No keyword of libpq's could be written so, and none of ours is. */
	{ "kn_it's=1", "KN_CONFIG: unknown option \"kn_it's\"" },
	{ "postgresql://h?kn_a b=1", "KN_CONFIG: unknown option \"kn_a b\"" },
	{ "postgresql://h?kn_a%0a=1", "KN_CONFIG: unknown option \"kn_a\n\"" },
	{ "postgresql://h?kn_\xc3\xa9=1", "KN_CONFIG: unknown option \"kn_\xc3\xa9\"" },
	{ "postgresql://h?kn_a%3d=1", "KN_CONFIG: unknown option \"kn_a=\"" },
	{ "postgresql://h?kn_a=%zz", "KN_CONFIG: the value of option \"kn_a\" is malformed" },
	{ "postgresql://h?kn_a=%00", "KN_CONFIG: the value of option \"kn_a\" is malformed" },
	{ "postgresql://h?kn_a=1=2", "KN_CONFIG: the value of option \"kn_a\" is malformed" },
	{ "postgresql://h?kn_a",
	  "KN_CONFIG: missing key/value separator \"=\" in URI query parameter: \"kn_a\"" },
	{ "postgresql://h?kn_a=1&", "<a=1>[host=h]" },
	{ "postgresql://h?hots=1", "KN_CONFIG: invalid URI query parameter: \"hots\"" },
	{ "postgresql://h?%zz=1", "KN_CONFIG: invalid percent-encoded token: \"%zz\"" },
	{ "POSTGRES://h?kn_a=1", "KN_CONFIG: invalid connection option \"POSTGRES://h?kn_a\"" },
};

/* libpq's own order of options, and so ours, may change: each piece is looked for. */
START_TEST(is_taken_apart)
{
	const char *found = take_apart(cases[_i].text);
	char expected[300];

	ck_assert_msg(strlen(found) == strlen(cases[_i].found), "%s: %s", cases[_i].text, found);
	strcpy(expected, cases[_i].found);
	if (expected[0] != '<' && expected[0] != '[')
	{
		ck_assert_str_eq(found, expected);
		return;
	}
	for (char *piece = strtok(expected, "["); piece != NULL; piece = strtok(NULL, "["))
		ck_assert_msg(strstr(found, piece) != NULL, "%s: %s", cases[_i].text, found);
}
END_TEST

START_TEST(can_be_looked_up_and_wiped)
{
	kn__arena arena = { 0 };
	kn__fault fault;
	kn__conninfo found;
	const char *password;

	ck_assert_int_eq(kn__conninfo_parse(&found, &arena, "host=h password=secret", &fault), KN_OK);
	ck_assert_str_eq(kn__conninfo_find(&found, "host"), "h");
	ck_assert_ptr_null(kn__conninfo_find(&found, "user"));
	password = kn__conninfo_find(&found, "password");
	ck_assert_str_eq(password, "secret");
	kn__conninfo_wipe(&found);
	ck_assert_mem_eq(password, "\0\0\0\0\0\0", 6);
	kn__arena_release(&arena);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	kn_status status = KN_NO_MEMORY;

	for (long n = 1; status != KN_OK; n++)
	{
		failing f;
		kn__arena arena;
		kn__fault fault;
		kn__conninfo found;

		failing_init(&f, n, false);
		kn__arena_init(&arena, &f.allocator);
		status = kn__conninfo_parse(&found, &arena, "host=h kn_a=1", &fault);
		ck_assert(status == KN_OK || status == KN_NO_MEMORY);
		kn__arena_release(&arena);
		ck_assert(failing_is_even(&f));
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, is_taken_apart, cases);
	tcase_add_test(tcase, can_be_looked_up_and_wiped);
	tcase_add_test(tcase, every_allocation_may_fail);
}

int
main(void)
{
	return suite_run("wire_conninfo", fill);
}
