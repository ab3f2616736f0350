/*
 * lexer.c
 *		Texts, made up and spoilt at random, are cut as the server cuts them.
 *
 *	lexer [SEED [COUNT]]	against the server of the PG* variables
 *
 * The server is asked to prepare each text.  Where its scanner gives up, our first error
 * stands at the same place; where it takes the text, we have none, and as many
 * parameters.  Where its grammar gives up, no error of ours is before that place, and a
 * token of ours begins there.
 */
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/data.h"

#define TEXT_LIMIT 1000

typedef struct text
{
	char bytes[TEXT_LIMIT];
	size_t n;
	int parameters;
} text;

/* How the server took a text. */
typedef enum verdict
{
	VERDICT_TAKEN,   /* scanned to its end */
	VERDICT_SCANNER, /* its scanner gave up */
	VERDICT_GRAMMAR, /* its grammar did */
	VERDICT_NOTHING, /* what it says tells nothing of the scanner */
	VERDICT_COUNT
} verdict;

static uint64_t state;

static uint32_t
below(uint32_t limit)
{
	uint64_t x = (state += UINT64_C(0x9E3779B97F4A7C15));

	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return (uint32_t) ((x ^ x >> 31) >> 32) % limit;
}

static void
add(text *t, const char *bytes, size_t n)
{
	if (n > TEXT_LIMIT - 1 - t->n)
		n = TEXT_LIMIT - 1 - t->n;
	memcpy(t->bytes + t->n, bytes, n);
	t->n += n;
}

#define PICK(list) ((list)[below((uint32_t) (sizeof(list) / sizeof((list)[0])))])

static void
add_text(text *t, const char *bytes)
{
	add(t, bytes, strlen(bytes));
}

static void
add_blank(text *t)
{
	static const char *const blanks[] = {
		" ",    " ",    " ",      " ",          "",        "\n",
		"\t",   "\r\n", "\f",     " -- it's\n", "/* a */", "/* a /* $9 */ ' */",
		"--\n", "/**/", "/*/ */", " --/*\n",    "\n--\n",
	};

	add_text(t, PICK(blanks));
}

static void
add_operand(text *t)
{
	static const char *const operands[] = {
		"1",
		"42",
		"1.5",
		"1.",
		".5",
		"1e5",
		"1.5E-3",
		"0",
		"'a'",
		"''",
		"'it''s'",
		"'a\\'",
		"E'a\\'b'",
		"E'\\\\'",
		"e''''",
		"b'01'",
		"X'1f'",
		"n'a'",
		"U&'a'",
		"u&'a\\0061'",
		"$$a$$",
		"$a$ '$b$ $a$",
		"$_1$$$_1$",
		"$\xc3\xa9$a$\xc3\xa9$",
		"'a'\n'b'",
		"'a' -- b\n 'c'",
		"E'a'\n'b\\'c'",
		"b'0'\n\n'1'",
		"'\xc3\xa9'",
		"'$1'",
		"'-- /*'",
		"(1)",
		"ARRAY[1,2]",
		"(SELECT 1)",
		"NULL",
		"true",
		"\"a\"",
		"\"a\"\"b\"",
		"U&\"a\"",
		"a.b",
		"f(1)",
		"\xc3\xa9",
		"x$1",
		"(-1)",
		"f(a=>1)",
		"f(a=>-1)",
		"f(a:=1)",
		"(ARRAY[1])[1:1]",
		"''::text",
		"- 1",
		"+1",
		"@1",
		"1::int",
		"CASE WHEN true THEN 1 END",
	};
	char parameter[40];

	if (below(5) > 0)
	{
		add_text(t, PICK(operands));
		return;
	}
	if (t->parameters == 0 || below(3) > 0)
		t->parameters++;
	(void) snprintf(parameter,
					sizeof(parameter),
					"$%d%s",
					1 + (int) below((uint32_t) t->parameters),
					below(2) == 0 ? "::int" : "");
	add_text(t, parameter);
}

static void
add_operator(text *t)
{
	static const char *const words[] = { ",",
										 ", ",
										 " AND ",
										 "||",
										 "->>",
										 "=",
										 "<=",
										 "<>",
										 "!=",
										 " IS DISTINCT FROM ",
										 " AS x, ",
										 "; SELECT ",
										 " UNION SELECT ",
										 " \"a\", ",
										 " x, ",
										 "::text||" };
	static const char characters[] = "~!@#^&|`?+-*/%<>=+-*/-";

	if (below(3) > 0)
	{
		add_text(t, PICK(words));
		return;
	}
	for (uint32_t n = 1 + below(below(30) == 0 ? 80 : 4); n > 0; n--)
		add(t, &characters[below(sizeof(characters) - 1)], 1);
}

