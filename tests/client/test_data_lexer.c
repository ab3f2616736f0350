/*
 * test_data_lexer.c
 *		SQL to tokens: each rule of the server's scanner, and where it gives up.
 */
#include <string.h>

#include "data/data.h"
#include "suite.h"

/* The tokens of a text as "w<select> n<1>": the letter of the kind, and the bytes. */
static const char *
cut(kn_str sql, bool backslash_quotes)
{
	static const char letters[] = ".wqsnpoc!";
	static char out[4096];
	size_t length = 0;
	kn__lexer lexer;
	kn__token token;

	kn__lexer_init(&lexer, sql);
	lexer.backslash_quotes = backslash_quotes;
	out[0] = '\0';
	while ((token = kn__lexer_next(&lexer)).kind != KN__TOKEN_END)
	{
		ck_assert(length + token.n + 5 < sizeof(out));
		if (length > 0)
			out[length++] = ' ';
		out[length++] = letters[token.kind];
		out[length++] = '<';
		memcpy(out + length, token.p, token.n);
		length += token.n;
		out[length++] = '>';
		out[length] = '\0';
	}
	ck_assert_ptr_eq(token.p, sql.p + sql.n);
	ck_assert_uint_eq(token.n, 0);
	return out;
}

typedef struct example
{
	const char *sql;
	const char *tokens;
} example;

static const example blanks[] = {
	{ "", "" },
	{ " \t\n\r\f\v", "" },
	{ "a\vb", "w<a> w<b>" },
	{ "-- all of it", "" },
	{ "--", "" },
	{ "a -- b\nc", "w<a> w<c>" },
	{ "a -- b\rc", "w<a> w<c>" },
	{ "a--b\n--c\n", "w<a>" },
	{ "-- it's\n1", "n<1>" },
	{ "/**/", "" },
	{ "a/* b */c", "w<a> w<c>" },
	{ "/* a /* b */ c */ d", "w<d>" },
	{ "/* /*/**/*/ */ d", "w<d>" },
	{ "/*/ */ d", "w<d>" },
	{ "/***/ d", "w<d>" },
	{ "/* ' */ d", "w<d>" },
	{ "/* -- */ d", "w<d>" },
	{ "-- /*\nd", "w<d>" },
	{ "/* $1 */ $2", "p<$2>" },
	{ "a /* b", "w<a> !</* b>" },
	{ "/* a /* b */ c", "!</* a /* b */ c>" },
	{ "/*/", "!</*/>" },
	{ "/*", "!</*>" },
	{ "*/", "o<*/>" },
};

static const example words[] = {
	{ "select Foo _x", "w<select> w<Foo> w<_x>" },
	{ "a1$b a$1", "w<a1$b> w<a$1>" },
	{ "\xc3\xa9t\xc3\xa9 \xff", "w<\xc3\xa9t\xc3\xa9> w<\xff>" },
	{ "a.b.c", "w<a> c<.> w<b> c<.> w<c>" },
	{ "u U& u&a", "w<u> w<U> o<&> w<u> o<&> w<a>" },
	{ "e b x n", "w<e> w<b> w<x> w<n>" },
	{ "e 'a'", "w<e> s<'a'>" },
	{ "ee'a'", "w<ee> s<'a'>" },
	{ "\"a\"", "q<\"a\">" },
	{ "\"a\"\"b\"\"\"", "q<\"a\"\"b\"\"\">" },
	{ "\"a\nb\\\"", "q<\"a\nb\\\">" },
	{ "\"a\" \n \"b\"", "q<\"a\"> q<\"b\">" },
	{ "\"$1 -- /*\"", "q<\"$1 -- /*\">" },
	{ "\"a\"b", "q<\"a\"> w<b>" },
	{ "\"\"", "!<\"\">" },
	{ "\"\"\"\"", "q<\"\"\"\">" },
	{ "\"a", "!<\"a>" },
	{ "\"", "!<\">" },
	{ "u&\"d\\0061t\"", "q<u&\"d\\0061t\">" },
	{ "U&\"a\"\"b\"", "q<U&\"a\"\"b\">" },
	{ "U&\"\"", "!<U&\"\">" },
	{ "U&\"a", "!<U&\"a>" },
	{ "U & \"a\"", "w<U> o<&> q<\"a\">" },
	{ "U& \"a\"", "w<U> o<&> q<\"a\">" },
	{ "U&\"a!61\" UESCAPE '!'", "q<U&\"a!61\"> w<UESCAPE> s<'!'>" },
};

