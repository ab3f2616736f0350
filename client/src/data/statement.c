/*
 * statement.c
 *		What a statement does, as far as its text tells.
 *
 * Whatever is in doubt is no read.  A text that the server would not parse may get
 * any answer, as nothing of it is run.
 */
#include "data/reader.h"

#define READS       KN__VERB_READS
#define ROWS        KN__VERB_ROWS
#define RETURNING   KN__VERB_RETURNING
#define PARAMETERS  KN__VERB_PARAMETERS
#define TRANSACTION KN__VERB_TRANSACTION
#define SESSION     KN__VERB_SESSION
#define QUERY       KN__VERB_QUERY
#define COMMITS     KN__VERB_COMMITS

static void read_copy(kn__reader *r);
static void read_create(kn__reader *r);
static void read_declare(kn__reader *r);
static void read_explain(kn__reader *r);
static void read_object(kn__reader *r);
static void read_prepare(kn__reader *r);
static void read_set(kn__reader *r);

static const kn__verb x_verbs[] = {
	{ "select", "SELECT", QUERY, NULL },
	{ "insert", "INSERT", RETURNING | PARAMETERS, NULL },
	{ "update", "UPDATE", RETURNING | PARAMETERS, NULL },
	{ "delete", "DELETE", RETURNING | PARAMETERS, NULL },
	{ "merge", "MERGE", RETURNING | PARAMETERS, NULL },
	{ "values", "VALUES", QUERY, NULL },
	{ "table", "TABLE", QUERY, NULL },
	{ "begin", "BEGIN", TRANSACTION, NULL },
	{ "start", "START", TRANSACTION, NULL },
	{ "commit", "COMMIT", TRANSACTION, NULL },
	{ "end", "END", TRANSACTION, NULL },
	{ "rollback", "ROLLBACK", TRANSACTION, NULL },
	{ "abort", "ABORT", TRANSACTION, NULL },
	{ "savepoint", "SAVEPOINT", TRANSACTION, NULL },
	{ "release", "RELEASE", TRANSACTION, NULL },
	{ "prepare", "PREPARE", 0, read_prepare },
	{ "execute", "EXECUTE", ROWS, NULL },
	{ "deallocate", "DEALLOCATE", SESSION, NULL },
	{ "declare", "DECLARE", 0, read_declare },
	{ "fetch", "FETCH", ROWS, NULL },
	{ "move", "MOVE", 0, NULL },
	{ "close", "CLOSE", 0, NULL },
	{ "set", "SET", 0, read_set },
	{ "reset", "RESET", SESSION, NULL },
	{ "discard", "DISCARD", SESSION, NULL },
	{ "show", "SHOW", READS | ROWS, NULL },
	{ "listen", "LISTEN", SESSION, NULL },
	{ "unlisten", "UNLISTEN", SESSION, NULL },
	{ "notify", "NOTIFY", 0, NULL },
	{ "load", "LOAD", SESSION, NULL },
	{ "do", "DO", SESSION | COMMITS, NULL }, /* its code can do anything */
	{ "call", "CALL", ROWS | PARAMETERS | COMMITS, NULL },
	{ "copy", "COPY", READS, read_copy },
	{ "explain", "EXPLAIN", READS | ROWS, read_explain },
	{ "create", "CREATE", 0, read_create },
	{ "alter", "ALTER", 0, read_object },
	{ "drop", "DROP", 0, read_object },
	{ "truncate", "TRUNCATE", 0, NULL },
	{ "lock", "LOCK", 0, NULL },
	{ "grant", "GRANT", 0, NULL },
	{ "revoke", "REVOKE", 0, NULL },
	{ "comment", "COMMENT", 0, NULL },
	{ "security", "SECURITY", 0, NULL },
	{ "import", "IMPORT", 0, NULL },
	{ "reassign", "REASSIGN", 0, NULL },
	{ "refresh", "REFRESH", 0, NULL },
	{ "reindex", "REINDEX", COMMITS, NULL },
	{ "cluster", "CLUSTER", COMMITS, NULL },
	{ "vacuum", "VACUUM", COMMITS, NULL },
	{ "analyze", "ANALYZE", 0, NULL },
	{ "analyse", "ANALYZE", 0, NULL },
	{ "checkpoint", "CHECKPOINT", 0, NULL },
};

const kn__verb kn__no_verb = { "", "", 0, NULL };

