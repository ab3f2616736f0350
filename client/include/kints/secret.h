/*
 * kints/secret.h
 *		Ready-made sources of passwords, for kn_config.secret.
 *
 * Each is a kn_secret_fn; what its user pointer has to be is said below, and has to outlive
 * the handle.  One newline at the end of what they find does not count.  A secret is never
 * empty and has no NUL in it; one that does not fit in capacity bytes with its final NUL is
 * KN_CONFIG, never cut, and so is a user that is NULL.  What is only missing for a while, such as a
 * file that is being replaced, is KN_UNAVAILABLE.  Where there is none, they say in the request's
 * reason which of them, of what, and why.
 *
 * Threads: all may be called from any thread at any time.
 */
#ifndef KINTS_SECRET_H
#define KINTS_SECRET_H

#include "kints/db.h"

KN_BEGIN_DECLS

/*
 * An environment variable; user is its name, a const char *.  Returns KN_OK, or KN_CONFIG if it
 * is not set or empty.  The process must not change its environment meanwhile.
 */
KN_API kn_status kn_secret_environment(void *user, const kn_secret_request *request, char *buffer,
									   size_t capacity);

/*
 * A file, read anew each time; user is its path, a const char *.  Who else may read it is not
 * looked at.  Returns KN_OK, KN_CONFIG for what cannot be a secret, KN_UNAVAILABLE if it cannot
 * be read.
 */
KN_API kn_status kn_secret_file(void *user, const kn_secret_request *request, char *buffer,
								size_t capacity);

/* What kn_secret_command() runs.  Nothing of it is copied: it has to outlive the handle. */
typedef struct kn_secret_program
{
	size_t size;             /* of this struct */
	const char *const *argv; /* the program and its arguments, ended by NULL; PATH is searched */
	int64_t timeout_ms;      /* until it has to be done (0: 10000; -1: as long as it takes); less
							  * where the request says so */
} kn_secret_program;

/*
 * What a program prints; user is a kn_secret_program *.  It gets the environment, with
 * KINTS_SECRET_HOST, _PORT, _DATABASE and _USER in it, and KINTS_SECRET_REFRESH=1 if the server has
 * refused the last secret; no input, and what it says on its standard error is dropped.  No shell
 * is involved.  Blocks until the program has ended.  Returns KN_OK; KN_CONFIG if it cannot be run
 * or prints what cannot be a secret; KN_UNAVAILABLE if it fails, or there is no memory or
 * descriptor to start it; KN_TIMEOUT: it was killed, with all it has started that is still in its
 * process group.
 */
KN_API kn_status kn_secret_command(void *user, const kn_secret_request *request, char *buffer,
								   size_t capacity);

KN_END_DECLS

#endif
