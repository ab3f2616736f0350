/*
 * data.h
 *		Values, how they look on the wire, and what a statement is.
 *
 * The room is pure: no socket, no libpq, no clock.
 */
#ifndef KN_SRC_DATA_H
#define KN_SRC_DATA_H

#include "base/base.h"
#include "kints/value.h"

/*
 * type.c: what the library knows of the server's types, found by number without a search;
 * types that are not in it come as text.
 */
typedef struct kn__type
{
	uint32_t oid;
	uint32_t array_oid; /* of the array of it, 0: none */
	const char *name;
	kn_type kind;
} kn__type;

/* NULL: not known.  Of an array type: *is_array is set, and the element's row is returned. */
extern KN__HOT const kn__type *kn__type_find(uint32_t oid, bool *is_array);
/* The type that a value of a kind goes out as, 0 for text. */
extern const kn__type *kn__type_of_kind(kn_type kind);
extern uint32_t kn__type_oid(kn_type kind);
extern uint32_t kn__type_array_oid(kn_type kind);

/*
 * known.c: what servers have told of types that are not in it, by how their functions send them;
 * safe for all threads
 */
#define KN__FIRST_OWN_TYPE 16384 /* those below come with the server: nobody has to be asked */

typedef struct kn__known kn__known;

typedef enum kn__form
{
	KN__FORM_UNKNOWN, /* the server has to be asked */
	KN__FORM_TEXT,    /* its binary form is its text: an enum, a citext */
	KN__FORM_TEXTS,   /* an array of such */
	KN__FORM_OTHER    /* has no codec */
} kn__form;

/* NULL: out of memory. */
extern kn__known *kn__known_new(const kn_allocator *allocator);
/* NULL does nothing. */
extern void kn__known_free(kn__known *known);
/* Of a type without a codec; all are other than known where known is NULL. */
extern kn__form kn__known_find(const kn__known *known, uint32_t oid);
/* If there is no room, the type is another one from now on. */
extern void kn__known_note(kn__known *known, uint32_t oid, kn__form form);
/*
 * Whoever asks, by a number of his, has been refused an answer: until that second there is no point
 * in asking again.  Who is forgotten for another one asks once more.
 */
extern void kn__known_refuse(kn__known *known, uint32_t asker, uint32_t until);
extern bool kn__known_is_refused(const kn__known *known, uint32_t asker, uint32_t now);
/*
 * An expression of SQL: the form of the type that t is a row of, a row of pg_type, as a number.
 * The functions are those that come with the server, whatever SQL calls them.
 */
#define KN__SQL_OF_FORM                                                                   \
	"(SELECT CASE WHEN s.prosrc OPERATOR(pg_catalog.=) ANY (x.senders) THEN 1"            \
	"             WHEN s.prosrc OPERATOR(pg_catalog.=) 'array_send'"                      \
	"              AND o.prosrc OPERATOR(pg_catalog.=) ANY (x.senders) THEN 2 ELSE 3 END" \
	"   FROM (VALUES ('{enum_send,textsend,varcharsend,bpcharsend,namesend,json_send}'"   \
	"                 ::pg_catalog.text[])) AS x (senders)"                               \
	"   JOIN pg_catalog.pg_proc AS s ON s.oid OPERATOR(pg_catalog.=) t.typsend"           \
	"    AND s.prolang OPERATOR(pg_catalog.=) 12::pg_catalog.oid"                         \
	"   LEFT JOIN pg_catalog.pg_type AS e ON e.oid OPERATOR(pg_catalog.=) t.typelem"      \
	"   LEFT JOIN pg_catalog.pg_proc AS o ON o.oid OPERATOR(pg_catalog.=) e.typsend"      \
	"    AND o.prolang OPERATOR(pg_catalog.=) 12::pg_catalog.oid)"

/* Where the server's time begins, 2000-01-01: after ours, which begins 1970-01-01. */
#define KN__USEC_PER_DAY (INT64_C(86400) * 1000000)
#define KN__EPOCH_DAYS   INT64_C(10957)
#define KN__EPOCH_USEC   (KN__EPOCH_DAYS * KN__USEC_PER_DAY)

/* encode.c: a value as a parameter */
typedef struct kn__parameter
{
	uint32_t oid;
	int format;       /* 1: binary */
	int32_t length;   /* -1: NULL */
	size_t offset;    /* where its bytes are in the buffer */
	const void *data; /* or where they are otherwise, NULL: in the buffer */
} kn__parameter;

/*
 * Encodes one value; what needs bytes of its own goes to the end of buf, text and bytes
 * are borrowed.  KN_DATA: the value makes no sense; why says it, in a static text.
 */
extern KN__HOT kn_status kn__encode(kn__buf *buf, const kn_value *value, kn__parameter *out,
									const char **why);

/* As COPY's binary format has it: the length, then the bytes, appended to buf. */
extern kn_status kn__encode_field(kn__buf *buf, const kn_value *value, uint32_t oid,
								  const char **why);