static const example strings[] = {
	{ "'a'", "s<'a'>" },
	{ "''", "s<''>" },
	{ "''''", "s<''''>" },
	{ "'a''b'", "s<'a''b'>" },
	{ "'a\\'", "s<'a\\'>" },
	{ "'a\\''", "!<'a\\''>" },
	{ "'a\n-- b'", "s<'a\n-- b'>" },
	{ "'$1' '/*'", "s<'$1'> s<'/*'>" },
	{ "'a'b", "s<'a'> w<b>" },
	{ "'a", "!<'a>" },
	{ "'", "!<'>" },
	{ "'''", "!<'''>" },
	{ "e'a\\'b'", "s<e'a\\'b'>" },
	{ "E'a\\\\'", "s<E'a\\\\'>" },
	{ "E'a''b'", "s<E'a''b'>" },
	{ "E'a\\", "!<E'a\\>" },
	{ "E'a\\'", "!<E'a\\'>" },
	{ "E'\\\n'", "s<E'\\\n'>" },
	{ "b'01' X'1f' n'a' N'a''b'", "s<b'01'> s<X'1f'> s<n'a'> s<N'a''b'>" },
	{ "b'0''1'", "s<b'0'> s<'1'>" },
	{ "x'", "!<x'>" },
	{ "n'a\\'", "s<n'a\\'>" },
	{ "u&'d\\0061' U&'a''b'", "s<u&'d\\0061'> s<U&'a''b'>" },
	{ "U&'a\\'", "s<U&'a\\'>" },
	{ "U&'a", "!<U&'a>" },
	{ "U&'a' UESCAPE '!'", "s<U&'a'> w<UESCAPE> s<'!'>" },
};

static const example continued[] = {
	{ "'a'\n'b'", "s<'a'\n'b'>" },
	{ "'a' \t\n 'b'", "s<'a' \t\n 'b'>" },
	{ "'a'\r'b'", "s<'a'\r'b'>" },
	{ "'a'\n\n'b'\n'c'", "s<'a'\n\n'b'\n'c'>" },
	{ "'a' 'b'", "s<'a'> s<'b'>" },
	{ "'a' -- c\n'b'", "s<'a' -- c\n'b'>" },
	{ "'a'--c\n--d\n'b'", "s<'a'--c\n--d\n'b'>" },
	{ "'a'\n--d\n'b'", "s<'a'\n--d\n'b'>" },
	{ "'a'\n--d", "s<'a'>" },
	{ "'a' /* c */\n'b'", "s<'a'> s<'b'>" },
	{ "'a'\n/* c */'b'", "s<'a'> s<'b'>" },
	{ "'a'\n- 'b'", "s<'a'> o<-> s<'b'>" },
	{ "'a'\n, 'b'", "s<'a'> c<,> s<'b'>" },
	{ "'a'\nE'b'", "s<'a'> s<E'b'>" },
	{ "'a'\n'b", "!<'a'\n'b>" },
	{ "E'a'\n'b\\'c'", "s<E'a'\n'b\\'c'>" },
	{ "'a'\n'b\\'", "s<'a'\n'b\\'>" },
	{ "b'0'\n'1'", "s<b'0'\n'1'>" },
	{ "U&'a'\n'b'", "s<U&'a'\n'b'>" },
	{ "\"a\"\n'b'", "q<\"a\"> s<'b'>" },
	{ "$$a$$\n'b'", "s<$$a$$> s<'b'>" },
};

static const example dollars[] = {
	{ "$$a$$", "s<$$a$$>" },
	{ "$$$$", "s<$$$$>" },
	{ "$$a'$1;\"b$$", "s<$$a'$1;\"b$$>" },
	{ "$a$ b $a$", "s<$a$ b $a$>" },
	{ "$a$ $b$ $a$", "s<$a$ $b$ $a$>" },
	{ "$a$ $$ $A$ $a $a$", "s<$a$ $$ $A$ $a $a$>" },
	{ "$a$ $$a$", "s<$a$ $$a$>" },
	{ "$a$x$a$a$", "s<$a$x$a$> w<a$>" },
	{ "$$a$b$$", "s<$$a$b$$>" },
	{ "$$a$$$", "s<$$a$$> !<$>" },
	{ "$\xc3\xa9$ $e$ $\xc3\xa9$", "s<$\xc3\xa9$ $e$ $\xc3\xa9$>" },
	{ "$_1$a$_1$", "s<$_1$a$_1$>" },
	{ "$$a", "!<$$a>" },
	{ "$$a$", "!<$$a$>" },
	{ "$a$ $a", "!<$a$ $a>" },
	{ "$a$ $b$", "!<$a$ $b$>" },
	{ "$a", "!<$> w<a>" },
	{ "$a b$", "!<$> w<a> w<b$>" },
	{ "$", "!<$>" },
	{ "$ $", "!<$> !<$>" },
	{ "$-$", "!<$> o<-> !<$>" },
	{ "a$$b$$", "w<a$$b$$>" },
	{ "1$$b$$", "n<1> s<$$b$$>" },
};

