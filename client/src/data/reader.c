/*
 * reader.c
 *		Reads the tokens of a statement, and notes what they do.
 *
 * This is no parser: it knows of the grammar only what it takes to tell a
 * statement from a name, and where statements begin.  In a query, data can be
 * changed by INTO, by a function, or by a statement in a WITH list; so those
 * lists, and what stands in parentheses, are read as what they are, and the rest
 * is a row of tokens.  A word behind AS or a point is a name, whatever it says.
 *
 * Parentheses, and statements in one another, are read by recursion, down to MAX_DEPTH
 * and MAX_COMMANDS; what is deeper is taken as a row of tokens too.
 */
#include "data/reader.h"

#include <string.h>

#define MAX_DEPTH 100
/* EXPLAIN DECLARE ... is as many statements in one another as there can be, and one to spare. */
#define MAX_COMMANDS 3
/* set_config() has so many tokens at most if its last argument is to be found. */
#define MAX_CALL 200

bool
kn__token_is_sign(const kn__token *token, char sign)
{
	return token->n == 1 && token->p[0] == sign &&
		   (token->kind == KN__TOKEN_PUNCTUATION || token->kind == KN__TOKEN_OPERATOR);
}

bool
kn__token_is_one_of(const kn__token *token, const char *const *words)
{
	for (; *words != NULL; words++)
	{
		if (kn__token_is(token, *words))
			return true;
	}
	return false;
}

bool
kn__at_word(const kn__reader *r, const char *word)
{
	return kn__token_is(&r->token, word);
}

bool
kn__next_is(const kn__reader *r, const char *word)
{
	return kn__token_is(&r->next, word);
}

bool
kn__at_label(const kn__reader *r)
{
	return kn__token_is_sign(&r->before, '.') || kn__token_is(&r->before, "as");
}

void
kn__advance(kn__reader *r)
{
	r->earlier = r->before;
	r->before = r->token;
	r->token = r->next;
	r->next = kn__lexer_next(&r->lexer);
	if (r->token.kind == KN__TOKEN_ERROR)
		r->out->is_broken = true;
	if (r->token.kind == KN__TOKEN_PARAMETER && r->takes_parameters &&
		(int) r->token.number > r->out->parameters)
		r->out->parameters = (int) r->token.number;
}

bool
kn__at_end(const kn__reader *r)
{
	if (r->token.kind == KN__TOKEN_END)
		return true;
	return r->depth == 0 ? kn__token_is_sign(&r->token, ';') : kn__token_is_sign(&r->token, ')');
}

bool
kn__token_is_name(const kn__token *token, const char *name)
{
	if (token->kind != KN__TOKEN_QUOTED)
		return kn__token_is(token, name);
	return token->p[0] != '"' ||
		   (token->n == strlen(name) + 2 && memcmp(token->p + 1, name, token->n - 2) == 0);
}

static bool
is_true(const kn__token *token)
{
	if (token->kind != KN__TOKEN_STRING)
		return kn__token_is(token, "true");
	return (token->n == 3 && token->p[1] == 't') ||
		   (token->n == 6 && memcmp(token->p, "'true'", 6) == 0);
}

/* How it is spelled with escapes is not looked into. */
static bool
is_plainly(const kn__token *token, const char *name)
{
	return token->n > 0 && (token->kind != KN__TOKEN_QUOTED || token->p[0] == '"') &&
		   kn__token_is_name(token, name);
}

/*
 * Whether set_config(), of which the lexer has given the parenthesis, sets something for
 * the transaction only: its last argument is TRUE, and is that one if it is named.
 */
static bool
is_local_setting(kn__lexer lexer)
{
	kn__token name = { 0 };
	kn__token before = { 0 };
	kn__token token = { 0 };
	int depth = 1;

	for (int i = 0; i < MAX_CALL; i++)
	{
		kn__token next = kn__lexer_next(&lexer);

		if (kn__token_is_sign(&next, '('))
			depth++;
		else if (kn__token_is_sign(&next, ')') && --depth == 0)
			return is_true(&token) && (kn__token_is_sign(&before, ',') ||
									   (before.kind == KN__TOKEN_PUNCTUATION && before.n == 2 &&
										is_plainly(&name, "is_local")));
		name = before;
		before = token;
		token = next;
	}
	return false;
}

/*
 * Whether a name with a parenthesis behind it is called: it may also be that of a type, of columns
 * that are listed, or of a table that is written to.
 */
static bool
is_call(const kn__reader *r)
{
	return kn__token_is_sign(&r->next, '(') && !r->is_target && !kn__token_is(&r->before, "as") &&
		   !kn__token_is_sign(&r->before, ')') &&
		   !(r->before.kind == KN__TOKEN_PUNCTUATION && r->before.n == 2 && r->before.p[0] == ':' &&
			 r->before.p[1] == ':');
}