/*
 * row.c: a whole row of that format.  One that does not fit is taken back; *column is the first
 * that does not, -1 where it is none of them.  elements: of each column that is an array, which
 * type its elements are said to be, 0: the one that they are encoded as; NULL: all are.
 */
extern kn_status kn__row_encode(kn__buf *buf, const kn_value *values, int count,
								const uint32_t *oids, const uint32_t *elements, int *column,
								const char **why);

/* A value as it came, in a row's bytes. */
typedef struct kn__field
{
	const char *p;
	int32_t n; /* -1: NULL */
} kn__field;

/* False: it is no row of so many fields. */
extern bool kn__row_decode(const char *bytes, size_t length, int count, kn__field *fields);

/* What a value's bytes are: text or binary, and what is known of a type that is not in the list. */
enum
{
	KN__FORMAT_TEXT = 0,
	KN__FORMAT_BINARY = 1,
	KN__FORMAT_TEXTS = 2,  /* with either of them: it is an array of texts */
	KN__FORMAT_AS_TEXT = 4 /* with binary: that is its text */
};

/* known.c: the format of a value that came as text or binary, with what is known of its type. */
extern int kn__known_format(const kn__known *known, uint32_t oid, int format);

/*
 * decode.c: what the server sent as a value.  Text and bytes are borrowed where they can
 * be; else, and for arrays, memory comes from the arena.  length -1 is NULL.  KN_DATA: not
 * what the type looks like; why says it.
 *
 * Of a type that is not in the list a binary form has to be known: what it looks like does not
 * tell.
 */
extern kn_status kn__decode(kn__arena *arena, uint32_t oid, int format, const char *bytes,
							int32_t length, kn_value *out, const char **why);

/* Whether it is one of the list. */
extern bool kn__has_codec(uint32_t oid);

#define KN__MOST_DIMENSIONS 6 /* of an array */

/* numeric.c, timestamp.c, inet.c, array.c: the forms that take some doing, both ways */
extern kn_status kn__numeric_encode(kn__buf *buf, kn_str digits, const char **why);
extern kn_status kn__numeric_decode(kn__arena *arena, const char *bytes, size_t length, kn_str *out,
									const char **why);
extern kn_status kn__inet_encode(kn__buf *buf, kn_str text, bool is_cidr, const char **why);
extern kn_status kn__inet_decode(kn__arena *arena, const char *bytes, size_t length, kn_str *out,
								 const char **why);
/* Text as the server prints it with DateStyle ISO and IntervalStyle postgres. */
extern kn_status kn__time_parse(kn_type kind, kn_str text, kn_value *out, const char **why);
/* As the server prints it in UTC; for intervals as it reads them.  Returns the length. */
#define KN__TIME_ROOM 96
extern size_t kn__time_print(const kn_value *value, char *out);
/* Whether it is one, by its dimensions, and of how many elements. */
extern bool kn__array_has_shape(const kn_array *array, int64_t *count);
extern kn_status kn__array_encode(kn__buf *buf, const kn_array *array, uint32_t element_oid,
								  const char **why);
/* An array of texts as the server reads it, with a NUL behind it. */
extern kn_status kn__array_print(kn__buf *buf, const kn_array *array, const char **why);
/* element is NULL: they are texts, of whatever type. */
extern kn_status kn__array_decode(kn__arena *arena, const kn__type *element, const char *bytes,
								  size_t length, kn_value *out, const char **why);
extern kn_status kn__array_parse(kn__arena *arena, const kn__type *element, kn_str text,
								 kn_value *out, const char **why);

/*
 * convert.c: a value as what a program asks for.  KN_DATA where it would lose anything, or
 * is NULL; never a silent cast.
 */
extern kn_status kn__to_bool(const kn_value *value, bool *out, const char **why);
extern kn_status kn__to_int(const kn_value *value, int64_t least, int64_t most, int64_t *out,
							const char **why);
/* Whether it loses no digit as a double. */
extern bool kn__is_double(int64_t number);
extern kn_status kn__to_double(const kn_value *value, bool single, double *out, const char **why);
extern kn_status kn__to_text(kn__arena *arena, const kn_value *value, kn_str *out,
							 const char **why);
/* What stands for the point in the program's locale, into 8 bytes, with its NUL; its length. */
extern size_t kn__decimal_point(char *out);

/*
 * lexer.c: SQL to tokens, as the server cuts it with standard_conforming_strings on or off.
 * Tokens lie within the text, in order; what is between them is white space and comments.
 */
typedef enum kn__token_kind
{
	KN__TOKEN_END,
	KN__TOKEN_WORD,   /* keyword or plain identifier */
	KN__TOKEN_QUOTED, /* "identifier" or U&"..." */
	KN__TOKEN_STRING, /* '...', E'...', B'...', X'...', N'...', U&'...', $tag$...$tag$ */
	KN__TOKEN_NUMBER,
	KN__TOKEN_PARAMETER, /* $1 */
	KN__TOKEN_OPERATOR,
	KN__TOKEN_PUNCTUATION, /* one of ( ) [ ] , ; : . and :: := .. => */
	KN__TOKEN_ERROR        /* what the server's scanner refuses; more tokens may follow */
} kn__token_kind;

