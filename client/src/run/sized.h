/*
 * sized.h
 *		Structs of the caller's, who may have been built with another version's header.
 */
#ifndef KN_SRC_RUN_SIZED_H
#define KN_SRC_RUN_SIZED_H

#include <stddef.h>

/*
 * Copies a struct that begins with its size into one of size bytes: what the caller's does not
 * reach is zero.  NULL, or what is wrong with it: the size is not filled in, or it says something
 * that this version has no field for.
 */
extern const char *kn__sized(void *into, size_t size, const void *given);

#endif
