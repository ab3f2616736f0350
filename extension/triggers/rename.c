/*
 * rename.c
 *		Columns that triggers name in their arguments get other names.
 *
 * To the server arguments are text, and none of its concern.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "base/base.h"
#include "catalog/indexing.h"
#include "catalog/pg_trigger.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/varlena.h"

/* The triggers whose arguments name columns. */
static const PGFunction functions[] = { kints_version,         kints_touch,
										kints_soft_delete,     kints_soft_delete_cascade,
										kints_history_stamp,   kints_history,
										kints_history_truncate };

static char *renamed_arguments(HeapTuple row, TupleDesc shape, const char *old, const char *new,
							   int *length);
static const char *renamed_option(const char *argument, const char *old, const char *new);

/* Where triggers of a table name a column in their arguments, it gets another name. */
void
rename_arguments(Oid table, const char *old, const char *new)
{
	Relation triggers = table_open(TriggerRelationId, RowExclusiveLock);
	SysScanDesc scan = trigger_scan(triggers, table);
	HeapTuple row;

	while (row = systable_getnext(scan), HeapTupleIsValid(row))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(row);
		int number = Anum_pg_trigger_tgargs;
		bool is_null = false;
		int length;
		char *arguments;
		Datum value;

		if (form->tgnargs == 0 || !trigger_is_of(form->tgfoid, functions, lengthof(functions)))
			continue;
		arguments = renamed_arguments(row, RelationGetDescr(triggers), old, new, &length);
		value = PointerGetDatum(cstring_to_text_with_len(arguments, length));
		CatalogTupleUpdate(triggers,
						   &row->t_self,
						   heap_modify_tuple_by_cols(row,
													 RelationGetDescr(triggers),
													 1,
													 &number,
													 &value,
													 &is_null));
	}
	systable_endscan(scan);
	table_close(triggers, RowExclusiveLock);
	CacheInvalidateRelcacheByRelid(table);
}

/* All arguments, each with a zero byte at its end, as the catalog has them. */
static char *
renamed_arguments(HeapTuple row, TupleDesc shape, const char *old, const char *new, int *length)
{
	StringInfoData out;
	bool is_null;
	bytea *arguments = DatumGetByteaPP(heap_getattr(row, Anum_pg_trigger_tgargs, shape, &is_null));
	const char *place = VARDATA_ANY(arguments);

	initStringInfo(&out);
	for (int i = 0; i < ((Form_pg_trigger) GETSTRUCT(row))->tgnargs; i++)
	{
		const char *renamed = renamed_option(place, old, new);

		appendBinaryStringInfo(&out, renamed, (int) strlen(renamed) + 1);
		place += strlen(place) + 1;
	}
	*length = out.len;
	return out.data;
}

/* One of them; all but a few options are columns. */
static const char *
renamed_option(const char *argument, const char *old, const char *new)
{
	static const char *const columns[] = {
		"column=", "touch=", "by=", "batch=", "period=", "until="
	};
	static const char exclude[] = "exclude=";
	List *names;
	List *renamed = NIL;
	const ListCell *cell;

	for (int i = 0; i < (int) lengthof(columns); i++)
	{
		Size length = strlen(columns[i]);

		if (strncmp(argument, columns[i], length) == 0 && strcmp(argument + length, old) == 0)
			return sqltext_concat(columns[i], new, NULL);
	}
	if (strncmp(argument, exclude, strlen(exclude)) != 0 ||
		!SplitIdentifierString(pstrdup(argument + strlen(exclude)), ',', &names) ||
		!sqltext_member(names, old))
		return argument;
	foreach(cell, names)
		renamed = lappend(
			renamed,
			unconstify(char *,
					   sqltext_identifier(strcmp(lfirst(cell), old) == 0 ? new : lfirst(cell))));
	return sqltext_concat(exclude, sqltext_join(renamed, ", "), NULL);
}
