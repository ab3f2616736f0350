/*
 * copy.c
 *		Texts of COPY: what one of the caller's is about, and how a query is read by one of ours.
 *
 * COPY's binary format does not say of which types its columns are.  So a query goes out
 * twice in one message: once for a look at its columns that reads no row, and once in
 * COPY.  What the server says of a place in that text is said of the caller's.
 */
#include "data/data.h"

#include <string.h>

#define HEAD   "SELECT * FROM ("
#define MIDDLE "\n) AS kn LIMIT 0; COPY ("
#define TAIL   "\n) TO STDOUT (FORMAT binary)"

static kn_str join(kn__token first, kn__token last);
static kn__token read_relation(kn__lexer *lexer, kn__token token, kn__copy_text *out);
static kn__token read_list(kn__lexer *lexer, kn__copy_text *out);
static int characters_of(kn_str text);

kn__copy_text
kn__copy_text_of(kn_str sql)
{
	kn__copy_text out = { .is_in = false };
	kn__lexer lexer;
	kn__token token;
	int depth = 0;

	kn__lexer_init(&lexer, sql);
	token = kn__lexer_next(&lexer);
	if (!kn__token_is(&token, "copy"))
		return out;
	token = kn__lexer_next(&lexer);
	if (kn__token_is(&token, "binary"))
	{
		out.is_binary = true;
		token = kn__lexer_next(&lexer);
	}
	if (token.kind == KN__TOKEN_WORD || token.kind == KN__TOKEN_QUOTED)
		token = read_relation(&lexer, token, &out);
	for (; token.kind != KN__TOKEN_END; token = kn__lexer_next(&lexer))
	{
		bool is_in = depth == 0 && kn__token_is(&token, "from");
		bool is_out = depth == 0 && kn__token_is(&token, "to");

		depth += token.n == 1 && *token.p == '(';
		depth -= token.n == 1 && *token.p == ')';
		if (!is_in && !is_out)
			continue;
		token = kn__lexer_next(&lexer);
		if (kn__token_is(&token, "stdin") || kn__token_is(&token, "stdout"))
		{
			out.is_in = is_in;
			out.is_out = is_out;
		}
		break;
	}
	while ((token = kn__lexer_next(&lexer)).kind != KN__TOKEN_END)
		out.is_binary |=
			kn__token_is(&token, "binary") ||
			(token.kind != KN__TOKEN_WORD && token.n == 8 &&
			 (memcmp(token.p, "'binary'", 8) == 0 || memcmp(token.p, "\"binary\"", 8) == 0));
	return out;
}

/* name, schema.name, and a list of columns in parentheses. */
static kn__token
read_relation(kn__lexer *lexer, kn__token token, kn__copy_text *out)
{
	kn__token first = token;
	kn__token last;

	do
	{
		last = token;
		token = kn__lexer_next(lexer);
		if (token.n != 1 || *token.p != '.')
			break;
		token = kn__lexer_next(lexer);
	} while (token.kind == KN__TOKEN_WORD || token.kind == KN__TOKEN_QUOTED);
	out->relation = join(first, last);
	return token.n == 1 && *token.p == '(' ? read_list(lexer, out) : token;
}

static kn__token
read_list(kn__lexer *lexer, kn__copy_text *out)
{
	kn__token first = kn__lexer_next(lexer);
	kn__token last = first;
	kn__token token = first;

	for (; token.kind != KN__TOKEN_END; token = kn__lexer_next(lexer))
	{
		if (token.n == 1 && *token.p == ')')
			break;
		out->column_count += token.kind == KN__TOKEN_WORD || token.kind == KN__TOKEN_QUOTED;
		last = token;
	}
	if (out->column_count > 0)
		out->columns = join(first, last);
	return kn__lexer_next(lexer);
}

static kn_str
join(kn__token first, kn__token last)
{
	return (kn_str){ first.p, (size_t) (last.p + last.n - first.p) };
}

kn_str
kn__copy_next_column(kn_str *columns)
{
	kn__lexer lexer;
	kn__token token;

	kn__lexer_init(&lexer, *columns);
	do
		token = kn__lexer_next(&lexer);
	while (token.kind != KN__TOKEN_WORD && token.kind != KN__TOKEN_QUOTED &&
		   token.kind != KN__TOKEN_END);
	columns->n -= (size_t) (lexer.at - columns->p);
	columns->p = lexer.at;
	return (kn_str){ token.p, token.n };
}

/* Without the semicolons behind it, and what comes after them. */
static kn_str
query_of(kn_str sql)
{
	kn__lexer lexer;
	kn__token token;
	kn_str query = { sql.p, 0 };

	kn__lexer_init(&lexer, sql);
	while ((token = kn__lexer_next(&lexer)).kind != KN__TOKEN_END)
	{
		if (token.n != 1 || *token.p != ';')
			query.n = (size_t) (token.p + token.n - sql.p);
	}
	return query;
}

void
kn__copy_scan(kn__buf *buf, kn_str sql)
{
	kn_str query = query_of(sql);

	kn__buf_text(buf, HEAD);
	kn__buf_add(buf, query.p, query.n);
	kn__buf_text(buf, MIDDLE);
	kn__buf_add(buf, query.p, query.n);
	kn__buf_text(buf, TAIL);
}

int
kn__copy_scan_position(kn_str sql, int position)
{
	int head = (int) strlen(HEAD);
	int length = characters_of(query_of(sql));
	int second = head + length + (int) strlen(MIDDLE);

	if (position > second)
		position -= second;
	else
		position -= head;
	return position < 1 ? 0 : position <= length + 1 ? position : 0;
}

static int
characters_of(kn_str text)
{
	int count = 0;

	for (size_t i = 0; i < text.n; i++)
		count += ((unsigned char) text.p[i] & 0xC0) != 0x80;
	return count;
}
