/*
 * lsn.c
 *		How far the log is that a context has to see in its reads.
 *
 * Where there are replicas, each write is followed by a question for the end of the log.  It
 * comes after the commit, in the same flight, so what it says is no less than the place of
 * the commit.  Where the answer is lost the place is beyond all others: only the primary
 * is sure to have it.  So it is where one has written that is not known to be the primary yet: the
 * same place may be another one in the logs that the others have.  What was read may have written
 * as well, if it calls something that nobody knows; but on a standby it has not.
 */
#include "run/run.h"

static bool is_of_primary(const kn_db *db, kn__server *server);
static bool is_standby(const kn__link *link);

static const char x_lsn[] =
	"SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery()"
	" THEN (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn)::bigint ELSE 0 END";

/* Whether anybody will go by it. */
bool
kn__lsn_is_wanted(const kn_ctx *cx)
{
	return cx->db->server_count > 1;
}

kn__item
kn__lsn_item(void)
{
	kn__item item = { .sql = x_lsn,
					  .length = sizeof(x_lsn) - 1,
					  .wants_rows = true,
					  .is_atomic = true,
					  .is_aside = true };

	item.hash = kn__hash(x_lsn, item.length, 0);
	return item;
}

/* What the item has found out, which ends here; may_have_written: or else nothing has happened. */
void
kn__lsn_note(kn_ctx *cx, kn__item *item, bool may_have_written)
{
	kn__server *server = cx->link->server;
	kn_value value;
	const char *why;
	bool is_told = item->result != NULL && kn__result_rows(item->result) == 1 &&
				   kn__result_value(item->result, 0, 0, NULL, NULL, &value, &why) == KN_OK &&
				   value.type == KN_TYPE_I64;
	bool is_beyond =
		is_told ? value.as.i > 0 && !is_of_primary(cx->db, server) : !is_standby(cx->link);

	if (may_have_written && is_beyond)
		cx->last_lsn = UINT64_MAX;
	else if (may_have_written && is_told && (uint64_t) value.as.i > cx->last_lsn)
		cx->last_lsn = (uint64_t) value.as.i;
	kn__result_free(item->result);
	item->result = NULL;
}

/* Whether what reads there may have written; who nobody has seen to be a primary has to say so. */
bool
kn__lsn_may_be_written(const kn__link *link)
{
	return atomic_load(&link->server->is_primary) || !kn__route_may_be_standby(link);
}

/* Of the one that the others are compared with. */
static bool
is_of_primary(const kn_db *db, kn__server *server)
{
	return atomic_load(&server->is_known) && kn__route_is_in_force(db, server);
}

/* By what was seen of it, and by what it says: there nothing can have been written. */
static bool
is_standby(const kn__link *link)
{
	return !atomic_load(&link->server->is_primary) && kn__route_is_standby(link);
}
