/*
 * reader.h
 *		What reader.c and statement.c share.
 *
 * A reader stands at a token, and knows the one before and the one after.  What it
 * comes by it notes in the kn__statement.
 */
#ifndef KN_SRC_DATA_READER_H
#define KN_SRC_DATA_READER_H

#include "data/data.h"

typedef struct kn__reader
{
	kn__lexer lexer;
	kn__token earlier; /* the one before the one before */
	kn__token before;
	kn__token token;
	kn__token next;
	kn__statement *out;
	const kn__functions *functions; /* may be NULL */
	int depth;                      /* of parentheses */
	int commands;                   /* verbs with a function of their own */
	bool runs;                      /* what is read is run, not only planned or stored */
	bool takes_parameters;          /* those that are read belong to the statement */
	bool is_target; /* what comes is the table that is written to, and then its columns */
	bool is_into;   /* SELECT INTO: returns no rows */
	bool has_returning;
	bool is_temporary; /* has the schema of temporary objects in it */
} kn__reader;

typedef enum kn__verb_flag
{
	KN__VERB_READS = 1 << 0,       /* writes nothing, if what is in it does not */
	KN__VERB_ROWS = 1 << 1,        /* returns them */
	KN__VERB_RETURNING = 1 << 2,   /* returns them if it says so */
	KN__VERB_PARAMETERS = 1 << 3,  /* takes them */
	KN__VERB_TRANSACTION = 1 << 4, /* begins or ends one, or a part of one */
	KN__VERB_SESSION = 1 << 5,     /* outlives the transaction */
	KN__VERB_COMMITS = 1 << 6,     /* may commit in the middle of it */
	KN__VERB_QUERY = KN__VERB_READS | KN__VERB_ROWS | KN__VERB_PARAMETERS
} kn__verb_flag;

/* The word that a statement begins with, behind a WITH list. */
typedef struct kn__verb
{
	const char *word;
	const char *name;
	unsigned flags;
	void (*read)(kn__reader *r); /* from the verb on; NULL: nothing is special */
} kn__verb;

/* statement.c */
extern const kn__verb kn__no_verb;
/* Never NULL: kn__no_verb if it is none. */
extern const kn__verb *kn__verb_find(const kn__token *token);

/* reader.c: of tokens */
extern bool kn__token_is_sign(const kn__token *token, char sign);
/* words ends with a NULL. */
extern bool kn__token_is_one_of(const kn__token *token, const char *const *words);
/* Whether a word or a quoted identifier is this name, or may be: U&"..." is not looked into. */
extern bool kn__token_is_name(const kn__token *token, const char *name);

/* reader.c: where the reader is */
extern bool kn__at_word(const kn__reader *r, const char *word);
extern bool kn__next_is(const kn__reader *r, const char *word);
/* Whether a word that would be of interest is but a name here. */
extern bool kn__at_label(const kn__reader *r);
/* Whether the statement, or what stands in the parentheses, ends here. */
extern bool kn__at_end(const kn__reader *r);

typedef enum kn__group_kind
{
	KN__GROUP_EXPRESSION, /* or a query */
	KN__GROUP_STATEMENT   /* of any kind */
} kn__group_kind;

/* reader.c: moving on */
extern void kn__advance(kn__reader *r);
/* One token, or all that stands in parentheses. */
extern void kn__read_token(kn__reader *r);
/* Up to the end of the statement or of the parentheses. */
extern void kn__read_rest(kn__reader *r);
/* From the opening parenthesis to behind the closing one; returns the verb that is in them. */
extern const kn__verb *kn__read_group(kn__reader *r, kn__group_kind kind);
/* A whole statement, up to what ends it; returns the verb of what is done in the end. */
extern const kn__verb *kn__read_statement(kn__reader *r);

#endif