static void
make_up(text *t)
{
	*t = (text){ 0 };
	add_blank(t);
	add_text(t, "SELECT ");
	add_operand(t);
	for (uint32_t n = below(6); n > 0; n--)
	{
		add_blank(t);
		add_operator(t);
		add_blank(t);
		add_operand(t);
	}
	add_blank(t);
}

/* Spoils a text at one place: takes bytes away, puts some in, or says a piece twice. */
static void
spoil(text *t)
{
	static const char *const pieces[] = {
		"'", "'", "\"", "$", "$",  "$$",   "/*",       "*/",  "--", "\n", "\\", "-",
		"+", "@", "=",  "e", "E'", "U&",   "b'",       "1",   "0x", "_",  ".",  "..",
		":", ";", "a",  " ", "{",  "\x01", "\xc3\xa9", "$a$", "(",  ")",  "''", "\"\"",
	};
	uint32_t at = below((uint32_t) t->n + 1);
	uint32_t n = 1 + below(3);
	text before = *t;

	t->n = at;
	if (n > before.n - at)
		n = (uint32_t) (before.n - at);
	switch (below(5))
	{
		case 0: /* without them */
			break;
		case 1: /* or anything from there on */
			if (below(3) == 0)
				return;
			break;
		case 2:
			add(t, before.bytes + at, n);
			add(t, before.bytes + at, n);
			break;
		default:
			add_text(t, PICK(pieces));
			n = 0;
	}
	add(t, before.bytes + at + n, before.n - at - n);
}

static bool
begins_with(const char *message, const char *const *beginnings)
{
	for (; *beginnings != NULL; beginnings++)
	{
		if (strncmp(message, *beginnings, strlen(*beginnings)) == 0)
			return true;
	}
	return false;
}

/* What an error says of scanning. */
static verdict
judge(const PGresult *result)
{
	static const char *const scanner[] = {
		"unterminated ",         "zero-length delimited identifier", "operator too long",
		"trailing junk after ",  "parameter number too large",       "invalid hexadecimal integer",
		"invalid octal integer", "invalid binary integer",           NULL,
	};
	/* Escapes, bytes and nesting are looked into while scanning. */
	static const char *const nothing[] = { "invalid Unicode",
										   "invalid byte sequence",
										   "UESCAPE ",
										   "stack depth",
										   NULL };
	/* Said when all has been scanned. */
	static const char *const taken[] = { "cannot insert multiple commands", NULL };
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (begins_with(message, scanner))
		return VERDICT_SCANNER;
	if (begins_with(message, nothing) || strncmp(sqlstate, "22", 2) == 0)
		return VERDICT_NOTHING;
	if (begins_with(message, taken) || strcmp(sqlstate, "42601") != 0)
		return VERDICT_TAKEN; /* names and types are looked at when all is scanned */
	return VERDICT_GRAMMAR;
}

/* The byte that a position of the server's, in characters from 1, stands for. */
static size_t
offset_of(const text *t, const char *position)
{
	long characters = position != NULL ? atol(position) - 1 : -1;
	size_t at = 0;

	if (characters < 0)
		return SIZE_MAX;
	for (; characters > 0 && at < t->n; characters--)
	{
		at++;
		while (at < t->n && ((unsigned char) t->bytes[at] & 0xC0) == 0x80)
			at++;
	}
	return at;
}

/* What we know, and a server before 16 or 18 does not. */
static bool
is_newer(const kn__token *token, int version)
{
	bool is_number = token->kind == KN__TOKEN_NUMBER;

	if (token->kind == KN__TOKEN_ERROR && token->n > 10 && token->p[0] == '$')
		return version < 180000;
	for (size_t i = 0; is_number && i < token->n; i++)
	{
		if (strchr("_xXoObB", token->p[i]) != NULL)
			return version < 160000;
	}
	return false;
}

/* For the server, the n of n'...' is a token of its own. */
static bool
begins_at(const kn__token *token, size_t here, size_t at)
{
	return here == at || (here + 1 == at && token->n > 1 && token->p[1] == '\'' &&
						  (token->p[0] == 'n' || token->p[0] == 'N'));
}

