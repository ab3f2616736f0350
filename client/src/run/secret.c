/*
 * secret.c
 *		The password for a server, asked for when it is needed, and kept for a while.
 *
 * Whoever gives secrets is asked by one thread at a time, so that a hundred connections
 * that are refused at once ask once; but with no lock held: who hangs holds up nobody for longer
 * than he has to wait.  A secret is in memory in two places: here, and in the buffer of who
 * connects, who wipes it.
 */
#include "run/secret.h"

#include <stdio.h>
#include <string.h>

#define REASON_LIMIT 400
#define AT_ONCE_NS   (100 * KN__NS_PER_MS)
#define PATIENCE     10 /* a source that fails is not asked for so many times as long as it took */

static void put_off(kn__secret *secret, int64_t now, int64_t took);

kn_status
kn__secret_init(kn__secret *secret, kn_secret_fn *ask, void *user, const kn_secret_request *about,
				int64_t secret_ms, const kn_allocator *allocator)
{
	*secret = (kn__secret){
		.ask = ask,
		.user = user,
		.about = *about,
		.keep_ns = secret_ms < 0 ? KN__NEVER : secret_ms * KN__NS_PER_MS,
		.allocator = allocator,
	};
	secret->value = kn__allocate_zero(allocator, 1, KN__SECRET_LIMIT);
	if (secret->value == NULL)
		return KN_NO_MEMORY;
	if (pthread_mutex_init(&secret->lock, NULL) != 0)
	{
		kn__release(allocator, secret->value, KN__SECRET_LIMIT);
		return KN_NO_MEMORY;
	}
	kn__cond_init(&secret->asked);
	return KN_OK;
}

void
kn__secret_release(kn__secret *secret)
{
	kn__wipe(secret->value, KN__SECRET_LIMIT);
	kn__release(secret->allocator, secret->value, KN__SECRET_LIMIT);
	(void) pthread_cond_destroy(&secret->asked);
	(void) pthread_mutex_destroy(&secret->lock);
	*secret = (kn__secret){ 0 };
}

/* Whether what is known is worth a try. */
static bool
is_good(const kn__secret *secret)
{
	return secret->value[0] != '\0' && !secret->is_refused;
}

/* What is wrong with what was given, or why nothing was, in the words of whoever was asked. */
static kn_status
judge(const char *given, kn_status status, char *reason)
{
	const char *fallback = "kn_config.secret gave no text that ends in its buffer";

	reason[REASON_LIMIT - 1] = '\0';
	if (status == KN_OK && memchr(given, '\0', KN__SECRET_LIMIT) != NULL && given[0] != '\0')
		return KN_OK;
	if (status == KN_OK && given[0] == '\0')
		fallback = "kn_config.secret gave an empty text";
	if (status != KN_OK && reason[0] == '\0')
		(void)
			snprintf(reason, REASON_LIMIT, "kn_config.secret returned %s", kn_status_name(status));
	else if (status == KN_OK)
		(void) snprintf(reason, REASON_LIMIT, "%s", fallback);
	return status == KN_OK ? KN_CONFIG : status;
}

/*
 * The lock is held, but for a while.  What was known stays unless another one was given; if not,
 * there is a reason.
 */
