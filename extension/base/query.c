/*
 * query.c
 *		One SQL statement through SPI.
 */
#include "kints_norm.h"

#include "base/base.h"

#include "executor/spi.h"

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

static void
execute(const char *sql, int count, Oid *types, Datum *values, const char *nulls)
{
	/* Not as one that only reads: that would not see what the statement did before. */
	int result = SPI_execute_with_args(sql, count, types, values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
}