/* What a name stands for in another schema than the server's own is not known by the name. */
static bool
is_elsewhere(const kn__reader *r)
{
	return kn__token_is_sign(&r->before, '.') && !kn__token_is_name(&r->earlier, "pg_catalog");
}

/* The table of INSERT INTO, MERGE INTO or COPY, with its schema: as long as names and points go on.
 */
static void
note_target(kn__reader *r)
{
	if (kn__at_word(r, "into"))
		r->is_target = kn__token_is(&r->before, "insert") || kn__token_is(&r->before, "merge");
	else if (!kn__token_is_sign(&r->next, '.'))
		r->is_target = false;
}

/* (x).f, (x)[1].f and $1.f are fields of a row, or calls of f. */
static bool
may_be_call(const kn__reader *r)
{
	return kn__token_is_sign(&r->before, '.') &&
		   (kn__token_is_sign(&r->earlier, ')') || kn__token_is_sign(&r->earlier, ']') ||
			r->earlier.kind == KN__TOKEN_PARAMETER);
}

/* The table of UPDATE or MERGE, with the schema's name before it or not. */
static bool
is_written(const kn__reader *r)
{
	return kn__token_is(&r->before, "update") || kn__token_is(&r->before, "only") ||
		   kn__token_is(&r->before, "into") ||
		   (kn__token_is_sign(&r->before, '.') && kn__token_is_name(&r->earlier, "pg_catalog"));
}

/* A name may be that of a function, called as f(x) or as x.f, and have a schema before it. */
static void
note_name(kn__reader *r)
{
	const unsigned lasting = KN__EFFECT_UNKNOWN | KN__EFFECT_LASTS;
	unsigned effects;

	if (kn__token_is_name(&r->token, "pg_temp") && kn__token_is_sign(&r->next, '.'))
	{
		r->out->is_read = false;
		r->out->sets_session = r->is_temporary = true;
	}
	/* To update this view is to SET; a write that only reads it is taken for one, too. */
	if (r->runs && !r->out->is_read && kn__token_is_name(&r->token, "pg_settings"))
	{
		r->out->sets_session = true;
		r->out->keeps_session |= is_written(r);
	}
	if (!r->runs || !(kn__token_is_sign(&r->next, '(') || kn__token_is_sign(&r->before, '.')))
		return;
	effects = kn__function_effects(r->functions, &r->token);
	if (kn__at_word(r, "set_config") && is_local_setting(r->lexer))
		effects = KN__EFFECT_WRITES;
	if (may_be_call(r) && (effects & lasting) != 0)
		r->out->calls = true;
	if (is_call(r) && ((effects & lasting) != 0 || (effects == 0 && is_elsewhere(r))))
		r->out->calls = true;
	if ((effects & KN__EFFECT_LASTS) != 0)
		r->out->lasts = r->out->calls;
	if ((effects & KN__EFFECT_WRITES) != 0)
		r->out->is_read = false;
	if ((effects & KN__EFFECT_SESSION) != 0)
		r->out->sets_session = true;
	/* That of another schema is somebody's own. */
	if ((effects & KN__EFFECT_KEEPS) != 0 && kn__token_is_sign(&r->next, '(') && !is_elsewhere(r))
		r->out->keeps_session = true;
}

static void
note_into(kn__reader *r)
{
	static const char *const temporary[] = { "temp", "temporary", "local", "global", NULL };

	if (kn__token_is(&r->before, "insert") || kn__token_is(&r->before, "merge"))
		return;
	r->is_into = r->out->creates = true;
	r->out->is_read = false;
	if (kn__token_is_one_of(&r->next, temporary) || kn__token_is_name(&r->next, "pg_temp"))
		r->out->sets_session = r->out->keeps_session = true;
}

/* FOR UPDATE, FOR SHARE, FOR NO KEY UPDATE, FOR KEY SHARE: seen when we are at FOR or at KEY. */
static bool
is_lock(const kn__reader *r)
{
	if (kn__at_word(r, "for"))
		return kn__next_is(r, "update") || kn__next_is(r, "share");
	return kn__at_word(r, "key") && ((kn__token_is(&r->before, "no") && kn__next_is(r, "update")) ||
									 (kn__token_is(&r->before, "for") && kn__next_is(r, "share")));
}

static void
note_word(kn__reader *r)
{
	note_name(r);
	if (kn__at_label(r))
		return;
	if (r->depth == 0 && kn__at_word(r, "returning"))
		r->has_returning = true;
	if (r->runs && kn__at_word(r, "into"))
		note_into(r);
	if (r->runs && is_lock(r))
	{
		r->out->is_read = false;
		r->out->locks_rows = true;
	}
}

