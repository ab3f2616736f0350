/*
 * observe.h
 *		Telling whoever listens what happens.
 *
 * Who has something to tell asks kn__hears() first, which costs a look at a pointer
 * if nobody listens at all:
 *		if (kn__hears(hooks, KN_EVENT_RETRY)) { kn__event_init(...); ...; kn__tell(...); }
 */
#ifndef KN_SRC_RUN_OBSERVE_H
#define KN_SRC_RUN_OBSERVE_H

#include "base/base.h"
#include "kints/observe.h"
#include "wire/wire.h"

/* A statement's text as events may have it. */
typedef struct kn__told_sql
{
	kn__buf masked; /* in use where something had to be masked */
	const char *text;
} kn__told_sql;

extern bool kn__listens(const kn_hooks *hooks, kn_event_kind kind);

static inline bool
kn__hears(const kn_hooks *hooks, kn_event_kind kind)
{
	return hooks != NULL && kn__listens(hooks, kind);
}

/* A text that has something to say; else NULL. */
extern const char *kn__said(const char *text);
/* An event that says nothing yet but what it is, and when. */
extern void kn__event_init(kn_event *event, kn_event_kind kind, const kn_clock *clock);
/*
 * What went wrong, and never its detail, hint or context.  Messages that may quote values are left
 * out unless parameters are shown.
 */
extern void kn__event_fault(kn_event *event, const kn__fault *fault, bool show_parameters);
/* Parameters, or only how many. */
extern void kn__event_parameters(kn_event *event, const kn_value *values, int count,
								 bool show_parameters);
/* Calls all hooks of the kind. */
extern void kn__tell(const kn_hooks *hooks, const kn_event *event);

/*
 * mask.c: the text for events: as it is if it has parameters, which then are where the values
 * are, or all is shown; else with each literal as ?.  NULL where there is no memory.  For
 * kn__told_sql_release() in any case.
 */
extern const char *kn__told_sql_init(kn__told_sql *told, const kn_allocator *allocator,
									 const char *sql, bool has_parameters, bool show_parameters);
/*
 * The same of the statements of a batch, each for itself, with "; " between them; once if all have
 * the same text.  What comes after so many bytes is left out but for the first, and the text then
 * ends with how many statements those are.
 */
#define KN__TOLD_BATCH_LIMIT ((size_t) 16 * 1024)
extern const char *kn__told_batch_init(kn__told_sql *told, const kn_allocator *allocator,
									   const kn__item *items, int count, bool show_parameters);
extern void kn__told_sql_release(kn__told_sql *told);
/* Appends a text with each literal as ?; its comments go, for who knows what is in them. */
extern void kn__mask_literals(kn__buf *out, kn_str sql);

#endif
