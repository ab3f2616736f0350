/*
 * misspelt.h
 *		Whether a name is most likely another one, with a slip in it.
 */
#ifndef KN_SRC_RUN_MISSPELT_H
#define KN_SRC_RUN_MISSPELT_H

#include <stdbool.h>
#include <stddef.h>

#define KN__NAME_LIMIT 64 /* a longer name is none of ours */

/* Of the names only the first is not ended by a NUL; one that is the same is not misspelt. */
extern bool kn__is_misspelt(const char *given, size_t n, const char *meant);

#endif
