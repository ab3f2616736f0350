/*
 * query.c
 *		One SQL statement through SPI.
 */
#include "kints_norm.h"

#include "base/base.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

static void execute(const char *sql, int count, Oid *types, Datum *values, const char *nulls);

/*
 * Runs a statement with $n parameters and returns how many rows it processed.
 * The types of the values are given; a NULL nulls means that there are none.
 */
uint64
query_run(const char *sql, int count, Oid *types, Datum *values, const char *nulls)
{
	uint64 processed;

	SPI_connect();
	execute(sql, count, types, values, nulls);
	processed = SPI_processed;
	SPI_finish();
	return processed;
}

/*
 * Runs a query and calls take for each row, in the caller's memory context.
 */
void
query_rows(const char *sql, int count, Oid *types, Datum *values, KnRowTaker take, void *argument)
{
	MemoryContext caller = CurrentMemoryContext;
	SPITupleTable *table;

	SPI_connect();
	execute(sql, count, types, values, NULL);
	table = SPI_tuptable;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		take(table->vals[i], table->tupdesc, argument);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
}

/* Strings as a text[], for a parameter or a result; none may be NULL. */
Datum
query_texts(const List *texts)
{
	Datum *items = palloc(sizeof(Datum) * Max(list_length(texts), 1));
	const ListCell *cell;

	foreach(cell, texts)
		items[foreach_current_index(cell)] = CStringGetTextDatum((const char *) lfirst(cell));
	return PointerGetDatum(
		construct_array(items, list_length(texts), TEXTOID, -1, false, TYPALIGN_INT));
}

static void
execute(const char *sql, int count, Oid *types, Datum *values, const char *nulls)
{
	/* Not as one that only reads: that would not see what the statement did before. */
	int result = SPI_execute_with_args(sql, count, types, values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
}
