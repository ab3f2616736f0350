/*
 * statement.h
 *		What a parsed statement is to a desired schema.
 */
#ifndef KN_STATEMENT_H
#define KN_STATEMENT_H

#include "kints_norm.h"

#include "nodes/parsenodes.h"

typedef enum KnStatementUse
{
	KN_RUN_STATEMENT,
	KN_SKIP_STATEMENT,  /* it says nothing about the schema */
	KN_REFUSE_STATEMENT /* it would do something else */
} KnStatementUse;

extern KnStatementUse statement_use(Node *statement);
extern const char *statement_word(Node *statement);
extern void statement_refuse(const char *word, int line) pg_attribute_noreturn();
extern bool statement_states_owner(Node *statement);
extern bool statement_target(Node *statement, const char **schema);
extern bool statement_makes(Node *statement, const char **schema, const char **name);
extern const char *statement_schema_name(CreateSchemaStmt *statement);
extern bool statement_makes_schema(CreateSchemaStmt *statement);
extern const RangeVar *statement_altered(Node *statement);
extern List *statement_references(Node *statement);

/* feature.c */
extern bool feature_is_call(const SelectStmt *select);
extern const RangeVar *feature_table(const SelectStmt *select);
extern void feature_run(const SelectStmt *select);

#endif
