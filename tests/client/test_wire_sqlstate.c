/*
 * test_wire_sqlstate.c
 *		What a SQLSTATE means, and that the documentation says the same.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "wire/wire.h"

#define REFERENCE "docs/client/reference.md"

static const struct
{
	const char *code;
	kn_status ends;    /* the session, or does not let it begin */
	kn_status answers; /* and the session goes on */
} codes[] = {
	{ "00000", KN_OK, KN_OK },
	{ "08006", KN_CONN_LOST, KN_SERVER },
	{ "08P01", KN_USAGE, KN_USAGE },
	{ "23505", KN_DUPLICATE, KN_DUPLICATE },
	{ "23514", KN_CHECK, KN_CHECK },
	{ "3D000", KN_CONFIG, KN_SCHEMA },
	{ "40002", KN_SERIALIZATION, KN_SERIALIZATION },
	{ "40003", KN_OUTCOME_UNKNOWN, KN_SERVER },
	{ "53300", KN_UNAVAILABLE, KN_UNAVAILABLE },
	{ "53400", KN_SERVER, KN_SERVER },
	{ "57014", KN_CANCELED, KN_CANCELED },
	{ "57P01", KN_UNAVAILABLE, KN_SERVER },
	{ "57P04", KN_CONFIG, KN_SERVER },
	{ "58030", KN_UNAVAILABLE, KN_UNAVAILABLE },
	{ "58P01", KN_SERVER, KN_SERVER },
	{ "99999", KN_SERVER, KN_SERVER },
	{ "4000", KN_SERVER, KN_SERVER },
	{ "", KN_SERVER, KN_SERVER },
};

START_TEST(means)
{
	ck_assert_int_eq(kn__sqlstate_status(codes[_i].code), codes[_i].ends);
	ck_assert_int_eq(kn__sqlstate_answer(codes[_i].code), codes[_i].answers);
}
END_TEST

/* The next word that is a code, or a class; it has room for six bytes.  NULL: there is none. */
static const char *
next_code(const char *text, char *code)
{
	while (*text != '\0')
	{
		size_t n = strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

		if ((n == 5 || n == 2) && !isalpha((unsigned char) text[n]))
		{
			memcpy(code, text, n);
			code[n] = '\0';
			return text + n;
		}
		text += n;
		text += strcspn(text, " ,;|");
		text += strspn(text, " ,;|");
	}
	return NULL;
}

/* The status whose name begins the row of a table; KN_OK: none. */
static kn_status
status_of_row(const char *line)
{
	for (int status = KN_OK + 1; status <= KN_INTERNAL; status++)
	{
		const char *name = kn_status_name((kn_status) status);
		size_t n = strlen(name);

		if (strncmp(line, "| `", 3) == 0 && strncmp(line + 3, name, n) == 0 &&
			strncmp(line + 3 + n, "` | ", 4) == 0)
			return (kn_status) status;
	}
	return KN_OK;
}

/* Its codes are in the column before the last. */
static const char *
codes_of_row(char *line)
{
	char *end = strrchr(line, '|');

	for (int i = 0; i < 2 && end != NULL; i++)
	{
		*end = '\0';
		end = strrchr(line, '|');
	}
	return end == NULL ? "" : end + 1;
}

START_TEST(means_what_the_documentation_says)
{
	FILE *file = fopen(REFERENCE, "r");
	char line[1000];
	int found = 0;

	ck_assert_msg(file != NULL, "there is no %s here", REFERENCE);
	while (fgets(line, sizeof(line), file) != NULL)
	{
		kn_status status = status_of_row(line);
		const char *next = status == KN_OK ? NULL : codes_of_row(line);
		char code[6];

		while (next != NULL && (next = next_code(next, code)) != NULL)
		{
			/* Of a class, one that has no row of its own. */
			if (code[2] == '\0')
				strcat(code, "9ZZ");
			ck_assert_msg(kn__sqlstate_status(code) == status ||
							  kn__sqlstate_answer(code) == status,
						  "%s: %s",
						  kn_status_name(status),
						  code);
			found++;
		}
	}
	(void) fclose(file);
	ck_assert_int_gt(found, 35);
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, means, codes);
	tcase_add_test(tcase, means_what_the_documentation_says);
}

int
main(void)
{
	return suite_run("wire_sqlstate", fill);
}
