/*
 * expression.c
 *		Expressions of the catalogs as SQL.
 *
 * The server's own way to say what the columns are called opens the relation:
 * it takes time, and a lock that may have to be waited for.  But the names are
 * known here, and can be had from any range table entry that has them.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "inspect/inspect.h"
#include "nodes/makefuncs.h"
#include "nodes/plannodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"

static List *make_context(const KnRelation *relation, const char *text);

/* A pg_node_tree attribute as SQL, its Vars being columns of relation (or none). */
const char *
read_expression(KnInspect *in, HeapTuple row, TupleDesc shape, int attribute,
				const KnRelation *relation)
{
	const char *printed;
	const char *kept;

	MemoryContextSwitchTo(in->work);
	printed = linitial(inspect_expressions(row, shape, attribute, relation, NULL));
	MemoryContextSwitchTo(in->result);
	kept = printed == NULL ? NULL : pstrdup(printed);
	MemoryContextReset(in->work);
	return kept;
}

/*
 * The same for an attribute that may be a list: one text for each member, in
 * the current memory context; the trees too where trees is not NULL.  A null
 * is a list of one NULL.
 */
List *
inspect_expressions(HeapTuple row, TupleDesc shape, int attribute, const KnRelation *relation,
					List **trees)
{
	bool isnull;
	Datum value = heap_getattr(row, attribute, shape, &isnull);
	List *context = NIL;
	List *texts = NIL;
	List *members;
	const char *string;
	Node *tree;
	ListCell *cell;

	if (isnull)
		return list_make1(NULL);
	string = TextDatumGetCString(value);
	tree = stringToNode(string);
	members = tree != NULL && IsA(tree, List) ? (List *) tree : list_make1(tree);
	if (relation != NULL)
		context = make_context(relation, string);
	foreach(cell, members)
		texts = lappend(texts, deparse_expression(lfirst(cell), context, false, false));
	if (trees != NULL)
		*trees = members;
	return texts;
}

/* System columns have names in the catalogs only. */
static List *
make_context(const KnRelation *relation, const char *text)
{
	RangeTblEntry *entry;
	PlannedStmt *plan;
	List *names = NIL;

	if (strstr(text, ":varattno -") != NULL)
		return deparse_context_for(relation->name, relation->oid);
	for (int i = 0; i < relation->attribute_count; i++)
	{
		const char *name = relation->attributes[i].name;

		names = lappend(names, makeString(name == NULL ? "" : (char *) name));
	}
	entry = makeNode(RangeTblEntry);
	entry->rtekind = RTE_VALUES;
	entry->eref = makeAlias(relation->name, names);
	entry->inFromCl = true;
	plan = makeNode(PlannedStmt);
	plan->rtable = list_make1(entry);
	return deparse_context_for_plan_tree(plan, list_make1((char *) relation->name));
}
