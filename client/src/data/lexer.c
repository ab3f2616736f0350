/*
 * lexer.c
 *		SQL to tokens, as the server's scanner cuts it.
 *
 * The rules are those of src/backend/parser/scan.l of PostgreSQL 18.  A server
 * from 15 on either cuts a text in the same way or refuses it: before 16 there
 * are no 1_000 and 0x1F, and a vertical tab is no white space; before 18, $4294967297
 * was $1, which we refuse.
 *
 * An error is what makes the scanner itself give up, and so depends on nothing but
 * where tokens end: whether the escapes in a literal stand for something, or its
 * bytes are valid in the encoding, is not looked at.
 *
 * The text is in UTF-8, or in any other encoding that has no ASCII in its multibyte
 * characters: a connection has no other.  A NUL cannot be sent to the server; all from the
 * first one on is an error, and nothing is read beyond it.  So peek() may use it for "no more".
 */
#include "data/data.h"

#include <string.h>

#define OPERATOR_CHARACTERS "~!@#^&|`?+-*/%<>="
/* An operator with one of these may end in + or -; the standard's operators have none of them. */
#define OWN_CHARACTERS "~!@#^&|`?%"
/* An operator of so many bytes is too long: the server's NAMEDATALEN. */
#define OPERATOR_LIMIT 64

typedef enum quoting
{
	QUOTING_PLAIN = 0,
	QUOTING_DOUBLED = 1 << 0,  /* two quotes stand for one */
	QUOTING_BACKSLASH = 1 << 1 /* a backslash takes the next character along */
} quoting;

