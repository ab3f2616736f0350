/*
 * options.h
 *		The options of a configuration that are a number, a mode, a flag or a text.
 */
#ifndef KN_SRC_RUN_OPTIONS_H
#define KN_SRC_RUN_OPTIONS_H

#include "run/config.h"

/* What is known while a configuration is put together. */
typedef struct kn__builder
{
	kn__config *config;
	kn__fault *fault;
	kn__conninfo conninfo;
} kn__builder;

/* Gives each option the value that was said first, or its usual one.  KN_CONFIG, KN_NO_MEMORY. */
extern kn_status kn__options_settle(kn__builder *b);
/* What the conninfo says, the last time, as with libpq; NULL: nothing. */
extern const char *kn__options_find(const kn__builder *b, const char *name);
/* What the environment says; NULL: nothing. */
extern const char *kn__options_environment(const kn__builder *b, const char *name);

#endif