static const example numbers[] = {
	{ "0 1 42", "n<0> n<1> n<42>" },
	{ "1.5 1. .5", "n<1.5> n<1.> n<.5>" },
	{ "1..2", "n<1> c<..> n<2>" },
	{ "1.5.5", "n<1.5> n<.5>" },
	{ "1...2", "n<1> c<..> n<.2>" },
	{ "1e5 1E+5 1.e-5 .5e0", "n<1e5> n<1E+5> n<1.e-5> n<.5e0>" },
	{ "1_000 1_0.2_5e1_0", "n<1_000> n<1_0.2_5e1_0>" },
	{ "0x1F 0Xff 0o17 0b101 0x_1F", "n<0x1F> n<0Xff> n<0o17> n<0b101> n<0x_1F>" },
	{ "-1", "o<-> n<1>" },
	{ "1-1", "n<1> o<-> n<1>" },
	{ "1a", "!<1a>" },
	{ "1a$b c", "!<1a$b> w<c>" },
	{ "1.5a", "!<1.5a>" },
	{ "1.a", "!<1.a>" },
	{ "1e", "!<1e>" },
	{ "1e+", "!<1e+>" },
	{ "1e+a", "!<1e+a>" },
	{ "1ex", "!<1ex>" },
	{ "1__0", "!<1__0>" },
	{ "1_", "!<1_>" },
	{ "1_.5", "!<1_> n<.5>" },
	{ "1._5", "!<1._5>" },
	{ "0x", "!<0x>" },
	{ "0xg", "!<0xg>" },
	{ "0b12", "!<0b12>" },
	{ "0o8", "!<0o8>" },
	{ "1\xc3\xa9", "!<1\xc3\xa9>" },
	{ "0x1.5", "n<0x1> n<.5>" },
	{ "1'a'", "n<1> s<'a'>" },
	{ "1\"a\"", "n<1> q<\"a\">" },
	{ "1$1", "n<1> p<$1>" },
	{ "1.5$1", "n<1.5> p<$1>" },
	{ "1e5$1", "!<1e5$1>" },
	{ "1.e5$", "!<1.e5$>" },
	{ "1_0$a", "!<1_0$a>" },
	{ "0x1F$", "!<0x1F$>" },
	{ "1e+5$1", "n<1e+5> p<$1>" },
	{ "1e+5_0$1", "!<1e+5_0$1>" },
};

static const example operators[] = {
	{ "+ - * / < > = <= >= <> !=", "o<+> o<-> o<*> o</> o<<> o<>> o<=> o<<=> o<>=> o<<>> o<!=>" },
	{ "a->>'b'", "w<a> o<->>> s<'b'>" },
	{ "a @> b ?| c", "w<a> o<@>> w<b> o<?|> w<c>" },
	{ "a?b", "w<a> o<?> w<b>" },
	{ "||/ |/", "o<||/> o<|/>" },
	{ "a*-1", "w<a> o<*> o<-> n<1>" },
	{ "=-1", "o<=> o<-> n<1>" },
	{ "=+-1", "o<=> o<+> o<-> n<1>" },
	{ "+-", "o<+> o<->" },
	{ "-+", "o<-> o<+>" },
	{ "++", "o<+> o<+>" },
	{ "*+-+", "o<*> o<+> o<-> o<+>" },
	{ "<->", "o<<->>" },
	{ "+-*", "o<+-*>" },
	{ "@-", "o<@->" },
	{ "%+-", "o<%+->" },
	{ "-@", "o<-@>" },
	{ "-@-", "o<-@->" },
	{ "=-@", "o<=-@>" },
	{ "*--b\n1", "o<*> n<1>" },
	{ "@--b\n1", "o<@> n<1>" },
	{ "*-/*b*/1", "o<*> o<-> n<1>" },
	{ "@/*b*/-1", "o<@> o<-> n<1>" },
	{ "*/*b*/1", "o<*> n<1>" },
	{ "a---b", "w<a>" },
	{ "+--", "o<+>" },
	{ "-/**/-", "o<-> o<->" },
	{ "@/**/@", "o<@> o<@>" },
	{ "=>", "c<=>>" },
	{ "=>-", "c<=>> o<->" },
	{ "a=>-1", "w<a> c<=>> o<-> n<1>" },
	{ ">=-1", "o<>=> o<-> n<1>" },
	{ "=>=", "o<=>=>" },
	{ "==", "o<==>" },
};

