/*
 * classes.c
 *		What is known of a statement, without reading its text each time.
 *
 * A table of fixed size, a word an entry: the upper bits are those of the hash of the text,
 * the lower ones the flags.  Entries overwrite each other; one that is gone is found out again.
 */
#include "run/classes.h"

#include <stdatomic.h>
#include <string.h>

#define ENTRIES 4096 /* a power of two */
#define FLAGS   ((UINT64_C(1) << KN__CLASS_BITS) - 1)

struct kn__classes
{
	const kn_allocator *allocator;
	_Atomic(uint64_t) entries[ENTRIES];
};

static unsigned read_class(const char *sql, size_t length);
static bool is_any_of(const char *verb, const char *const *verbs);

kn__classes *
kn__classes_new(const kn_allocator *allocator)
{
	kn__classes *classes = kn__allocate_zero(allocator, 1, sizeof(kn__classes));

	if (classes != NULL)
		classes->allocator = allocator;
	return classes;
}

void
kn__classes_free(kn__classes *classes)
{
	if (classes != NULL)
		kn__release(classes->allocator, classes, sizeof(kn__classes));
}

unsigned
kn__classes_of(kn__classes *classes, const char *sql, size_t length, uint64_t hash)
{
	_Atomic(uint64_t) *place = &classes->entries[hash >> KN__CLASS_BITS & (ENTRIES - 1)];
	uint64_t entry = atomic_load_explicit(place, memory_order_relaxed);
	unsigned flags;

	if (entry != 0 && ((entry ^ hash) & ~FLAGS) == 0)
		return (unsigned) (entry & FLAGS);
	flags = read_class(sql, length);
	atomic_store_explicit(place, (hash & ~FLAGS) | flags, memory_order_relaxed);
	return flags;
}

static unsigned
read_class(const char *sql, size_t length)
{
	static const char *const atomic[] = { "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE",
										  "VALUES", "TABLE",  "WITH",   NULL };
	static const char *const settings[] = { "SET",     "RESET",   "LISTEN",     "UNLISTEN",
											"PREPARE", "EXECUTE", "DEALLOCATE", "DISCARD",
											"LOAD",    NULL };
	kn__statement statement = kn__statement_of((kn_str){ sql, length });
	unsigned flags = KN__CLASS_KNOWN;

	if (statement.is_read && !statement.locks_rows)
		flags |= KN__CLASS_READ;
	if (is_any_of(statement.verb, atomic))
		flags |= KN__CLASS_ATOMIC;
	if (statement.is_transaction)
		flags |= KN__CLASS_TRANSACTION;
	if (statement.sets_session)
		flags |= is_any_of(statement.verb, settings) ? KN__CLASS_SETTING : KN__CLASS_SOILS;
	if (statement.is_copy)
		flags |= KN__CLASS_COPY;
	if (statement.is_multiple)
		flags |= KN__CLASS_MULTIPLE;
	if (statement.is_broken)
		flags |= KN__CLASS_BROKEN;
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
