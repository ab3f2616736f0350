/*
 * kinds.h
 *		The kinds of objects a schema is made of, and the fields of each.
 *
 * This is the one list.  A kind added to KN_KINDS must have a field list
 * KN_<KIND>_FIELDS here, and does not link until inspect/ has its reader and
 * ddl/ its three printers.  A field added to a list is declared, compared,
 * hashed and written to snapshots without another line; only reading and
 * printing it are left to do.
 *
 * F(type, name, difference): the type is TEXT, BOOL, INT or LIST (a List of
 * strings, elements may be NULL); the difference says what it takes to bring
 * the field from one value to another:
 *	 ALTER    ddl_alter() can do it in place
 *	 REBUILD  the object has to be dropped and created
 *	 IGNORE   not part of what the schema is: neither compared nor hashed
 */
#ifndef KN_KINDS_H
#define KN_KINDS_H

/* X(kind, struct, word, SQL words as in COMMENT ON); the order is that of building. */
#define KN_KINDS(X)                                               \
	X(SCHEMA, KnNamespace, schema, "SCHEMA")                      \
	X(EXTENSION, KnExtension, extension, "EXTENSION")             \
	X(ENUM, KnEnum, enum, "TYPE")                                 \
	X(RANGE, KnRange, range, "TYPE")                              \
	X(COMPOSITE, KnComposite, composite, "TYPE")                  \
	X(DOMAIN, KnDomain, domain, "DOMAIN")                         \
	X(FUNCTION, KnFunction, function, "FUNCTION")                 \
	X(AGGREGATE, KnAggregate, aggregate, "AGGREGATE")             \
	X(SEQUENCE, KnSequence, sequence, "SEQUENCE")                 \
	X(TABLE, KnTable, table, "TABLE")                             \
	X(COLUMN, KnColumn, column, "COLUMN")                         \
	X(DEFAULT, KnDefault, default, "DEFAULT")                     \
	X(CONSTRAINT, KnConstraint, constraint, "CONSTRAINT")         \
	X(VIEW, KnView, view, "VIEW")                                 \
	X(MATVIEW, KnMatview, materialized_view, "MATERIALIZED VIEW") \
	X(INDEX, KnIndex, index, "INDEX")                             \
	X(STATISTICS, KnStatistics, statistics, "STATISTICS")         \
	X(RULE, KnRule, rule, "RULE")                                 \
	X(TRIGGER, KnTrigger, trigger, "TRIGGER")                     \
	X(POLICY, KnPolicy, policy, "POLICY")                         \
	X(OTHER, KnOther, unmodelled, "")

#define KN_SCHEMA_FIELDS(F)

#define KN_EXTENSION_FIELDS(F) \
	F(TEXT, version, IGNORE)   \
	F(TEXT, schema, ALTER) /* where it was installed */

#define KN_ENUM_FIELDS(F) F(LIST, labels, ALTER)

#define KN_RANGE_FIELDS(F) F(TEXT, definition, REBUILD) /* what stands after AS RANGE */

#define KN_COMPOSITE_FIELDS(F)                                     \
	F(LIST, attributes, ALTER) /* quoted by nobody: plain names */ \
	F(LIST, types, ALTER)                                          \
	F(LIST, collations, ALTER) /* NULL: the type's own */          \
	F(LIST, comments, ALTER)

#define KN_DOMAIN_FIELDS(F)                                               \
	F(TEXT, type, REBUILD)                                                \
	F(TEXT, collation, REBUILD)                                           \
	F(TEXT, default_value, ALTER)                                         \
	F(BOOL, not_null, ALTER)                                              \
	F(LIST, constraints, ALTER)                                           \
	F(LIST, definitions, ALTER) /* of the constraints, incl. NOT VALID */ \
	F(LIST, comments, ALTER)    /* of the constraints */

/* "definition" is all of CREATE OR REPLACE; the rest tells whether OR REPLACE will do. */
#define KN_FUNCTION_FIELDS(F)        \
	F(BOOL, is_procedure, REBUILD)   \
	F(TEXT, result, REBUILD)         \
	F(LIST, argument_names, REBUILD) \
	F(INT, default_count, ALTER)     \
	F(TEXT, definition, ALTER)

#define KN_AGGREGATE_FIELDS(F) \
	F(TEXT, definition, REBUILD) /* what stands in the outer parentheses */

#define KN_SEQUENCE_FIELDS(F)                        \
	F(TEXT, type, ALTER)                             \
	F(INT, start_value, ALTER)                       \
	F(INT, increment_by, ALTER)                      \
	F(INT, min_value, ALTER)                         \
	F(INT, max_value, ALTER)                         \
	F(INT, cache_size, ALTER)                        \
	F(BOOL, cycles, ALTER)                           \
	F(TEXT, persistence, ALTER) /* "" or UNLOGGED */ \
	F(TEXT, owned_by, ALTER)    /* qualified column, quoted; NULL: NONE */

#define KN_TABLE_FIELDS(F)                                                             \
	F(TEXT, persistence, ALTER) /* "" or UNLOGGED */                                   \
	F(TEXT, access_method, ALTER)                                                      \
	F(TEXT, tablespace, ALTER) /* NULL: the database's */                              \
	F(LIST, options, ALTER)    /* name=value, sorted; toast options prefixed toast. */ \
	F(BOOL, row_security, ALTER)                                                       \
	F(BOOL, force_row_security, ALTER)                                                 \
	F(TEXT, replica_identity, ALTER) /* DEFAULT, NOTHING, FULL or USING INDEX x */     \
	F(TEXT, cluster_on, ALTER)       /* index name, quoted */                          \
	F(TEXT, partition_key, REBUILD)                                                    \
	F(TEXT, partition_of, ALTER) /* qualified parent, quoted */                        \
	F(TEXT, partition_bound, ALTER)                                                    \
	F(LIST, inherits, ALTER) /* qualified parents, quoted */                           \
	F(TEXT, of_type, ALTER)

