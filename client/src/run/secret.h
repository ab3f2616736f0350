/*
 * secret.h
 *		The password for a server, asked for when it is needed, and kept for a while.
 */
#ifndef KN_SRC_RUN_SECRET_H
#define KN_SRC_RUN_SECRET_H

#include <pthread.h>

#include "base/cond.h"
#include "kints/db.h"

/* No secret is longer, its NUL included: tokens of cloud providers are a few thousand bytes. */
#define KN__SECRET_LIMIT 16384

typedef struct kn__secret
{
	kn_secret_fn *ask; /* NULL: there is none, and connections go without */
	void *user;
	kn_secret_request about; /* whose it is */
	int64_t keep_ns;         /* how long a secret is used; KN__NEVER: until it is refused */
	const kn_allocator *allocator;
	pthread_mutex_t lock; /* of what follows; nobody is asked with it held */
	pthread_cond_t asked;
	bool is_asking;
	char *value;         /* KN__SECRET_LIMIT bytes, "": nothing is known */
	uint64_t version;    /* of the value; a new value is a new version */
	bool is_refused;     /* and nothing better was to be had */
	int64_t asked_at;    /* monotonic nanoseconds */
	int64_t pause_until; /* as long as the value is good, whose source was slow and gave none */
} kn__secret;

/* What about has lives as long; secret_ms is that of kn_config.  KN_NO_MEMORY, or KN_OK. */
extern kn_status kn__secret_init(kn__secret *secret, kn_secret_fn *ask, void *user,
								 const kn_secret_request *about, int64_t secret_ms,
								 const kn_allocator *allocator);
extern void kn__secret_release(kn__secret *secret);

/*
 * Writes the secret, with its NUL, into a buffer of KN__SECRET_LIMIT bytes, for the caller to
 * wipe; *version says which one it is.  Asks for it if none is known, or it is too old.  It is
 * asked for by one at a time; other threads wait meanwhile, until a moment of kn__now(NULL), which
 * is KN_TIMEOUT, and so is an answer after that.  If it is only too old and no new one is to be
 * had, or not yet, the old one is good enough: the source is told to leave time for it.  Where it
 * fails, the fault says which source does, and why.
 */
extern kn_status kn__secret_get(kn__secret *secret, int64_t now, int64_t until, char *buffer,
								uint64_t *version, kn__fault *fault);

/*
 * The server has refused a version (SQLSTATE 28P01).  Whether connecting should be tried again,
 * once: there is another secret by now, or there is one after asking with refresh set.
 * Of many threads that were refused the same one, the first asks; why that gave none is a detail
 * of the fault, which is the server's refusal.
 */
extern bool kn__secret_refused(kn__secret *secret, int64_t now, int64_t until, uint64_t version,
							   kn__fault *fault);

#endif