typedef struct kn__token
{
	kn__token_kind kind;
	uint32_t number; /* of a parameter */
	const char *p;
	size_t n;
} kn__token;

typedef struct kn__lexer
{
	const char *at;
	const char *stop;      /* where the server would stop: the first NUL of the text, or its end */
	const char *end;       /* of the text */
	bool backslash_quotes; /* standard_conforming_strings is off; for the caller to set */
} kn__lexer;

extern void kn__lexer_init(kn__lexer *lexer, kn_str sql);
/* The next token; after the last one KN__TOKEN_END, as often as it is asked for. */
extern kn__token kn__lexer_next(kn__lexer *lexer);
/* Whether a token is a word, case apart; word is in lower case. */
extern bool kn__token_is(const kn__token *token, const char *word);

/*
 * function.c: what functions that come with the server, or with well-known extensions, do
 * besides giving a value.
 */
typedef enum kn__effect
{
	KN__EFFECT_WRITES = 1 << 0,  /* writes, or works on the primary only */
	KN__EFFECT_SESSION = 1 << 1, /* leaves something in the session when the transaction is over */
	KN__EFFECT_UNKNOWN = 1 << 2, /* somebody's own, that may do anything */
	KN__EFFECT_KEEPS = 1 << 3,   /* is there to leave it: not only if the SQL that it runs does */
	KN__EFFECT_VOUCHED = 1 << 5, /* none, says the user, in whatever schema it is */
	KN__EFFECT_LASTS = 1 << 4 /* is not undone with the transaction, and had better be done once */
} kn__effect;

/* What the user says of his own: names, as the catalog has them, with commas or blanks between;
 * a * at the end stands for any end. */
typedef struct kn__functions
{
	const char *writing; /* NULL: none */
	const char *harmless;
} kn__functions;

/* Flags of kn__effect for a function's name, a word or quoted; functions may be NULL. */
extern unsigned kn__function_effects(const kn__functions *functions, const kn__token *name);
/* Whether a text can be a list of theirs: names without schemas and quotes, "st_*". */
extern bool kn__functions_can_be(const char *list);

/* harmless.c: whether it is one that comes with the server and does nothing, or a keyword */
extern bool kn__function_is_harmless(const char *name, size_t length, bool is_quoted);

/*
 * statement.c: what a statement does, as far as its text tells.  In doubt it is no read, and
 * goes to the primary.  Of several statements, what one of them does is said of all, and the
 * verb is that of the first.
 */
typedef struct kn__statement
{
	bool is_read;        /* writes nothing, if the functions in it that we do not know do not */
	bool returns_rows;   /* CALL and EXECUTE: it may */
	bool is_transaction; /* BEGIN, COMMIT, SAVEPOINT ...: not for the user to say */
	bool sets_session;   /* SET, LISTEN, a temporary table, ...: outlives the transaction */
	bool keeps_session;  /* and that is what it is there for: not so of DO */
	bool is_copy;
	bool is_multiple; /* more than one statement */
	bool locks_rows;  /* FOR UPDATE and the like */
	bool is_broken;   /* has a token that the server's scanner refuses */
	bool commits;     /* may commit by itself, in the middle of it even: CALL, VACUUM, ... */
	bool is_unknown;  /* begins with a word that is none of these: what it does, nobody knows */
	bool calls;       /* calls a function that nobody knows, or one of those whose effects last */
	bool lasts;       /* calls one of the latter */
	bool creates;     /* CREATE, or SELECT INTO */
	int parameters;   /* the highest $n, but not what PREPARE or a function keeps for itself */
	const char *verb; /* "SELECT", "INSERT" ...: static, for events; "" if none */
} kn__statement;

/* standard_conforming_strings is taken to be on. */
extern kn__statement kn__statement_of(kn_str sql);
/* The same with what the user says of his functions. */
extern kn__statement kn__statement_with(kn_str sql, const kn__functions *functions);

/* copy.c: what a COPY is about, as its text has it */
typedef struct kn__copy_text
{
	bool is_in;     /* FROM STDIN */
	bool is_out;    /* TO STDOUT */
	bool is_binary; /* as far as one can tell without knowing all options */
	kn_str relation;
	kn_str columns; /* of the list in parentheses, for kn__copy_next_column() */
	int column_count;
} kn__copy_text;

extern kn__copy_text kn__copy_text_of(kn_str sql);
/* The next name of a list, which goes on behind it; empty: there is none. */
extern kn_str kn__copy_next_column(kn_str *columns);
/*
 * Two statements in one text: the first has the columns of a query and no row of it, the second
 * is COPY of its rows, in binary.
 */
extern void kn__copy_scan(kn__buf *buf, kn_str sql);
/* Where a place of that text is in the query, in characters from 1, 0: not in it. */
extern int kn__copy_scan_position(kn_str sql, int position);

#endif
