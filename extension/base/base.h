/*
 * base.h
 *		The lowest floor: SQL text, JSON in and out, one query.
 */
#ifndef KN_BASE_H
#define KN_BASE_H

#include "kints_norm.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "lib/stringinfo.h"
#include "nodes/nodes.h"
#include "utils/jsonb.h"

/* sqltext.c */
extern const char *sqltext_identifier(const char *name);
extern const char *sqltext_qualified(const char *schema, const char *name);
extern const char *sqltext_unqualified(const char *name);
extern char *sqltext_concat(const char *first, ...);
extern const char *sqltext_literal(const char *value);
extern const char *sqltext_join(const List *strings, const char *separator);
extern bool sqltext_equal(const char *a, const char *b);
extern bool sqltext_member(const List *strings, const char *text);
extern int sqltext_index(const char *text, const char *const *texts, Size count);
extern bool sqltext_is_any(const char *text, const char *const *texts, Size count);

/* subtransaction.c */
extern ErrorData *subtransaction_run(void (*work)(void *), void *argument, bool keep);

/* query.c */
typedef void (*KnRowTaker)(HeapTuple row, TupleDesc shape, void *argument);

extern uint64 query_run(const char *sql, int count, Oid *types, Datum *values, const char *nulls);
extern void query_rows(const char *sql, int count, Oid *types, Datum *values, KnRowTaker take,
					   void *argument);
extern Datum query_texts(const List *texts);

/* utility.c */
extern bool utility_be_unseen(bool unseen);
extern void utility_run(const char *sql);
extern void utility_run_unseen(Node *statement, const char *text);

/* json.c: reading, with the path in every error */
extern JsonbValue *json_field(JsonbContainer *object, const char *name, JsonbValue *storage);
extern const char *json_string(const JsonbValue *value, const char *path);
extern bool json_bool(const JsonbValue *value, const char *path);
extern int64 json_int(const JsonbValue *value, const char *path);
extern List *json_strings(const JsonbValue *value, const char *path);

/* json.c: writing, keys in the order jsonb keeps them */
extern void json_begin_object(JsonbParseState **state);
extern void json_begin_array(JsonbParseState **state);
extern JsonbValue *json_end(JsonbParseState **state, JsonbIteratorToken token);
extern void json_put_string(JsonbParseState **state, const char *key, const char *value);
extern void json_put_bool(JsonbParseState **state, const char *key, bool value);
extern void json_put_int(JsonbParseState **state, const char *key, int64 value);
extern void json_put_strings(JsonbParseState **state, const char *key, const List *values);
extern void json_put_key(JsonbParseState **state, const char *key);

#endif
