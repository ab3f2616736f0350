/*
 * kints_norm.c
 *		The module itself.
 */
#include "kints_norm.h"

PG_MODULE_MAGIC;