static kn_status
ask(kn__secret *secret, int64_t now, int64_t until, bool refresh, char *reason)
{
	char given[KN__SECRET_LIMIT] = "";
	kn_secret_request request = secret->about;
	int64_t begun = kn__now(NULL);
	kn_status status;

	request.size = sizeof(request);
	request.refresh = refresh;
	request.reason = reason;
	request.reason_capacity = REASON_LIMIT;
	if (!refresh && is_good(secret) && until != KN__NEVER)
		request.timeout_ms = until <= begun ? 1 : (until - begun) / (2 * KN__NS_PER_MS) + 1;
	secret->is_asking = true;
	(void) pthread_mutex_unlock(&secret->lock);
	status = judge(given, secret->ask(secret->user, &request, given, sizeof(given)), reason);
	(void) pthread_mutex_lock(&secret->lock);
	secret->is_asking = false;
	(void) pthread_cond_broadcast(&secret->asked);
	if (status == KN_OK)
	{
		secret->asked_at = now;
		secret->is_refused = false;
		if (strcmp(given, secret->value) != 0)
		{
			kn__wipe(secret->value, KN__SECRET_LIMIT);
			memcpy(secret->value, given, strlen(given) + 1);
			secret->version++;
		}
	}
	else
		put_off(secret, now, kn__now(NULL) - begun);
	kn__wipe(given, sizeof(given));
	if (status == KN_OK && kn__now(NULL) >= until)
		(void) snprintf(reason, REASON_LIMIT, "kn_config.secret took too long");
	return status;
}

/* One that fails at once may be asked each time. */
static void
put_off(kn__secret *secret, int64_t now, int64_t took)
{
	int64_t length = took > secret->keep_ns / PATIENCE ? secret->keep_ns : took * PATIENCE;

	if (took < AT_ONCE_NS)
		length = 0;
	secret->pause_until = now > KN__NEVER - length ? KN__NEVER : now + length;
}

/* Waits for who asks, with the lock held.  False: the time is over. */
static bool
await_answer(kn__secret *secret, int64_t until)
{
	bool is_late = false;

	while (secret->is_asking && !is_late)
		is_late = !kn__cond_wait(&secret->asked, &secret->lock, until);
	return !secret->is_asking;
}

static bool
is_old(const kn__secret *secret, int64_t now)
{
	return secret->keep_ns != KN__NEVER && now - secret->asked_at >= secret->keep_ns &&
		   now >= secret->pause_until;
}

kn_status
kn__secret_get(kn__secret *secret, int64_t now, int64_t until, char *buffer, uint64_t *version,
			   kn__fault *fault)
{
	char reason[REASON_LIMIT] = "another connection still waits for it";
	kn_status status = KN_OK;
	bool is_late = false;

	buffer[0] = '\0';
	*version = 0;
	if (secret->ask == NULL)
		return KN_OK;
	(void) pthread_mutex_lock(&secret->lock);
	if (!is_good(secret) && !await_answer(secret, until))
		status = KN_TIMEOUT;
	else if ((!is_good(secret) || is_old(secret, now)) && !secret->is_asking)
	{
		reason[0] = '\0';
		status = ask(secret, now, until, false, reason);
		is_late = kn__now(NULL) >= until;
	}
	if (is_late)
		status = KN_TIMEOUT;
	else if (is_good(secret))
	{
		memcpy(buffer, secret->value, strlen(secret->value) + 1);
		*version = secret->version;
		status = KN_OK;
	}
	(void) pthread_mutex_unlock(&secret->lock);
	if (status == KN_OK)
		return KN_OK;
	(void) kn__fail(fault,
					status,
					"the password for server \"%s\" was not to be had: %s",
					secret->about.host,
					reason);
	fault->is_ours = true;
	return status;
}

bool
kn__secret_refused(kn__secret *secret, int64_t now, int64_t until, uint64_t version,
				   kn__fault *fault)
{
	char reason[REASON_LIMIT] = "";
	bool is_other;

	if (secret->ask == NULL || version == 0)
		return false;
	(void) pthread_mutex_lock(&secret->lock);
	if (await_answer(secret, until) && secret->version == version && !secret->is_refused)
	{
		/* If it is still the same, the next connection asks anew, and this one gives up. */
		if (ask(secret, now, until, true, reason) != KN_OK)
			kn__fault_text(fault, &fault->error.detail, reason);
		secret->is_refused |= secret->version == version;
	}
	is_other = secret->version != version && is_good(secret);
	(void) pthread_mutex_unlock(&secret->lock);
	return is_other;
}