static bool
is_newline(char c)
{
	return c == '\n' || c == '\r';
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_digit_of(char c, int base)
{
	return (c >= '0' && c < '0' + (base < 10 ? base : 10)) ||
		   (base == 16 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
}

static bool
is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

static bool
is_name_part(char c)
{
	return is_name_start(c) || is_digit(c) || c == '$';
}

static bool
is_one_of(char c, const char *characters)
{
	return c != '\0' && strchr(characters, c) != NULL;
}

/* The byte so many behind the next one, or NUL. */
static char
peek(const kn__lexer *lexer, size_t ahead)
{
	return ahead < (size_t) (lexer->stop - lexer->at) ? lexer->at[ahead] : '\0';
}

static bool
is_at(const kn__lexer *lexer, char first, char second)
{
	return peek(lexer, 0) == first && peek(lexer, 1) == second;
}

static void
skip_line(kn__lexer *lexer)
{
	while (lexer->at < lexer->stop && !is_newline(*lexer->at))
		lexer->at++;
}

/* From one slash-star to the star-slash that belongs to it; false: there is none. */
static bool
skip_comment(kn__lexer *lexer)
{
	size_t depth = 0;

	while (lexer->at < lexer->stop)
	{
		if (is_at(lexer, '/', '*'))
		{
			depth++;
			lexer->at += 2;
		}
		else if (is_at(lexer, '*', '/'))
		{
			lexer->at += 2;
			if (--depth == 0)
				return true;
		}
		else
			lexer->at++;
	}
	return false;
}

/* White space and comments; false: a comment that does not end, which *begin then points to. */
static bool
skip_blank(kn__lexer *lexer, const char **begin)
{
	for (;;)
	{
		*begin = lexer->at;
		if (is_space(peek(lexer, 0)))
			lexer->at++;
		else if (is_at(lexer, '-', '-'))
			skip_line(lexer);
		else if (!is_at(lexer, '/', '*'))
			return true;
		else if (!skip_comment(lexer))
			return false;
	}
}

static void
skip_name(kn__lexer *lexer)
{
	while (is_name_part(peek(lexer, 0)))
		lexer->at++;
}

/* From an opening quote to behind the closing one; false: there is none. */
static bool
skip_quoted(kn__lexer *lexer, unsigned flags)
{
	char quote = *lexer->at++;

	while (lexer->at < lexer->stop)
	{
		char c = *lexer->at++;

		if ((c == quote && (flags & QUOTING_DOUBLED) != 0 && peek(lexer, 0) == quote) ||
			(c == '\\' && (flags & QUOTING_BACKSLASH) != 0 && lexer->at < lexer->stop))
			lexer->at++;
		else if (c == quote)
			return true;
	}
	return false;
}

/*
 * A literal goes on behind white space with a newline in it, if another quote
 * follows.  Of comments only those that end with the line count as white space here.
 */
static bool
skip_to_continuation(kn__lexer *lexer)
{
	const char *begin = lexer->at;
	bool has_newline = false;

	for (;;)
	{
		if (is_space(peek(lexer, 0)))
			has_newline |= is_newline(*lexer->at++);
		else if (is_at(lexer, '-', '-'))
			skip_line(lexer);
		else
			break;
	}
	if (has_newline && peek(lexer, 0) == '\'')
		return true;
	lexer->at = begin;
	return false;
}

static kn__token_kind
scan_string(kn__lexer *lexer, unsigned flags)
{
	do
	{
		if (!skip_quoted(lexer, flags))
			return KN__TOKEN_ERROR;
	} while (skip_to_continuation(lexer));
	return KN__TOKEN_STRING;
}

static kn__token_kind
scan_identifier(kn__lexer *lexer)
{
	const char *begin = lexer->at;

	if (!skip_quoted(lexer, QUOTING_DOUBLED) || lexer->at - begin == 2)
		return KN__TOKEN_ERROR; /* the server has no names without a character */
	return KN__TOKEN_QUOTED;
}

static unsigned
plain_quoting(const kn__lexer *lexer)
{
	return QUOTING_DOUBLED | (lexer->backslash_quotes ? QUOTING_BACKSLASH : QUOTING_PLAIN);
}

/* A word, or a literal that begins with a letter. */
static kn__token_kind
scan_word(kn__lexer *lexer)
{
	char first = (char) (*lexer->at | 0x20); /* in lower case, if it is a letter */
	bool is_u = first == 'u' && peek(lexer, 1) == '&';
	kn__token_kind kind;

	if (is_u && peek(lexer, 2) == '"')
	{
		lexer->at += 2;
		return scan_identifier(lexer);
	}
	if (is_u && peek(lexer, 2) == '\'')
	{
		lexer->at += 2;
		kind = scan_string(lexer, QUOTING_DOUBLED);
		return lexer->backslash_quotes ? KN__TOKEN_ERROR : kind; /* the server calls it unsafe */
	}
	if (peek(lexer, 1) == '\'' && is_one_of(first, "bxen"))
	{
		lexer->at++;
		if (first == 'n')
			return scan_string(lexer, plain_quoting(lexer));
		return scan_string(lexer,
						   first == 'e' ? QUOTING_DOUBLED | QUOTING_BACKSLASH : QUOTING_PLAIN);
	}
	skip_name(lexer);
	return KN__TOKEN_WORD;
}

/* Digits, with single underscores before them; false: there are none. */
static bool
skip_digits(kn__lexer *lexer, int base)
{
	const char *begin = lexer->at;

	while (is_digit_of(peek(lexer, 0), base) ||
		   (peek(lexer, 0) == '_' && is_digit_of(peek(lexer, 1), base)))
		lexer->at++;
	return lexer->at > begin;
}

/* What base 0x, 0o or 0b announces; 10 where it is none of them. */
static int
base_of(const kn__lexer *lexer)
{
	char letter = (char) (peek(lexer, 1) | 0x20);

	if (peek(lexer, 0) != '0')
		return 10;
	return letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
}

/* Digits, a point, an exponent; false: an exponent has no digits. */
static bool
skip_decimal(kn__lexer *lexer)
{
	size_t sign;

	(void) skip_digits(lexer, 10);
	if (peek(lexer, 0) == '.' && peek(lexer, 1) != '.') /* 1..2 is a range */
	{
		lexer->at++;
		if (is_digit(peek(lexer, 0)))
			(void) skip_digits(lexer, 10);
	}
	if (!is_one_of(peek(lexer, 0), "eE"))
		return true;
	sign = is_one_of(peek(lexer, 1), "+-") ? 1 : 0;
	lexer->at += 1 + sign;
	return is_digit(peek(lexer, 0)) && skip_digits(lexer, 10);
}

/*
 * Whether something that is no digit of the number goes on with it, as in 1a, or in 0b12.
 * The server takes the longest piece, and so 1e5$ for 1 and a name that begins with e.
 */
static bool
is_junk(const kn__lexer *lexer, const char *begin, int base)
{
	char c = peek(lexer, 0);

	if (c != '$')
		return is_name_start(c) || (base != 10 && is_digit(c));
	for (const char *p = lexer->at; p > begin && is_name_part(p[-1]); p--)
	{
		if (is_name_start(p[-1]))
			return true;
	}
	return false;
}

static kn__token_kind
scan_number(kn__lexer *lexer)
{
	const char *begin = lexer->at;
	int base = base_of(lexer);
	bool is_good;

	if (base == 10)
		is_good = skip_decimal(lexer);
	else
	{
		lexer->at += 2;
		is_good = skip_digits(lexer, base);
	}
	if (!is_junk(lexer, begin, base))
		return is_good ? KN__TOKEN_NUMBER : KN__TOKEN_ERROR;
	skip_name(lexer);
	return KN__TOKEN_ERROR;
}

static kn__token_kind
scan_parameter(kn__lexer *lexer, uint32_t *number)
{
	uint64_t value = 0;

	for (lexer->at++; is_digit(peek(lexer, 0)); lexer->at++)
	{
		if (value <= INT32_MAX)
			value = value * 10 + (uint64_t) (*lexer->at - '0');
	}
	if (is_name_start(peek(lexer, 0)))
	{
		skip_name(lexer);
		return KN__TOKEN_ERROR;
	}
	if (value > INT32_MAX)
		return KN__TOKEN_ERROR;
	*number = (uint32_t) value;
	return KN__TOKEN_PARAMETER;
}

/* $tag$...$tag$; a dollar that begins none is an error of one byte. */
static kn__token_kind
scan_dollar_string(kn__lexer *lexer)
{
	const char *delimiter = lexer->at++;
	size_t length;

	if (is_name_start(peek(lexer, 0)))
	{
		while (is_name_part(peek(lexer, 0)) && *lexer->at != '$')
			lexer->at++;
	}
	if (peek(lexer, 0) != '$')
	{
		lexer->at = delimiter + 1;
		return KN__TOKEN_ERROR;
	}
	length = (size_t) (++lexer->at - delimiter);

	while ((lexer->at = memchr(lexer->at, '$', (size_t) (lexer->stop - lexer->at))) != NULL &&
		   (size_t) (lexer->stop - lexer->at) >= length)
	{
		if (memcmp(lexer->at, delimiter, length) == 0)
		{
			lexer->at += length;
			return KN__TOKEN_STRING;
		}
		lexer->at++;
	}
	lexer->at = lexer->stop;
	return KN__TOKEN_ERROR;
}

static bool
has_own_character(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		if (is_one_of(p[i], OWN_CHARACTERS))
			return true;
	}
	return false;
}

/*
 * As many operator characters as there are, up to the beginning of a comment.  So that
 * a*-1 can be said, + and - at the end do not belong to it unless it has a character
 * that no operator of the standard has.
 */
static kn__token_kind
scan_operator(kn__lexer *lexer)
{
	const char *begin = lexer->at++;
	size_t n;

	while (is_one_of(peek(lexer, 0), OPERATOR_CHARACTERS) && !is_at(lexer, '/', '*') &&
		   !is_at(lexer, '-', '-'))
		lexer->at++;
	n = (size_t) (lexer->at - begin);
	if (n > 1 && is_one_of(begin[n - 1], "+-") && !has_own_character(begin, n - 1))
	{
		do
			n--;
		while (n > 1 && is_one_of(begin[n - 1], "+-"));
	}
	lexer->at = begin + n;
	if (n >= OPERATOR_LIMIT)
		return KN__TOKEN_ERROR;
	return n == 2 && memcmp(begin, "=>", 2) == 0 ? KN__TOKEN_PUNCTUATION : KN__TOKEN_OPERATOR;
}

static kn__token_kind
scan_punctuation(kn__lexer *lexer)
{
	if (is_at(lexer, ':', ':') || is_at(lexer, ':', '=') || is_at(lexer, '.', '.'))
		lexer->at += 2;
	else
		lexer->at++;
	return KN__TOKEN_PUNCTUATION;
}

/* The token that begins with the next byte; moves behind it. */
static kn__token_kind
scan(kn__lexer *lexer, uint32_t *number)
{
	char c = peek(lexer, 0);

	if (lexer->at == lexer->end)
		return KN__TOKEN_END;
	if (lexer->at == lexer->stop)
	{
		lexer->at = lexer->stop = lexer->end; /* what follows the NUL is not looked at */
		return KN__TOKEN_ERROR;
	}
	if (is_name_start(c))
		return scan_word(lexer);
	if (c == '\'')
		return scan_string(lexer, plain_quoting(lexer));
	if (c == '"')
		return scan_identifier(lexer);
	if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1))))
		return scan_number(lexer);
	if (c == '$')
		return is_digit(peek(lexer, 1)) ? scan_parameter(lexer, number) : scan_dollar_string(lexer);
	if (is_one_of(c, "()[],;:."))
		return scan_punctuation(lexer);
	if (is_one_of(c, OPERATOR_CHARACTERS))
		return scan_operator(lexer);
	lexer->at++;
	return KN__TOKEN_ERROR;
}

void
kn__lexer_init(kn__lexer *lexer, kn_str sql)
{
	const char *nul = sql.n > 0 ? memchr(sql.p, '\0', sql.n) : NULL;

	lexer->at = sql.p != NULL ? sql.p : "";
	lexer->end = lexer->at + sql.n;
	lexer->stop = nul != NULL ? nul : lexer->end;
	lexer->backslash_quotes = false;
}

kn__token
kn__lexer_next(kn__lexer *lexer)
{
	kn__token token = { 0 };

	token.kind = skip_blank(lexer, &token.p) ? scan(lexer, &token.number) : KN__TOKEN_ERROR;
	token.n = (size_t) (lexer->at - token.p);
	return token;
}

bool
kn__token_is(const kn__token *token, const char *word)
{
	if (token->kind != KN__TOKEN_WORD || strlen(word) != token->n)
		return false;
	for (size_t i = 0; i < token->n; i++)
	{
		char c = token->p[i];

		if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != word[i])
			return false;
	}
	return true;
}
