/*
 * tagsql.c
 *		What the server's parser has to say of the SQL in a tag.
 *
 * An error in the statement that models are made into names a line that nobody
 * wrote; so each piece is parsed alone first, where the tag is known.
 */
#include "kints_norm.h"

#include "desired/tags.h"

#include "parser/parser.h"
#include "utils/memutils.h"

/* Refuses a piece of SQL that does not parse in place of the %s. */
void
tagsql_check(const KnTagPlace *place, const char *format, const char *sql)
{
	MemoryContext caller = CurrentMemoryContext;
	ErrorContextCallback *context = error_context_stack;
	const char *volatile problem = NULL;
	char *statement;

	statement =
		psprintf("%s%s%s", pnstrdup(format, strcspn(format, "%")), sql, strchr(format, '%') + 2);
	/* No errcontext of others, and nothing to clean up: the parser only allocates. */
	error_context_stack = NULL;
	PG_TRY();
	{
		(void) raw_parser(statement, RAW_PARSE_DEFAULT);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error_context_stack = context;
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_SYNTAX_ERROR &&
			ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		problem = error->message;
	}
	PG_END_TRY();
	error_context_stack = context;
	if (problem != NULL)
		tags_refuse(place, psprintf("has a value that is no SQL: %s", problem));
}