const kn__verb *
kn__verb_find(const kn__token *token)
{
	for (size_t i = 0; i < sizeof(x_verbs) / sizeof(x_verbs[0]); i++)
	{
		if (kn__token_is(token, x_verbs[i].word))
			return &x_verbs[i];
	}
	return &kn__no_verb;
}

/* COPY table TO STDOUT, COPY (query) TO STDOUT read; anything else writes, a file at least. */
static void
read_copy(kn__reader *r)
{
	bool runs = r->runs;

	kn__advance(r);
	r->is_target = true;
	if (kn__token_is_sign(&r->token, '('))
		(void) kn__read_group(r, KN__GROUP_STATEMENT);
	while (!kn__at_end(r) && !kn__at_word(r, "to") && !kn__at_word(r, "from"))
		kn__read_token(r);
	/* From or to a file of the server's, or a program, nothing comes this way. */
	r->out->is_copy = r->next.kind != KN__TOKEN_STRING && !kn__next_is(r, "program");
	if (!kn__at_word(r, "to") || !(kn__next_is(r, "stdout") || kn__next_is(r, "stdin")))
		r->out->is_read = false;
	/* Options in parentheses are no calls; what comes behind WHERE is run for each row. */
	r->runs = false;
	while (!kn__at_end(r) && !kn__at_word(r, "where"))
		kn__read_token(r);
	r->runs = runs;
}

/* A body BEGIN ATOMIC ...; ...; END: the END that counts has a semicolon before it. */
static void
read_atomic(kn__reader *r)
{
	do
		kn__advance(r);
	while (r->token.kind != KN__TOKEN_END &&
		   !(kn__at_word(r, "end") &&
			 (kn__token_is_sign(&r->before, ';') || kn__token_is(&r->before, "atomic"))));
	if (r->token.kind == KN__TOKEN_END)
		r->out->is_multiple = true; /* who knows */
}

/* At CREATE, ALTER or DROP: of what comes next, all that is done is committed as it is done. */
static void
note_object(kn__reader *r)
{
	static const char *const objects[] = { "database",
										   "tablespace",
										   "subscription",
										   "system",
										   NULL };

	if (kn__token_is_one_of(&r->next, objects))
		r->out->commits = true;
}

static void
note_concurrently(kn__reader *r)
{
	if (kn__at_word(r, "concurrently"))
		r->out->commits = true;
}

/* ALTER, DROP */
static void
read_object(kn__reader *r)
{
	note_object(r);
	for (kn__advance(r); !kn__at_end(r); kn__read_token(r))
		note_concurrently(r);
}

/* Of what is created, only the query of CREATE TABLE AS, or of a materialized view, is run now. */
static void
read_create(kn__reader *r)
{
	static const char *const modifiers[] = { "or",           "replace",   "global",   "local",
											 "temp",         "temporary", "unlogged", "recursive",
											 "materialized", NULL };
	bool runs = r->runs;
	bool is_temporary = false;
	bool is_dropped = false;
	bool has_rows;

	r->out->creates |= runs;
	note_object(r);
	for (kn__advance(r); kn__token_is_one_of(&r->token, modifiers); kn__advance(r))
	{
		if (runs && (kn__at_word(r, "temp") || kn__at_word(r, "temporary")))
			r->out->sets_session = is_temporary = true;
	}
	has_rows = kn__at_word(r, "table") || kn__token_is(&r->before, "materialized");
	r->runs = false;
	for (; !kn__at_end(r); kn__read_token(r))
	{
		note_concurrently(r);
		if (kn__token_is(&r->before, "on") && kn__at_word(r, "commit") && kn__next_is(r, "drop"))
		{
			is_temporary = false;
			is_dropped = true;
		}
		if (kn__at_word(r, "begin") && kn__next_is(r, "atomic"))
			read_atomic(r);
		else if (has_rows && kn__at_word(r, "as") && !kn__at_label(r))
		{
			kn__advance(r);
			r->runs = runs;
			(void) kn__read_statement(r);
			break;
		}
	}
	r->out->keeps_session |= is_temporary || (runs && r->is_temporary && !is_dropped);
}

