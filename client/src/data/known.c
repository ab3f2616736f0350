/*
 * known.c
 *		What servers have told of types that are not the same in every database.
 *
 * A table of fixed size, safe for all threads, a word an entry: the number of the type, and
 * its form.  What has been told stays: numbers are not given to other types in the life of a
 * program.  Types for which there is no room go as those without a codec.
 */
#include <stdatomic.h>

#include "data/data.h"

#define ENTRIES 2048 /* a power of two */
#define PROBES  32   /* entries that a type may be in, from its own on */
#define ASKERS  256  /* a power of two */
#define CHAIRS  8    /* that an asker may have, from its own on */

struct kn__known
{
	const kn_allocator *allocator;
	_Atomic(uint64_t) entries[ENTRIES]; /* the number above, the form below; 0: nothing */
	_Atomic(uint64_t) refused[ASKERS];  /* who above, until when below; 0: nobody */
};

/* The probe-th entry that a type may be in. */
static size_t
place_of(uint32_t oid, uint32_t probe)
{
	return ((oid * UINT32_C(2654435769) >> 16) + probe) & (ENTRIES - 1);
}

kn__known *
kn__known_new(const kn_allocator *allocator)
{
	kn__known *known = kn__allocate_zero(allocator, 1, sizeof(kn__known));

	if (known != NULL)
		known->allocator = allocator;
	return known;
}

void
kn__known_free(kn__known *known)
{
	if (known != NULL)
		kn__release(known->allocator, known, sizeof(kn__known));
}

kn__form
kn__known_find(const kn__known *known, uint32_t oid)
{
	if (known == NULL || oid < KN__FIRST_OWN_TYPE)
		return KN__FORM_OTHER;
	for (uint32_t i = 0; i < PROBES; i++)
	{
		uint64_t entry =
			atomic_load_explicit(&known->entries[place_of(oid, i)], memory_order_relaxed);

		if (entry == 0)
			return KN__FORM_UNKNOWN;
		if (entry >> 32 == oid)
			return (kn__form) (entry & UINT32_MAX);
	}
	return KN__FORM_OTHER;
}

void
kn__known_note(kn__known *known, uint32_t oid, kn__form form)
{
	uint64_t wanted = (uint64_t) oid << 32 | form;

	if (known == NULL || oid < KN__FIRST_OWN_TYPE || form == KN__FORM_UNKNOWN)
		return;
	for (uint32_t i = 0; i < PROBES; i++)
	{
		uint64_t entry = 0;

		if (atomic_compare_exchange_strong(&known->entries[place_of(oid, i)], &entry, wanted))
			return;
		if (entry >> 32 != oid)
			continue;
		atomic_store(&known->entries[place_of(oid, i)], wanted);
		return;
	}
}

int
kn__known_format(const kn__known *known, uint32_t oid, int format)
{
	kn__form form;

	/* What was kept says so itself. */
	if (oid < KN__FIRST_OWN_TYPE || format > KN__FORMAT_BINARY)
		return format;
	form = kn__known_find(known, oid);
	if (form == KN__FORM_TEXTS)
		return format | KN__FORMAT_TEXTS;
	if (form == KN__FORM_TEXT && format == KN__FORMAT_BINARY)
		return format | KN__FORMAT_AS_TEXT;
	return format;
}

static size_t
chair_of(uint32_t asker, uint32_t probe)
{
	return (place_of(asker, 0) + probe) & (ASKERS - 1);
}

/* Where all its chairs are taken one of them is lost, whose has to ask once more. */
void
kn__known_refuse(kn__known *known, uint32_t asker, uint32_t until)
{
	uint64_t wanted = (uint64_t) asker << 32 | until;

	for (uint32_t i = 0; known != NULL && i < CHAIRS; i++)
	{
		uint64_t entry = 0;

		if (atomic_compare_exchange_strong(&known->refused[chair_of(asker, i)], &entry, wanted))
			return;
		if (entry >> 32 != asker && i < CHAIRS - 1)
			continue;
		atomic_store(&known->refused[chair_of(asker, i)], wanted);
		return;
	}
}

bool
kn__known_is_refused(const kn__known *known, uint32_t asker, uint32_t now)
{
	for (uint32_t i = 0; known != NULL && i < CHAIRS; i++)
	{
		uint64_t entry =
			atomic_load_explicit(&known->refused[chair_of(asker, i)], memory_order_relaxed);

		if (entry == 0)
			return false;
		if (entry >> 32 == asker)
			return now < (entry & UINT32_MAX);
	}
	return false;
}
