/*
 * classes.h
 *		What is known of a statement, without reading its text each time.
 */
#ifndef KN_SRC_RUN_CLASSES_H
#define KN_SRC_RUN_CLASSES_H

#include "base/memo.h"
#include "data/data.h"

/* Flags; those that are set in doubt are the ones that forbid something. */
typedef enum kn__class
{
	KN__CLASS_KNOWN = 1 << 0, /* always set */
	KN__CLASS_READ = 1 << 1, /* writes nothing, if functions that nobody knows do not: see _CALLS */
	KN__CLASS_ATOMIC = 1 << 2, /* nothing of it is left if the server ends the session meanwhile */
	KN__CLASS_TRANSACTION = 1 << 3, /* BEGIN, COMMIT, SAVEPOINT ... */
	KN__CLASS_SETTING = 1 << 4,     /* SET, LISTEN, PREPARE ...: has no place in a pool */
	KN__CLASS_SOILS = 1 << 5,       /* may leave something in the session */
	/* Is there to leave it, such as a temporary table: has no place where a pooler has sessions. */
	KN__CLASS_KEEPS = KN__CLASS_SETTING | KN__CLASS_SOILS,
	KN__CLASS_COPY = 1 << 6,
	KN__CLASS_MULTIPLE = 1 << 7,
	KN__CLASS_BROKEN = 1 << 8,
	KN__CLASS_CALLS = 1 << 9,    /* a function that nobody knows, or one whose effects last */
	KN__CLASS_COMMITS = 1 << 10, /* may commit in the middle of it */
	KN__CLASS_UNKNOWN = 1 << 11, /* begins with a word that nobody knows */
	KN__CLASS_LASTS = 1 << 12,   /* it is known that its effects last */
	/* Makes something, which goes where the search path says, be that what is temporary; the last
	 * that KN__MEMO_BITS has room for. */
	KN__CLASS_CREATES = 1 << 13
} kn__class;

/* Flags of kn__class for a text and its hash; classes keeps them. */
extern unsigned kn__classes_of(kn__memo *classes, const kn__functions *functions, const char *sql,
							   size_t length, uint64_t hash);

#endif
