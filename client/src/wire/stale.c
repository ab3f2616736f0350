/*
 * stale.c
 *		What the server says of prepared statements, and the cache took for otherwise.
 */
#include "wire/flight.h"
#include "wire/words.h"

#include <string.h>

/* The Parse of a statement failed, or was passed over: the server does not know its name. */
void
kn__note_unprepared(kn__flying *flight, const kn__item *item, const kn__sent *sent)
{
	kn__conn *conn = flight->conn;
	char name[KN__NAME_SIZE];
	kn__prepared *entry;

	if (item != NULL || sent == NULL || !sent->is_prepare)
		return;
	entry = kn__find_entry(conn, sent);
	if (entry != NULL && entry->is_prepared)
		kn__prepared_forget(&conn->cache, entry, false);
	/* It may have been let go again meanwhile: what is not there is not to be closed either. */
	if (entry == NULL)
	{
		kn__prepared_name(name, sent->key);
		(void) kn__prepared_take_back(&conn->cache, name);
	}
}

kn__prepared *
kn__find_entry(const kn__conn *conn, const kn__sent *sent)
{
	kn__prepared *entry = conn->cache.newest;

	while (entry != NULL && entry->key != sent->key)
		entry = entry->older;
	return entry;
}

/* A function may have asked for a name of its own. */
static bool
tells_name(const PGresult *result, uint64_t key)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	char name[KN__NAME_SIZE];

	kn__prepared_name(name, key);
	return message != NULL && strstr(message, name) != NULL;
}

/*
 * A parameter that goes as text has the type that its place had when the statement was prepared;
 * now its value does not go there, or that type does not.  If it is not that, to prepare it anew
 * does no harm.
 */
static void
note_other_types(kn__flying *flight, const kn__sent *sent, const PGresult *result,
				 const char *sqlstate)
{
	const char *routine = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
	const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
	/* Before it is executed, and so with nothing that a function could have said. */
	bool is_of_value = strncmp(sqlstate, "22", 2) == 0 && kn__words_are_of_a_value(context) &&
					   !kn__words_are_relayed(routine);
	/* What is found while it is executed has no place in the text. */
	bool may_be_found = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION) != NULL &&
						!flight->items[sent - flight->sent].calls;
	bool is_of_type = kn__words_are_of_no_function(context) &&
					  kn__words_are_of_types(sqlstate, routine, may_be_found);
	kn__prepared *entry;

	if (!sent->is_by_name || sent->is_prepare || (!is_of_type && !is_of_value))
		return;
	entry = kn__find_entry(flight->conn, sent);
	if (entry != NULL)
		kn__prepared_forget(&flight->conn->cache, entry, true);
	flight->is_rebound = true;
	flight->is_retyped |= is_of_type;
}

/*
 * The statement is not prepared, or for another one, or for a table that has changed
 * since: it is forgotten, and will be prepared anew.
 */
void
kn__note_stale(kn__flying *flight, const kn__sent *sent, const PGresult *result)
{
	kn__conn *conn = flight->conn;
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *routine = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
	kn__prepared *entry;
	bool is_changed;

	if (sqlstate == NULL || (!sent->is_prepare && !sent->is_by_name))
		return;
	/* It may be about a type that is gone, which the server does not look for: a new one is not. */
	if (strcmp(sqlstate, "XX000") == 0 && !sent->is_prepare)
	{
		entry = kn__find_entry(conn, sent);
		if (entry != NULL)
			kn__prepared_forget(&conn->cache, entry, true);
		kn__memo_note(conn->shapes, sent->key, KN__SHAPE_UNKNOWN);
		return;
	}
	note_other_types(flight, sent, result, sqlstate);
	is_changed = strcmp(sqlstate, "0A000") == 0 && routine != NULL &&
				 strcmp(routine, "RevalidateCachedQuery") == 0;
	/* 26000: it is not there.  42P05: it is there already; 08P01: with other parameters. */
	if (!is_changed && !tells_name(result, sent->key))
		return;
	if (!is_changed && strcmp(sqlstate, "26000") != 0 && strcmp(sqlstate, "42P05") != 0 &&
		strcmp(sqlstate, "08P01") != 0)
		return;
	entry = kn__find_entry(conn, sent);
	/* Just prepared, it cannot be another one: it is the caller who has miscounted. */
	if (sent->is_prepare && strcmp(sqlstate, "08P01") == 0)
	{
		if (entry != NULL)
			kn__prepared_forget(&conn->cache, entry, true);
		return;
	}
	flight->is_stale = true;
	if (entry != NULL)
		kn__prepared_forget(&conn->cache, entry, is_changed);
	kn__memo_note(conn->shapes, sent->key, KN__SHAPE_UNKNOWN);
	/* Somebody else hands out servers: names mean nothing here. */
	if (!is_changed)
	{
		conn->has_given_up = true;
		kn__conn_never_prepare(conn);
	}
}

/*
 * Whether nothing is left of what went before the item that failed, now that it is undone; or, if
 * that need not have been in vain, whether it may happen once more.
 */
bool
kn__flight_is_undone(const kn__flying *flight, bool may_be_right)
{
	for (int i = 0; i < flight->count; i++)
	{
		const kn__item *item = &flight->items[i];

		if (item->status == KN_OK && (may_be_right ? !item->may_repeat : item->calls))
			return false;
	}
	return true;
}

/*
 * A statement that was prepared for what is another table by now has ended the transaction:
 * run again from its beginning, it will be prepared anew.  So will all others, each of which might
 * be the end of it once more.  Of a value that does not go there nobody knows whether it ever
 * would.
 */
void
kn__flight_note_stale(kn__flying *flight)
{
	if ((!flight->is_stale && !flight->is_retyped) || flight->is_lost || flight->status == KN_OK ||
		flight->stopped != KN_OK)
		return;
	kn__prepared_forget_all(&flight->conn->cache, true);
	flight->status = KN_SERIALIZATION;
	flight->fault->error.status = KN_SERIALIZATION;
}