static const example punctuation[] = {
	{ "()[],;", "c<(> c<)> c<[> c<]> c<,> c<;>" },
	{ "a::b", "w<a> c<::> w<b>" },
	{ ":a :: b", "c<:> w<a> c<::> w<b>" },
	{ ":::", "c<::> c<:>" },
	{ "a := 1", "w<a> c<:=> n<1>" },
	{ ".. .", "c<..> c<.>" },
	{ "a.*", "w<a> c<.> o<*>" },
	{ "{ } \\ \x01 \x7f", "!<{> !<}> !<\\> !<\x01> !<\x7f>" },
};

static const example parameters[] = {
	{ "$1 $22", "p<$1> p<$22>" },
	{ "$0", "p<$0>" },
	{ "$1::int", "p<$1> c<::> w<int>" },
	{ "$1+$2", "p<$1> o<+> p<$2>" },
	{ "$1$2", "p<$1> p<$2>" },
	{ "$1.5", "p<$1> n<.5>" },
	{ "$1a", "!<$1a>" },
	{ "$1_0", "!<$1_0>" },
	{ "$1\xc3\xa9", "!<$1\xc3\xa9>" },
	{ "$2147483647", "p<$2147483647>" },
	{ "$2147483648", "!<$2147483648>" },
	{ "$4294967297", "!<$4294967297>" },
	{ "$99999999999999999999999999999", "!<$99999999999999999999999999999>" },
	{ "a$1", "w<a$1>" },
	{ "$1$$a$$", "p<$1> s<$$a$$>" },
};

#define TABLES(X) \
	X(blanks)     \
	X(words) X(strings) X(continued) X(dollars) X(numbers) X(operators) X(punctuation) X(parameters)

