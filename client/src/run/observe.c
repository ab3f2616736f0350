/*
 * observe.c
 *		Events: made, and told to whoever listens.
 *
 * A program may have been compiled against a header with fewer kinds of events, or
 * fewer fields: the size of its hooks tells how far they go, and fields are only ever
 * added at the end.
 */
#include "run/observe.h"

#include <string.h>

#include "run/breaker.h"

_Static_assert((int) KN__BREAKER_CLOSED == (int) KN_BREAKER_CLOSED &&
				   (int) KN__BREAKER_OPEN == (int) KN_BREAKER_OPEN &&
				   (int) KN__BREAKER_HALF_OPEN == (int) KN_BREAKER_HALF_OPEN,
			   "the breaker and the program call its states by the same numbers");

const char *
kn_breaker_state_name(int state)
{
	static const char *const names[] = { "closed", "open", "half_open" };

	return state >= 0 && state < 3 ? names[state] : "unknown";
}

const char *
kn_event_name(kn_event_kind kind)
{
	static const char *const names[] = {
#define X(name, hook, text) #hook,
		KN_EVENTS(X)
#undef X
	};

	return (unsigned) kind < KN_EVENT_COUNT ? names[kind] : "unknown";
}

/* The hook of a kind; NULL: none, or the program does not know of it. */
static kn_hook *
hook_of(const kn_hooks *hooks, kn_event_kind kind)
{
	switch (kind)
	{
#define X(name, hook, text) \
	case KN_EVENT_##name:   \
		return hooks->size >= offsetof(kn_hooks, hook) + sizeof(hooks->hook) ? hooks->hook : NULL;
		KN_EVENTS(X)
#undef X
		default:
			return NULL;
	}
}

bool
kn__listens(const kn_hooks *hooks, kn_event_kind kind)
{
	for (; hooks != NULL; hooks = hooks->next)
	{
		if (hook_of(hooks, kind) != NULL)
			return true;
	}
	return false;
}

void
kn__tell(const kn_hooks *hooks, const kn_event *event)
{
	for (; hooks != NULL; hooks = hooks->next)
	{
		kn_hook *hook = hook_of(hooks, event->kind);

		if (hook != NULL)
			hook(hooks->user, event);
	}
}

#define NOTHING_TEXT   NULL
#define NOTHING_NUMBER (-1)

void
kn__event_init(kn_event *event, kn_event_kind kind, const kn_clock *clock)
{
	*event = (kn_event){ .size = sizeof(kn_event),
						 .kind = kind,
						 .wall_ns = kn__wall(clock),
#define X(type, field, attribute) .field = NOTHING_##type,
						 KN_EVENT_FIELDS(X)
#undef X
	};
}

/* A text that is empty says nothing. */
const char *
kn__said(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : text;
}

void
kn__event_fault(kn_event *event, const kn__fault *fault, bool show_parameters)
{
	const kn_error *error = &fault->error;

	event->status = error->status;
	event->error = error->status == KN_OK ? NULL : kn_status_name(error->status);
	event->sqlstate = kn__said(error->sqlstate);
	/* What does not fit is quoted by the server, and by this library. */
	if (show_parameters || !(fault->may_quote || error->status == KN_DATA))
		event->message = kn__said(error->message);
}

void
kn__event_parameters(kn_event *event, const kn_value *values, int count, bool show_parameters)
{
	event->parameter_count = count;
	event->parameters = show_parameters && count > 0 ? values : NULL;
}

bool
kn_event_field(const kn_event *event, int *at, kn_field *out)
{
#define TAKE_TEXT(field, name) \
	*out = (kn_field){ .attribute = (name), .text = event->field }, out->text != NULL
#define TAKE_NUMBER(field, name) \
	*out = (kn_field){ .attribute = (name), .number = event->field }, out->number >= 0
	int number = 0;

	if (event == NULL || at == NULL || out == NULL)
		return false;
#define X(type, field, name)                           \
	if (*at <= number++ && (TAKE_##type(field, name))) \
	{                                                  \
		*at = number;                                  \
		return true;                                   \
	}
	KN_EVENT_FIELDS(X)
#undef X
	*at = number;
	return false;
}
