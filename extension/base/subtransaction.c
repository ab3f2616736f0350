/*
 * subtransaction.c
 *		Work in a subtransaction of its own.
 *
 * Who begins an internal subtransaction has to end it: an error that passes by
 * would leave the session in it.  So errors are caught here, and handed back
 * once the subtransaction is gone.
 */
#include "kints_norm.h"

#include "base/base.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/*
 * Calls work(argument) in a subtransaction, which is then rolled back, or
 * released if keep is true and nothing failed.  Returns NULL, or the error, in
 * the caller's memory context; work runs in that context too.
 */
ErrorData *
subtransaction_run(void (*work)(void *), void *argument, bool keep)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		work(argument);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	if (keep && error == NULL)
		ReleaseCurrentSubTransaction();
	else
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return error;
}
