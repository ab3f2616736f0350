/*
 * sized.c
 *		Structs of the caller's, who may have been built with another version's header.
 */
#include "run/sized.h"

#include <string.h>

const char *
kn__sized(void *into, size_t size, const void *given)
{
	const char *bytes = given;
	size_t theirs;

	memcpy(&theirs, given, sizeof(theirs));
	if (theirs < sizeof(theirs))
		return "the size of a struct is not filled in";
	for (size_t i = size; i < theirs; i++)
	{
		if (bytes[i] != 0)
			return "a struct has a field set that this version does not know";
	}
	memset(into, 0, size);
	memcpy(into, given, theirs < size ? theirs : size);
	return NULL;
}
