/*
 * part.c
 *		Indexes of partitions, which are attached to one of the partitioned table.
 *
 * Such an index can be dropped only along with the one that it is attached to.
 *
 * When a column of a partitioned table gets another type, the server makes the
 * indexes on it anew, and those of the partitions after them: under names of its
 * own, with the options of the partitioned table's and without a comment.
 */
#include "kints_norm.h"

#include "diff/diff.h"

#include "base/base.h"
#include "commands/defrem.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"

static bool stays_partition(const KnChanges *changes, const KnIndex *part);
static bool loses(const KnIndex *part, const KnIndex *whole);
static const char *given_name(const KnIndex *index);

/*
 * Makes sure that what an index is attached to is recreated, where the index has to
 * go and its table stays the partition that it is; false if that was so already.
 */
bool
part_recreate_whole(KnChanges *changes, const KnIndex *part)
{
	KnObject *whole = schema_find_qualified(changes->found, KN_INDEX, part->attached_to);

	return whole != NULL && stays_partition(changes, part) &&
		   diff_recreate(changes, whole, (KnObject *) part);
}

static bool
stays_partition(const KnChanges *changes, const KnIndex *part)
{
	const KnTable *found = (const KnTable *)
		schema_find_kind(changes->found, KN_TABLE, part->head.schema, NULL, part->table);
	const KnTable *wanted =
		found == NULL ? NULL : (const KnTable *) diff_wanted_of(changes, &found->head);

	return wanted != NULL && sqltext_equal(found->partition_of, wanted->partition_of) &&
		   sqltext_equal(found->partition_bound, wanted->partition_bound);
}

/* Whether any partition's index that is attached to it, at any depth, would lose something. */
bool
part_loses_by_rebuild(const KnChanges *changes, const KnIndex *whole)
{
	ListCell *cell;

	foreach(cell, diff_dependents(changes, &whole->head))
	{
		const KnIndex *part = lfirst(cell);

		if (part->head.kind == KN_INDEX &&
			sqltext_equal(part->attached_to, name_of(&whole->head)) &&
			(loses(part, whole) || part_loses_by_rebuild(changes, part)))
			return true;
	}
	return false;
}

static bool
loses(const KnIndex *part, const KnIndex *whole)
{
	const char *name = given_name(part);

	return name == NULL || strcmp(name, part->head.name) != 0 || part->head.comment != NULL ||
		   part->statistics != NIL || !sqltext_equal(part->tablespace, whole->tablespace) ||
		   !sqltext_equal(strstr(part->definition, " USING "),
						  strstr(whole->definition, " USING "));
}

/* The name that the server gives to an index of a partition, NULL where it is not known. */
static const char *
given_name(const KnIndex *index)
{
	List *statements = raw_parser(index->definition, RAW_PARSE_DEFAULT);
	IndexStmt *statement;
	List *columns = NIL;
	ListCell *cell;

	/* In a snapshot anything may stand. */
	if (list_length(statements) != 1)
		return NULL;
	statement = (IndexStmt *) linitial_node(RawStmt, statements)->stmt;
	if (!IsA(statement, IndexStmt))
		return NULL;
	foreach(cell, list_concat(statement->indexParams, statement->indexIncludingParams))
	{
		IndexElem *element = lfirst_node(IndexElem, cell);

		if (element->name == NULL)
			return NULL;
		columns = lappend(columns, element->name);
	}
	return makeObjectName(index->table, sqltext_join(columns, "_"), "idx");
}
