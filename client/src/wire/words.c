/*
 * words.c
 *		Whose words an error is in, and whether they may quote a value.
 *
 * A SQLSTATE alone does not tell: a function may raise any, and the server says that there is no
 * relation "secret" of $1::regclass as of a name in the statement.  So a message is taken for one
 * that quotes nothing only where that can be seen: it is of a kind that has no room for a value,
 * or points at a name of the statement's, or quotes what stands in the statement anyway.
 */
#include "wire/words.h"

#include <ctype.h>
#include <string.h>

#include "data/data.h"

static bool is_in(const char *list, const char *sqlstate);
static bool is_plain(const kn__words *words);
static bool points_at_value(const char *sql, int position);
static bool has_what_is_quoted(const char *sql, const char *message);

bool
kn__words_are_raised(const char *routine)
{
	static const char *const routines[] = {
		"exec_stmt_raise",                                   /* PL/pgSQL */
		"PLy_output",         "PLy_elog",   "PLy_elog_impl", /* PL/Python */
		"do_util_elog",       "pltcl_elog", "throw_tcl_error",
		"pgfdw_report_error", /* what another server has said */
		"dblink_res_error",
	};

	for (size_t i = 0; routine != NULL && i < sizeof(routines) / sizeof(routines[0]); i++)
	{
		if (strcmp(routine, routines[i]) == 0)
			return true;
	}
	return false;
}

bool
kn__words_may_quote(const kn__words *words, const char *sql)
{
	if (kn__words_are_raised(words->routine))
		return true;
	if (is_plain(words))
		return false;
	if (sql == NULL || !is_in("0A 2B 3D 3F 42", words->sqlstate) ||
		strcmp(words->sqlstate, "42601") == 0)
		return true;
	if (words->position > 0)
		return points_at_value(sql, words->position);
	/* With a context, it may be of a statement that a function has made. */
	return words->context != NULL || !has_what_is_quoted(sql, words->message);
}

/* Whether one of the codes or classes, with blanks between them, is that of the SQLSTATE. */
static bool
is_in(const char *list, const char *sqlstate)
{
	for (const char *code = list; *code != '\0';)
	{
		size_t length = strcspn(code, " ");

		if (strncmp(code, sqlstate, length) == 0)
			return true;
		code += length;
		code += *code == ' ';
	}
	return false;
}

/* Of kinds whose texts the server has made up of its own words and of names of its objects. */
static bool
is_plain(const kn__words *words)
{
	static const char *const about_rights[] = { "aclcheck_error",
												"aclcheck_error_col",
												"aclcheck_error_type",
												"ExecWithCheckOptions" };

	/* Transactions, resources but for disks, whose files may be named, locks, cancels, damage. */
	if (is_in("25 40 44 532 533 534 55P03 57014 XX001 XX002", words->sqlstate))
		return true;
	if (is_in("23", words->sqlstate))
		return words->has_object;
	for (size_t i = 0; words->routine != NULL && i < sizeof(about_rights) / sizeof(*about_rights);
		 i++)
	{
		if (strcmp(words->routine, about_rights[i]) == 0)
			return true;
	}
	return false;
}

/* Whether what stands there is a value, or nothing that is known. */
static bool
points_at_value(const char *sql, int position)
{
	const char *at = sql;
	kn__lexer lexer;
	kn__token token;

	for (int i = 1; i < position && *at != '\0'; i++)
	{
		at++;
		while (((unsigned char) *at & 0xC0) == 0x80)
			at++;
	}
	kn__lexer_init(&lexer, (kn_str){ sql, strlen(sql) });
	do
		token = kn__lexer_next(&lexer);
	while (token.kind != KN__TOKEN_END && token.p + token.n <= at);
	return token.kind != KN__TOKEN_WORD && token.kind != KN__TOKEN_QUOTED &&
		   token.kind != KN__TOKEN_OPERATOR && token.kind != KN__TOKEN_PUNCTUATION;
}

/* Names are folded on their way into a message. */
static bool
has_part(const char *text, size_t size, const char *part, size_t length)
{
	for (size_t i = 0; i + length <= size; i++)
	{
		size_t same = 0;

		while (same < length &&
			   tolower((unsigned char) text[i + same]) == tolower((unsigned char) part[same]))
			same++;
		if (same == length)
			return true;
	}
	return false;
}

/* Whether the statement has it outside of its values. */
static bool
has_name(const char *sql, const char *part, size_t length)
{
	const char *begin = sql;
	const char *end = sql;
	kn__lexer lexer;
	kn__token token;

	kn__lexer_init(&lexer, (kn_str){ sql, strlen(sql) });
	do
	{
		token = kn__lexer_next(&lexer);
		if (token.kind != KN__TOKEN_END && token.kind != KN__TOKEN_STRING &&
			token.kind != KN__TOKEN_NUMBER && token.kind != KN__TOKEN_ERROR)
		{
			end = token.p + token.n;
			continue;
		}
		if (has_part(begin, (size_t) (end - begin), part, length))
			return true;
		begin = end = token.p + token.n;
	} while (token.kind != KN__TOKEN_END);
	return false;
}

/* "relation "a" already exists": what is between the marks; where there are none, nobody knows. */
static bool
has_what_is_quoted(const char *sql, const char *message)
{
	const char *open = message == NULL ? NULL : strchr(message, '"');

	if (open == NULL)
		return false;
	while (open != NULL)
	{
		const char *close = strchr(open + 1, '"');

		if (close == NULL || close == open + 1 ||
			!has_name(sql, open + 1, (size_t) (close - open - 1)))
			return false;
		open = strchr(close + 1, '"');
	}
	return true;
}