/* NULL: it agrees; else what does not. */
static const char *
compare(const text *t, verdict server, size_t at, int version)
{
	bool begins_there = at == SIZE_MAX || at >= t->n;
	kn__lexer lexer;
	kn__token token;

	kn__lexer_init(&lexer, (kn_str){ t->bytes, t->n });
	while ((token = kn__lexer_next(&lexer)).kind != KN__TOKEN_END)
	{
		size_t here = (size_t) (token.p - t->bytes);

		if (is_newer(&token, version))
			return NULL;
		begins_there |= begins_at(&token, here, at);
		if (token.kind != KN__TOKEN_ERROR)
			continue;
		if (server == VERDICT_TAKEN)
			return "an error where the server sees none";
		if (server == VERDICT_SCANNER)
			return begins_at(&token, here, at) ? NULL : "an error at another place";
		return here >= at || at == SIZE_MAX ? NULL : "an error before the server sees one";
	}
	if (server == VERDICT_SCANNER)
		return "no error where the server sees one";
	return begins_there ? NULL : "no token begins where the server sees an error";
}

/* Of a text that was prepared, the parameters agree too. */
static const char *
compare_parameters(PGconn *conn, const text *t)
{
	PGresult *described = PQdescribePrepared(conn, "");
	kn__statement ours = kn__statement_of((kn_str){ t->bytes, t->n });
	const char *why = NULL;

	if (PQnparams(described) != ours.parameters)
		why = "another number of parameters";
	else if (ours.is_broken)
		why = "a statement that is broken for us only";
	PQclear(described);
	return why;
}

static const char *
try_text(PGconn *conn, const text *t, verdict *server)
{
	PGresult *result = PQprepare(conn, "", t->bytes, 0, NULL);
	const char *why = NULL;

	if (PQresultStatus(result) == PGRES_COMMAND_OK)
	{
		*server = VERDICT_TAKEN;
		why = compare(t, VERDICT_TAKEN, SIZE_MAX, PQserverVersion(conn));
		if (why == NULL)
			why = compare_parameters(conn, t);
	}
	else if (PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL)
		why = "the server is gone";
	else if ((*server = judge(result)) != VERDICT_NOTHING)
		why = compare(t,
					  *server,
					  offset_of(t, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION)),
					  PQserverVersion(conn));
	if (why != NULL)
		(void) fprintf(stderr, "%s\n\t%s\n%s\n", why, PQresultErrorMessage(result), t->bytes);
	PQclear(result);
	return why;
}

static void
be_silent(void *user, const PGresult *notice)
{
	(void) user;
	(void) notice;
}

int
main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 20261126;
	long count = argc > 2 ? atol(argv[2]) : 20000;
	long seen[VERDICT_COUNT] = { 0 };
	long failed = 0;
	PGconn *conn = PQconnectdb("client_encoding=UTF8 options='-c lc_messages=C'");

	if (PQstatus(conn) != CONNECTION_OK)
	{
		(void) fprintf(stderr, "%s", PQerrorMessage(conn));
		return EXIT_FAILURE;
	}
	(void) PQsetNoticeReceiver(conn, be_silent, NULL);
	(void) printf("seed %" PRIu64 "\n", seed);
	for (long i = 0; i < count && failed < 10; i++)
	{
		verdict server = VERDICT_NOTHING;
		text t;

		state = seed + (uint64_t) i * 1000003;
		make_up(&t);
		for (uint32_t n = below(4); n > 0; n--)
			spoil(&t);
		t.bytes[t.n] = '\0';
		if (try_text(conn, &t, &server) != NULL)
			failed++;
		seen[server]++;
	}
	(void) printf("%ld texts taken, %ld refused by the scanner, %ld later, %ld not judged\n",
				  seen[VERDICT_TAKEN],
				  seen[VERDICT_SCANNER],
				  seen[VERDICT_GRAMMAR],
				  seen[VERDICT_NOTHING]);
	(void) printf("%ld passed, %ld failed\n",
				  seen[VERDICT_TAKEN] + seen[VERDICT_SCANNER] + seen[VERDICT_GRAMMAR] - failed,
				  failed);
	PQfinish(conn);
	return failed == 0 && seen[VERDICT_TAKEN] > 0 && seen[VERDICT_SCANNER] > 0 ? EXIT_SUCCESS
																			   : EXIT_FAILURE;
}