static void
note_token(kn__reader *r)
{
	if (r->token.kind == KN__TOKEN_WORD)
		note_word(r);
	else if (r->token.kind == KN__TOKEN_QUOTED)
		note_name(r);
	else
		return;
	note_target(r);
}

void
kn__read_token(kn__reader *r)
{
	if (kn__token_is_sign(&r->token, '('))
	{
		bool goes_on = kn__token_is(&r->before, "operator") || kn__token_is(&r->before, "on");

		(void) kn__read_group(r, KN__GROUP_EXPRESSION);
		/* A name behind others is an alias, with its columns; here it would be an operand. */
		if (goes_on && !kn__token_is_sign(&r->token, '.'))
			r->before = (kn__token){ 0 };
		return;
	}
	note_token(r);
	kn__advance(r);
}

void
kn__read_rest(kn__reader *r)
{
	while (!kn__at_end(r))
		kn__read_token(r);
}

/* Up to the parenthesis that closes, without a look at what else is in parentheses. */
static void
read_flat(kn__reader *r)
{
	size_t open = 1;

	r->out->is_read = false;
	r->out->calls = true;
	for (; r->token.kind != KN__TOKEN_END; kn__advance(r))
	{
		if (kn__token_is_sign(&r->token, '('))
			open++;
		else if (kn__token_is_sign(&r->token, ')') && --open == 0)
			return;
		else
			note_token(r);
	}
}

const kn__verb *
kn__read_group(kn__reader *r, kn__group_kind kind)
{
	static const char *const queries[] = { "select", "values", "table", "with", NULL };
	const kn__verb *found = &kn__no_verb;

	kn__advance(r);
	r->depth++;
	if (r->depth > MAX_DEPTH)
		read_flat(r);
	else if (kind == KN__GROUP_STATEMENT || kn__token_is_sign(&r->token, '(') ||
			 kn__token_is_one_of(&r->token, queries))
		found = kn__read_statement(r);
	else
		kn__read_rest(r);
	r->depth--;
	if (kn__token_is_sign(&r->token, ')'))
		kn__advance(r);
	return found;
}

static bool
accept_word(kn__reader *r, const char *word)
{
	if (!kn__at_word(r, word))
		return false;
	kn__advance(r);
	return true;
}

/* SEARCH DEPTH FIRST BY a, b SET c; CYCLE a, b SET c [TO x DEFAULT y] USING d. */
static void
read_search_or_cycle(kn__reader *r)
{
	bool is_search = kn__at_word(r, "search");

	for (int i = is_search ? 4 : 1; i > 0; i--)
		kn__advance(r);
	for (kn__advance(r); kn__token_is_sign(&r->token, ','); kn__advance(r))
		kn__advance(r);
	(void) accept_word(r, "set");
	kn__advance(r);
	if (is_search)
		return;
	while (!kn__at_end(r) && !kn__at_word(r, "using"))
		kn__read_token(r);
	(void) accept_word(r, "using");
	kn__advance(r);
}

/* WITH [RECURSIVE] name [(column, ...)] AS [[NOT] MATERIALIZED] (statement), ... */
static void
read_with(kn__reader *r)
{
	kn__advance(r);
	if (kn__at_word(r, "recursive") && !kn__next_is(r, "as") && !kn__token_is_sign(&r->next, '('))
		kn__advance(r); /* else it is a name */
	for (;; kn__advance(r))
	{
		kn__advance(r);
		if (kn__token_is_sign(&r->token, '('))
			(void) kn__read_group(r, KN__GROUP_EXPRESSION);
		(void) accept_word(r, "as");
		(void) accept_word(r, "not");
		(void) accept_word(r, "materialized");
		if (kn__token_is_sign(&r->token, '('))
			(void) kn__read_group(r, KN__GROUP_STATEMENT);
		while (kn__at_word(r, "search") || kn__at_word(r, "cycle"))
			read_search_or_cycle(r);
		if (!kn__token_is_sign(&r->token, ','))
			return;
	}
}

const kn__verb *
kn__read_statement(kn__reader *r)
{
	const kn__verb *found;

	if (r->depth == 0 && (kn__token_is_sign(&r->token, '(') || kn__at_word(r, "with")))
		r->takes_parameters = true;
	if (kn__at_word(r, "with"))
		read_with(r);
	if (kn__token_is_sign(&r->token, '('))
	{
		found = kn__read_group(r, KN__GROUP_EXPRESSION);
		kn__read_rest(r);
		return found;
	}
	found = kn__verb_find(&r->token);
	if (r->runs && (found->flags & KN__VERB_READS) == 0)
		r->out->is_read = false;
	if (r->depth == 0 && (found->flags & KN__VERB_PARAMETERS) != 0)
		r->takes_parameters = true;
	if (found->read != NULL && r->commands++ < MAX_COMMANDS)
		found->read(r);
	kn__read_rest(r);
	return found;
}