#define X(table)                                                                     \
	START_TEST(table##_are_cut)                                                      \
	{                                                                                \
		const example *e = &table[_i];                                               \
                                                                                     \
		ck_assert_str_eq(cut((kn_str){ e->sql, strlen(e->sql) }, false), e->tokens); \
	}                                                                                \
	END_TEST
TABLES(X)
#undef X

/* With standard_conforming_strings off. */
static const example escaping[] = {
	{ "'a\\'b'", "s<'a\\'b'>" },           { "'a\\'", "!<'a\\'>" },
	{ "n'a\\'b'", "s<n'a\\'b'>" },         { "E'a\\'b'", "s<E'a\\'b'>" },
	{ "'a'\n'b\\'c'", "s<'a'\n'b\\'c'>" }, { "b'\\'", "s<b'\\'>" },
	{ "\"a\\\"", "q<\"a\\\">" },           { "U&'a' b", "!<U&'a'> w<b>" },
	{ "U&\"a\"", "q<U&\"a\">" },           { "$$\\$$", "s<$$\\$$>" },
};

START_TEST(backslashes_may_quote)
{
	const example *e = &escaping[_i];

	ck_assert_str_eq(cut((kn_str){ e->sql, strlen(e->sql) }, true), e->tokens);
}
END_TEST

/* All from the first NUL on is one error, and nothing goes on across it. */
START_TEST(a_nul_ends_it)
{
	const char text[] = "a 'b\0c' d";
	kn__lexer lexer;
	kn__token token;

	kn__lexer_init(&lexer, (kn_str){ text, sizeof(text) - 1 });
	token = kn__lexer_next(&lexer);
	ck_assert_int_eq(token.kind, KN__TOKEN_WORD);
	token = kn__lexer_next(&lexer);
	ck_assert_int_eq(token.kind, KN__TOKEN_ERROR);
	ck_assert_ptr_eq(token.p, text + 2);
	ck_assert_uint_eq(token.n, 2);
	token = kn__lexer_next(&lexer);
	ck_assert_int_eq(token.kind, KN__TOKEN_ERROR);
	ck_assert_ptr_eq(token.p, text + 4);
	ck_assert_uint_eq(token.n, sizeof(text) - 1 - 4);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(kn__lexer_next(&lexer).kind, KN__TOKEN_END);
	ck_assert(kn__statement_of((kn_str){ "SELECT 1\0", 9 }).is_broken);
	ck_assert(!kn__statement_of((kn_str){ "SELECT 1", 8 }).is_broken);
}
END_TEST

START_TEST(no_text_at_all)
{
	kn__lexer lexer;

	kn__lexer_init(&lexer, (kn_str){ NULL, 0 });
	ck_assert_int_eq(kn__lexer_next(&lexer).kind, KN__TOKEN_END);
}
END_TEST

/* Nothing behind the end is looked at: each example, cut off at each byte, without a NUL there. */
START_TEST(the_end_is_the_end)
{
#define X(table) { table, COUNT(table) },
	static const struct
	{
		const example *examples;
		int count;
	} tables[] = { TABLES(X) };
#undef X

	for (int i = 0; i < COUNT(tables); i++)
	{
		for (int j = 0; j < tables[i].count; j++)
		{
			const char *sql = tables[i].examples[j].sql;

			for (size_t n = 1; n <= strlen(sql); n++)
			{
				char *whole = malloc(n); /* so that a sanitizer sees a look beyond it */
				char copy[256];

				memcpy(whole, sql, n);
				memcpy(copy, sql, n);
				copy[n] = '\0';
				strcpy(copy, cut((kn_str){ copy, n }, false));
				ck_assert_str_eq(cut((kn_str){ whole, n }, false), copy);
				free(whole);
			}
		}
	}
}
END_TEST

START_TEST(long_operators)
{
	char sql[100];
	kn__lexer lexer;

	for (size_t n = 60; n < 70; n++)
	{
		memset(sql, '@', n);
		kn__lexer_init(&lexer, (kn_str){ sql, n });
		ck_assert_int_eq(kn__lexer_next(&lexer).kind,
						 n < 64 ? KN__TOKEN_OPERATOR : KN__TOKEN_ERROR);
		ck_assert_int_eq(kn__lexer_next(&lexer).kind, KN__TOKEN_END);
	}
}
END_TEST

static const struct
{
	const char *sql;
	uint32_t number;
} numbered[] = {
	{ "$0", 0 },
	{ "$1", 1 },
	{ "$0000000000000000000000007", 7 },
	{ "$65536", 65536 },
	{ "$2147483647", 2147483647 },
};

START_TEST(parameters_have_numbers)
{
	kn__lexer lexer;
	kn__token token;

	kn__lexer_init(&lexer, (kn_str){ numbered[_i].sql, strlen(numbered[_i].sql) });
	token = kn__lexer_next(&lexer);
	ck_assert_int_eq(token.kind, KN__TOKEN_PARAMETER);
	ck_assert_uint_eq(token.number, numbered[_i].number);
}
END_TEST

START_TEST(words_are_compared)
{
	const kn__token word = { .kind = KN__TOKEN_WORD, .p = "SeLect", .n = 6 };
	const kn__token quoted = { .kind = KN__TOKEN_QUOTED, .p = "select", .n = 6 };
	const kn__token strange = { .kind = KN__TOKEN_WORD, .p = "[elect", .n = 6 };

	ck_assert(kn__token_is(&word, "select"));
	ck_assert(!kn__token_is(&word, "selec"));
	ck_assert(!kn__token_is(&word, "selects"));
	ck_assert(!kn__token_is(&quoted, "select"));
	ck_assert(!kn__token_is(&strange, "{elect"));
}
END_TEST

static void
fill(TCase *tcase)
{
#define X(table) LOOP(tcase, table##_are_cut, table);
	TABLES(X)
#undef X
	LOOP(tcase, backslashes_may_quote, escaping);
	tcase_add_test(tcase, a_nul_ends_it);
	tcase_add_test(tcase, no_text_at_all);
	tcase_add_test(tcase, the_end_is_the_end);
	tcase_add_test(tcase, long_operators);
	LOOP(tcase, parameters_have_numbers, numbered);
	tcase_add_test(tcase, words_are_compared);
}

int
main(void)
{
	return suite_run("data_lexer", fill);
}