/* DECLARE name [BINARY ...] CURSOR [WITH HOLD] FOR query */
static void
read_declare(kn__reader *r)
{
	for (kn__advance(r); !kn__at_end(r) && !kn__at_word(r, "for"); kn__advance(r))
	{
		if (kn__at_word(r, "with") && kn__next_is(r, "hold"))
			r->out->sets_session = r->out->keeps_session = true;
	}
	if (kn__at_end(r))
		return;
	kn__advance(r);
	(void) kn__read_statement(r);
}

/* EXPLAIN [ANALYZE] [VERBOSE] statement, EXPLAIN (ANALYZE, ...) statement; ANALYZE runs it. */
static void
read_explain(kn__reader *r)
{
	static const char *const queries[] = { "select", "values", "table", "with", NULL };

	r->runs = false;
	kn__advance(r);
	if (kn__token_is_sign(&r->token, '(') && !kn__token_is_sign(&r->next, '(') &&
		!kn__token_is_one_of(&r->next, queries))
	{
		for (; !kn__at_end(r) && !kn__token_is_sign(&r->token, ')'); kn__advance(r))
			r->runs |=
				kn__token_is_name(&r->token, "analyze") || kn__token_is_name(&r->token, "analyse");
		if (kn__token_is_sign(&r->token, ')'))
			kn__advance(r);
	}
	for (; kn__at_word(r, "analyze") || kn__at_word(r, "analyse") || kn__at_word(r, "verbose");
		 kn__advance(r))
		r->runs |= !kn__at_word(r, "verbose");
	if (kn__at_word(r, "execute"))
		r->out->is_read = false; /* what was prepared is known to one session */
	(void) kn__read_statement(r);
}

/* PREPARE TRANSACTION 'name', or PREPARE name AS statement, where the name may be TRANSACTION. */
static void
read_prepare(kn__reader *r)
{
	kn__advance(r);
	if (kn__at_word(r, "transaction") && r->next.kind == KN__TOKEN_STRING)
		r->out->is_transaction = true;
	else
		r->out->sets_session = true;
	r->runs = false;
}

/* SET LOCAL, TRANSACTION and CONSTRAINTS are for the transaction; a setting may have such a name.
 */
static void
read_set(kn__reader *r)
{
	static const char *const local[] = { "local", "transaction", "constraints", NULL };

	kn__advance(r);
	if (!kn__token_is_one_of(&r->token, local) || kn__token_is_sign(&r->next, '.') ||
		kn__token_is_sign(&r->next, '=') || kn__next_is(r, "to"))
		r->out->sets_session = true;
}

/* One of the statements of the text. */
static const kn__verb *
read_one(kn__reader *r)
{
	const kn__verb *found;

	r->depth = 0;
	r->runs = true;
	r->commands = 0;
	r->takes_parameters = false;
	r->is_target = false;
	r->is_into = false;
	r->is_temporary = false;
	r->has_returning = false;
	found = kn__read_statement(r);
	if (found == &kn__no_verb)
		r->out->is_unknown = true;
	if ((found->flags & KN__VERB_READS) == 0)
		r->out->is_read = false;
	if ((found->flags & KN__VERB_SESSION) != 0)
		r->out->sets_session = true;
	if ((found->flags & KN__VERB_COMMITS) != 0)
		r->out->commits = true;
	if ((found->flags & KN__VERB_TRANSACTION) != 0)
		r->out->is_transaction = true;
	if (((found->flags & KN__VERB_ROWS) != 0 &&
		 !((found->flags & KN__VERB_QUERY) == KN__VERB_QUERY && r->is_into)) ||
		((found->flags & KN__VERB_RETURNING) != 0 && r->has_returning))
		r->out->returns_rows = true;
	return found;
}

kn__statement
kn__statement_of(kn_str sql)
{
	return kn__statement_with(sql, NULL);
}

kn__statement
kn__statement_with(kn_str sql, const kn__functions *functions)
{
	kn__statement out = { .is_read = true, .verb = "" };
	kn__reader r = { .out = &out, .functions = functions };
	int count = 0;

	kn__lexer_init(&r.lexer, sql);
	kn__advance(&r);
	kn__advance(&r);
	for (;;)
	{
		while (kn__token_is_sign(&r.token, ';'))
			kn__advance(&r);
		if (r.token.kind == KN__TOKEN_END)
			break;
		if (count++ == 0)
			out.verb = read_one(&r)->name;
		else
			(void) read_one(&r);
	}
	out.is_multiple |= count > 1;
	out.is_read &= count > 0 && !out.is_broken;
	return out;
}
