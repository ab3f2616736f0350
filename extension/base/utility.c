/*
 * utility.c
 *		One statement that changes the schema.
 *
 * Usually it is the caller's own, and event triggers see it.  What is only
 * elaborated nobody is to see: it is a part of another command then, for which
 * no event trigger fires.
 */
#include "kints_norm.h"

#include "base/base.h"

#include "access/xact.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "parser/parser.h"
#include "tcop/cmdtag.h"
#include "tcop/dest.h"
#include "tcop/utility.h"
#include "utils/snapmgr.h"

static bool is_unseen = false;

/* Whether statements are to be unseen from now on; returns whether they were. */
bool
utility_be_unseen(bool unseen)
{
	bool before = is_unseen;

	is_unseen = unseen;
	return before;
}

/* Runs statements that have no parameters and return nothing. */
void
utility_run(const char *sql)
{
	const ListCell *cell;

	if (!is_unseen)
	{
		(void) query_run(sql, 0, NULL, NULL, NULL);
		return;
	}
	foreach(cell, raw_parser(sql, RAW_PARSE_DEFAULT))
	{
		utility_run_unseen(((RawStmt *) lfirst(cell))->stmt, sql);
		CommandCounterIncrement();
	}
}

/* Runs a parsed statement, which text is the source of; it may be scribbled on. */
void
utility_run_unseen(Node *statement, const char *text)
{
	PlannedStmt *planned = makeNode(PlannedStmt);
	QueryCompletion completion;

	planned->commandType = CMD_UTILITY;
	planned->canSetTag = false;
	planned->utilityStmt = statement;
	planned->stmt_location = 0;
	planned->stmt_len = 0;
	InitializeQueryCompletion(&completion);
	PushActiveSnapshot(GetTransactionSnapshot());
	ProcessUtility(planned,
				   text,
				   false,
				   PROCESS_UTILITY_SUBCOMMAND,
				   NULL,
				   NULL,
				   None_Receiver,
				   &completion);
	PopActiveSnapshot();
}
