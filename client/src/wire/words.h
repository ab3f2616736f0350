/*
 * words.h
 *		Whose words an error is in, and whether they may quote a value.
 */
#ifndef KN_SRC_WIRE_WORDS_H
#define KN_SRC_WIRE_WORDS_H

#include <libpq-fe.h>
#include <stdbool.h>

/* What the server says of an error; texts are NULL where it does not say it. */
typedef struct kn__words
{
	const char *sqlstate;
	const char *message;
	const char *routine; /* of the server's source, that has said it */
	const char *context;
	int position;    /* in the statement, in characters from 1; 0: none */
	bool has_object; /* it names a constraint, a column or a type in a field of its own */
} kn__words;

/* Borrows from the result. */
extern kn__words kn__words_of(const PGresult *result);
/* Whether a function has chosen them: one in a language of the server's, or another server. */
extern bool kn__words_are_raised(const char *routine);
/* Whether another server has, which this one was asked to ask. */
extern bool kn__words_are_relayed(const char *routine);
/* Whether types do not go together, as the server finds when it reads a statement's text again. */
extern bool kn__words_are_of_types(const char *sqlstate, const char *routine, bool is_of_text);
/* Whether the server has said so of a parameter's value, before anything was executed. */
extern bool kn__words_are_of_a_value(const char *context);
/* Whether it has said so of the statement itself, and no function of another. */
extern bool kn__words_are_of_no_function(const char *context);
/*
 * Whether the message may quote a value, be it a parameter, a literal of the statement or what a
 * function has read; sql: the statement that was sent, NULL: not known.
 */
extern bool kn__words_may_quote(const kn__words *words, const char *sql);
/* The same of a notice, of which nobody knows what it was said to. */
extern bool kn__words_notice_may_quote(const kn__words *words);

#endif