#define KN_COLUMN_FIELDS(F)                                                     \
	F(INT, position, IGNORE)                                                    \
	F(TEXT, type, ALTER)                                                        \
	F(TEXT, collation, ALTER) /* NULL: the type's own */                        \
	F(BOOL, not_null, ALTER)                                                    \
	F(TEXT, identity, ALTER)          /* NULL, ALWAYS or BY DEFAULT */          \
	F(TEXT, identity_options, ALTER)  /* all sequence options, spelled out */   \
	F(TEXT, identity_sequence, ALTER) /* qualified, quoted */                   \
	F(TEXT, identity_comment, ALTER)  /* on the sequence */                     \
	F(TEXT, storage, ALTER)           /* NULL: the type's own */                \
	F(TEXT, compression, ALTER)       /* NULL: the default */                   \
	F(INT, statistics, ALTER)         /* -1: the default */                     \
	F(LIST, options, ALTER)           /* name=value, sorted */                  \
	F(BOOL, is_inherited, ALTER)      /* not declared here, only by a parent */ \
	F(BOOL, is_generated, REBUILD)    /* the expression is in its DEFAULT */    \
	F(TEXT, type_kind, IGNORE)        /* typtype of the type: e for an enum, ... */

/* parent: the table (or view); name: the column. */
#define KN_DEFAULT_FIELDS(F)   \
	F(TEXT, expression, ALTER) \
	F(BOOL, is_generated, REBUILD)

#define KN_CONSTRAINT_FIELDS(F)                                                                 \
	F(TEXT, type, REBUILD)       /* contype */                                                  \
	F(TEXT, definition, REBUILD) /* without NOT VALID, and for an FK without DEFERRABLE */      \
	F(TEXT, deferrable, ALTER)   /* FK only: "", DEFERRABLE or DEFERRABLE INITIALLY DEFERRED */ \
	F(BOOL, not_valid, ALTER)                                                                   \
	F(TEXT, index_comment, ALTER)                                                               \
	F(LIST, index_options, ALTER) /* name=value, sorted */                                      \
	F(TEXT, tablespace, ALTER)    /* of the index behind it */                                  \
	F(TEXT, references, IGNORE)   /* qualified referenced table, quoted */                      \
	F(BOOL, is_inherited, IGNORE) /* of a partition, by its parent only */

#define KN_VIEW_FIELDS(F)                                           \
	F(TEXT, definition, ALTER)                                      \
	F(LIST, options, ALTER) /* name=value, sorted */                \
	F(LIST, columns, ALTER)                                         \
	F(LIST, types, ALTER)      /* of the columns, with collation */ \
	F(LIST, comments, ALTER)   /* of the columns */                 \
	F(LIST, column_acl, ALTER) /* column, quoted, and an aclitem; sorted */

#define KN_MATVIEW_FIELDS(F)                                                              \
	F(TEXT, definition, REBUILD)                                                          \
	F(LIST, options, ALTER)                                                               \
	F(TEXT, access_method, REBUILD)                                                       \
	F(TEXT, tablespace, ALTER)                                                            \
	F(TEXT, cluster_on, ALTER)                                                            \
	F(LIST, columns, REBUILD)                                                             \
	F(LIST, comments, ALTER)                                                              \
	F(LIST, settings, ALTER)   /* per column: storage, compression, statistics clauses */ \
	F(LIST, column_acl, ALTER) /* as for a view */                                        \
	F(BOOL, is_populated, IGNORE)

#define KN_INDEX_FIELDS(F)                                                  \
	F(TEXT, definition, REBUILD)                                            \
	F(TEXT, table, REBUILD) /* the relation it is on, in the same schema */ \
	F(BOOL, is_unique, IGNORE)                                              \
	F(BOOL, is_invalid, REBUILD)                                            \
	F(TEXT, tablespace, ALTER)                                              \
	F(LIST, statistics, ALTER)  /* "column number=target" */                \
	F(TEXT, attached_to, ALTER) /* qualified parent index, quoted */

#define KN_STATISTICS_FIELDS(F)  \
	F(TEXT, definition, REBUILD) \
	F(INT, target, ALTER)

#define KN_RULE_FIELDS(F)      \
	F(TEXT, definition, ALTER) \
	F(TEXT, enabled, ALTER) /* ENABLE, DISABLE, ENABLE REPLICA, ENABLE ALWAYS */

#define KN_TRIGGER_FIELDS(F)                    \
	F(TEXT, definition, REBUILD)                \
	F(TEXT, enabled, ALTER) /* as for a rule */ \
	F(TEXT,                                     \
	  inherited,                                \
	  REBUILD) /* state of that of the partitioned table, which this is a copy of */

#define KN_POLICY_FIELDS(F)                                    \
	F(BOOL, is_restrictive, REBUILD)                           \
	F(TEXT, command, REBUILD)                                  \
	F(LIST, roles, ALTER) /* quoted, sorted; PUBLIC for all */ \
	F(TEXT, using_expression, ALTER)                           \
	F(TEXT, check_expression, ALTER)

/* What we see and do not model: named in every plan that it could matter to. */
#define KN_OTHER_FIELDS(F)                                    \
	F(TEXT, what, IGNORE)        /* the words for its kind */ \
	F(TEXT, definition, REBUILD) /* NULL: it cannot be compared */

#endif
