/*
 * index.c
 *		Indexes, but for those behind a constraint; extended statistics.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_statistic_ext.h"
#include "inspect/inspect.h"
#include "utils/builtins.h"

static void read_index(KnInspect *in, HeapTuple row, TupleDesc shape);
static void note_use(KnRelation *relation, KnRelation *index, Form_pg_index form);
static void read_statistics(KnInspect *in, HeapTuple row, TupleDesc shape);

void
inspect_indexes(KnInspect *in)
{
	inspect_scan(in, IndexRelationId, read_index);
}

static void
read_index(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(row);
	KnRelation *relation = inspect_relation(in, form->indrelid);
	KnRelation *name = inspect_relation(in, form->indexrelid);
	KnIndex *index;

	if (relation == NULL || relation->object == NULL || name == NULL)
		return;
	note_use(relation, name, form);
	if (inspect_lookup(in, RelationRelationId, form->indexrelid, 0) != NULL)
		return;
	index = schema_new_object(KN_INDEX, relation->schema, NULL, name->name);
	index->definition = inspect_index_definition(in, row, shape, relation, name);
	index->table = relation->name;
	index->is_unique = form->indisunique;
	index->is_invalid = !form->indisvalid;
	index->tablespace = name->tablespace;
	for (int i = 0; i < name->attribute_count; i++)
	{
		if (name->attributes[i].settings != NULL)
			index->statistics = lappend(index->statistics, (char *) name->attributes[i].settings);
	}
	inspect_register(in, RelationRelationId, form->indexrelid, 0, index);
	inspect_add(in, index);
	schema_depend(index, relation->object);
}

/* What the table says of its index. */
static void
note_use(KnRelation *relation, KnRelation *index, Form_pg_index form)
{
	const char *name = sqltext_identifier(index->name);

	if (relation->object->kind == KN_TABLE)
	{
		KnTable *table = (KnTable *) relation->object;

		if (form->indisclustered)
			table->cluster_on = name;
		if (form->indisreplident)
			table->replica_identity = psprintf("USING INDEX %s", name);
	}
	else if (relation->object->kind == KN_MATVIEW && form->indisclustered)
		((KnMatview *) relation->object)->cluster_on = name;
}

void
inspect_statistics(KnInspect *in)
{
	inspect_scan(in, StatisticExtRelationId, read_statistics);
}

static void
read_statistics(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_statistic_ext form = (Form_pg_statistic_ext) GETSTRUCT(row);
	const char *schema = inspect_namespace(in, form->stxnamespace);
	KnRelation *relation = inspect_relation(in, form->stxrelid);
	KnStatistics *statistics;

	(void) shape;
	if (schema == NULL || inspect_is_member(in, StatisticExtRelationId, form->oid))
		return;
	statistics = schema_new_object(KN_STATISTICS, schema, NULL, read_name(&form->stxname));
	statistics->definition = read_definition(in, pg_get_statisticsobjdef, form->oid);
	statistics->target = form->stxstattarget;
	statistics->head.owner = read_owner(in, form->stxowner);
	inspect_register(in, StatisticExtRelationId, form->oid, 0, statistics);
	inspect_add(in, statistics);
	if (relation != NULL)
		schema_depend(statistics, relation->object);
}
