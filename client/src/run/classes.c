/*
 * classes.c
 *		What is known of a statement, without reading its text each time.
 */
#include "run/classes.h"

#include <string.h>

_Static_assert(KN__CLASS_CREATES < 1 << KN__MEMO_BITS, "a memo has room for all flags");

static unsigned read_class(const kn__functions *functions, const char *sql, size_t length);
static bool is_any_of(const char *verb, const char *const *verbs);

unsigned
kn__classes_of(kn__memo *classes, const kn__functions *functions, const char *sql, size_t length,
			   uint64_t hash)
{
	unsigned flags = kn__memo_find(classes, hash);

	if (flags == 0)
	{
		flags = read_class(functions, sql, length);
		kn__memo_note(classes, hash, flags);
	}
	return flags;
}

static unsigned
read_class(const kn__functions *functions, const char *sql, size_t length)
{
	static const char *const atomic[] = { "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE",
										  "VALUES", "TABLE",  "WITH",   NULL };
	static const char *const settings[] = { "SET",     "RESET",   "LISTEN",     "UNLISTEN",
											"PREPARE", "EXECUTE", "DEALLOCATE", "DISCARD",
											"LOAD",    NULL };
	kn__statement statement = kn__statement_with((kn_str){ sql, length }, functions);
	unsigned flags = KN__CLASS_KNOWN;

	if (statement.is_read && !statement.locks_rows)
		flags |= KN__CLASS_READ;
	if (is_any_of(statement.verb, atomic))
		flags |= KN__CLASS_ATOMIC;
	if (statement.is_transaction)
		flags |= KN__CLASS_TRANSACTION;
	if (statement.sets_session)
		flags |= is_any_of(statement.verb, settings) ? KN__CLASS_SETTING
				 : statement.keeps_session           ? KN__CLASS_KEEPS
													 : KN__CLASS_SOILS;
	if (statement.is_copy)
		flags |= KN__CLASS_COPY;
	if (statement.is_multiple)
		flags |= KN__CLASS_MULTIPLE;
	if (statement.is_broken)
		flags |= KN__CLASS_BROKEN;
	if (statement.commits)
		flags |= KN__CLASS_COMMITS;
	if (statement.is_unknown)
		flags |= KN__CLASS_UNKNOWN;
	if (statement.calls)
		flags |= KN__CLASS_CALLS;
	if (statement.lasts)
		flags |= KN__CLASS_LASTS;
	if (statement.creates)
		flags |= KN__CLASS_CREATES;
	return flags;
}

static bool
is_any_of(const char *verb, const char *const *verbs)
{
	for (; *verbs != NULL; verbs++)
	{
		if (strcmp(verb, *verbs) == 0)
			return true;
	}
	return false;
}
