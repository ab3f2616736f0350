/*
 * status.c
 *		What each status is called, and the version of the library.
 */
#include "base/base.h"

static const struct
{
	const char *name;
	const char *text;
	bool is_retryable;
} statuses[KN_STATUS_COUNT] = {
#define X(name, text, retryable) [KN_##name] = { "KN_" #name, text, retryable },
	KN_STATUSES(X)
#undef X
};

static bool
is_known(kn_status status)
{
	return (unsigned) status < KN_STATUS_COUNT;
}

const char *
kn_status_name(kn_status status)
{
	return is_known(status) ? statuses[status].name : "KN_UNKNOWN";
}

const char *
kn_status_text(kn_status status)
{
	return is_known(status) ? statuses[status].text : "no status of this library";
}

bool
kn_status_is_retryable(kn_status status)
{
	return is_known(status) && statuses[status].is_retryable;
}

int
kn_version(void)
{
	return KN_VERSION_NUM;
}
