/*
 * test_run_secret.c
 *		A secret is kept, grows old, is refused and asked for again, by one thread at a time.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "failing.h"
#include "run/secret.h"
#include "suite.h"

/* Gives whatever it is told to give, and counts. */
typedef struct source
{
	const char *text;
	const char *refreshed; /* NULL: the same */
	const char *reason;    /* NULL: none is said */
	kn_status status;
	int calls;
	int refreshes;
	int inside;
} source;

static kn_status
give(void *user, const kn_secret_request *request, char *buffer, size_t capacity)
{
	source *s = user;

	ck_assert_int_eq(s->inside++, 0);
	ck_assert_uint_eq(request->size, sizeof(*request));
	ck_assert_str_eq(request->name, "shop");
	ck_assert_str_eq(request->host, "h");
	ck_assert_int_eq(request->port, 7);
	ck_assert_str_eq(request->user, "ada");
	ck_assert_uint_eq(capacity, KN__SECRET_LIMIT);
	s->calls++;
	s->refreshes += request->refresh ? 1 : 0;
	if (request->refresh && s->refreshed != NULL)
		s->text = s->refreshed;
	strcpy(buffer, s->text);
	ck_assert_str_eq(request->reason, "");
	if (s->reason != NULL)
		(void) snprintf(request->reason, request->reason_capacity, "%s", s->reason);
	s->inside--;
	return s->status;
}

static const kn_secret_request about = { .name = "shop", .host = "h", .port = 7, .user = "ada" };
static char buffer[KN__SECRET_LIMIT];
static uint64_t version;
static _Thread_local kn__fault fault;

#define MS KN__NS_PER_MS

START_TEST(is_kept_for_a_while)
{
	source s = { .text = "one" };
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, give, &s, &about, 100, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, KN__NEVER, buffer, &version, &fault), KN_OK);
	ck_assert_str_eq(buffer, "one");
	ck_assert_uint_eq(version, 1);
	s.text = "two";
	ck_assert_int_eq(kn__secret_get(&secret, 99 * MS, KN__NEVER, buffer, &version, &fault), KN_OK);
	ck_assert_str_eq(buffer, "one");
	ck_assert_int_eq(s.calls, 1);
	ck_assert_int_eq(kn__secret_get(&secret, 100 * MS, KN__NEVER, buffer, &version, &fault), KN_OK);
	ck_assert_str_eq(buffer, "two");
	ck_assert_uint_eq(version, 2);
	ck_assert_int_eq(kn__secret_get(&secret, 200 * MS, KN__NEVER, buffer, &version, &fault), KN_OK);
	ck_assert_uint_eq(version, 2);
	ck_assert_int_eq(s.calls, 3);
	ck_assert_int_eq(s.refreshes, 0);
	kn__secret_release(&secret);
}
END_TEST

START_TEST(may_be_kept_for_ever)
{
	source s = { .text = "one" };
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, give, &s, &about, -1, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, KN__NEVER, buffer, &version, &fault), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, INT64_MAX, KN__NEVER, buffer, &version, &fault),
					 KN_OK);
	ck_assert_int_eq(s.calls, 1);
	kn__secret_release(&secret);
}
END_TEST

START_TEST(without_a_source_there_is_none)
{
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, NULL, NULL, &about, 100, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, KN__NEVER, buffer, &version, &fault), KN_OK);
	ck_assert_str_eq(buffer, "");
	ck_assert_uint_eq(version, 0);
	ck_assert(!kn__secret_refused(&secret, 0, KN__NEVER, version, &fault));
	kn__secret_release(&secret);
}
END_TEST

/* The first who is refused asks with refresh set; others that were refused the same find it new. */
START_TEST(a_refused_one_is_refreshed_once)
{
	source s = { .text = "one", .refreshed = "two" };
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, give, &s, &about, 1000, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, KN__NEVER, buffer, &version, &fault), KN_OK);
	for (int i = 0; i < 3; i++)
		ck_assert(kn__secret_refused(&secret, 1, KN__NEVER, version, &fault));
	ck_assert_int_eq(s.calls, 2);
	ck_assert_int_eq(s.refreshes, 1);
	ck_assert_int_eq(kn__secret_get(&secret, 2, KN__NEVER, buffer, &version, &fault), KN_OK);
	ck_assert_str_eq(buffer, "two");
	ck_assert_uint_eq(version, 2);
	ck_assert_int_eq(s.calls, 2);
	kn__secret_release(&secret);
}
END_TEST

START_TEST(a_refresh_may_not_help)
{
	source s = { .text = "one" };
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, give, &s, &about, 1000, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, KN__NEVER, buffer, &version, &fault), KN_OK);
	for (int i = 0; i < 3; i++)
		ck_assert(!kn__secret_refused(&secret, 1, KN__NEVER, version, &fault));
	ck_assert_int_eq(s.calls, 2);
	s.text = "two"; /* the next connection asks, however young the refused one is */
	ck_assert_int_eq(kn__secret_get(&secret, 2, KN__NEVER, buffer, &version, &fault), KN_OK);
	ck_assert_str_eq(buffer, "two");
	ck_assert_int_eq(s.calls, 3);
	/* It was the old one that was refused. */
	ck_assert(kn__secret_refused(&secret, 3, KN__NEVER, 1, &fault));
	ck_assert_int_eq(s.calls, 3);
	kn__secret_release(&secret);
}
END_TEST

START_TEST(a_refused_one_is_not_used_again)
{
	source s = { .text = "one" };
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, give, &s, &about, 1000, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, KN__NEVER, buffer, &version, &fault), KN_OK);
	s.status = KN_UNAVAILABLE;
	ck_assert(!kn__secret_refused(&secret, 1, KN__NEVER, version, &fault));
	ck_assert_int_eq(kn__secret_get(&secret, 2, KN__NEVER, buffer, &version, &fault),
					 KN_UNAVAILABLE);
	ck_assert_str_eq(buffer, "");
	s.status = KN_OK;
	ck_assert_int_eq(kn__secret_get(&secret, 3, KN__NEVER, buffer, &version, &fault), KN_OK);
	ck_assert_str_eq(buffer, "one");
	kn__secret_release(&secret);
}
END_TEST

/* One that is too old is better than none, but at the beginning there is nothing to fall back on.
 */
START_TEST(the_source_may_fail)
{
	source s = { .text = "one", .status = KN_TIMEOUT };
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, give, &s, &about, 100, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, KN__NEVER, buffer, &version, &fault), KN_TIMEOUT);
	ck_assert_str_eq(buffer, "");
	s.status = KN_OK;
	ck_assert_int_eq(kn__secret_get(&secret, 0, KN__NEVER, buffer, &version, &fault), KN_OK);
	s.status = KN_TIMEOUT;
	s.text = "two";
	ck_assert_int_eq(kn__secret_get(&secret, 500 * MS, KN__NEVER, buffer, &version, &fault), KN_OK);
	ck_assert_str_eq(buffer, "one");
	ck_assert_int_eq(s.calls, 3);
	s.status = KN_OK;
	ck_assert_int_eq(kn__secret_get(&secret, 501 * MS, KN__NEVER, buffer, &version, &fault), KN_OK);
	ck_assert_str_eq(buffer, "two");
	s.text = "";
	/* An empty one is none. */
	ck_assert(!kn__secret_refused(&secret, 502 * MS, KN__NEVER, version, &fault));
	kn__secret_release(&secret);
}
END_TEST

static const struct
{
	source source;
	const char *reason;
} failures[] = {
	{ { .text = "", .status = KN_UNAVAILABLE, .reason = "the vault is sealed" },
	  "the vault is sealed" },
	{ { .text = "half a secret", .status = KN_TIMEOUT }, "kn_config.secret returned KN_TIMEOUT" },
	{ { .text = "", .reason = "all is well" }, "kn_config.secret gave an empty text" },
};

/* Who is to blame, and for what, and nothing of what was given. */
START_TEST(tells_why_there_is_none)
{
	source s = failures[_i].source;
	source good = { .text = "one" };
	char message[200];
	kn__secret secret;
	kn_status status;

	(void) snprintf(message,
					sizeof(message),
					"the password for server \"h\" was not to be had: %s",
					failures[_i].reason);
	ck_assert_int_eq(kn__secret_init(&secret, give, &s, &about, 100, NULL), KN_OK);
	status = kn__secret_get(&secret, 0, KN__NEVER, buffer, &version, &fault);
	ck_assert_int_ne(status, KN_OK);
	ck_assert_int_eq(fault.error.status, status);
	ck_assert_str_eq(fault.error.message, message);
	/* A secret that is refused: the error is the server's, and that there is no other a detail. */
	secret.user = &good;
	ck_assert_int_eq(kn__secret_get(&secret, 0, KN__NEVER, buffer, &version, &fault), KN_OK);
	secret.user = &s;
	(void) kn__fail(&fault, KN_AUTH, "refused");
	ck_assert(!kn__secret_refused(&secret, 1, KN__NEVER, version, &fault));
	ck_assert_str_eq(fault.error.message, "refused");
	ck_assert_str_eq(fault.error.detail, failures[_i].reason);
	kn__secret_release(&secret);
}
END_TEST

static void *
get_often(void *user)
{
	char mine[KN__SECRET_LIMIT];
	uint64_t number;

	for (int i = 0; i < 200; i++)
	{
		if (kn__secret_get(user, i, KN__NEVER, mine, &number, &fault) != KN_OK || mine[0] == '\0')
			return user;
		if (i % 10 == 0)
			(void) kn__secret_refused(user, i, KN__NEVER, number, &fault);
	}
	return NULL;
}

static kn_status
count_up(void *user, const kn_secret_request *request, char *out, size_t capacity)
{
	int *count = user; /* no atomic: the library takes care that it needs none */

	(void) request;
	(void) snprintf(out, capacity, "secret %d", ++*count);
	return KN_OK;
}

START_TEST(threads_ask_one_after_the_other)
{
	pthread_t threads[4];
	kn__secret secret;
	int count = 0;

	ck_assert_int_eq(kn__secret_init(&secret, count_up, &count, &about, -1, NULL), KN_OK);
	for (int i = 0; i < COUNT(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, get_often, &secret), 0);
	for (int i = 0; i < COUNT(threads); i++)
	{
		void *failed;

		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	ck_assert_uint_eq(secret.version, (uint64_t) count);
	ck_assert_int_ge(count, 21);
	ck_assert_int_le(count, 81);
	kn__secret_release(&secret);
}
END_TEST

/* A source that hangs until it is let go. */
typedef struct hanging
{
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_asked;
	bool may_go;
} hanging;

static kn_status
hang(void *user, const kn_secret_request *request, char *out, size_t capacity)
{
	hanging *h = user;

	(void) pthread_mutex_lock(&h->lock);
	/* The first one is there at once. */
	h->is_asked = request->refresh || h->is_asked;
	(void) pthread_cond_broadcast(&h->changed);
	while (!h->may_go)
		(void) pthread_cond_wait(&h->changed, &h->lock);
	(void) pthread_mutex_unlock(&h->lock);
	(void) snprintf(out, capacity, request->refresh ? "new" : "old");
	return KN_OK;
}

static void *
refuse(void *secret)
{
	return kn__secret_refused(secret, 1, KN__NEVER, 1, &fault) ? secret : NULL;
}

/* Who waits for somebody else's question has a deadline, and who has a secret does not wait. */
START_TEST(who_hangs_holds_up_nobody)
{
	hanging h = { .may_go = true };
	pthread_t thread;
	kn__secret secret;
	void *helped;

	(void) pthread_mutex_init(&h.lock, NULL);
	(void) pthread_cond_init(&h.changed, NULL);
	ck_assert_int_eq(kn__secret_init(&secret, hang, &h, &about, 1000, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, KN__NEVER, buffer, &version, &fault), KN_OK);
	h.may_go = false;
	ck_assert_int_eq(pthread_create(&thread, NULL, refuse, &secret), 0);
	(void) pthread_mutex_lock(&h.lock);
	while (!h.is_asked)
		(void) pthread_cond_wait(&h.changed, &h.lock);
	(void) pthread_mutex_unlock(&h.lock);
	ck_assert_int_eq(kn__secret_get(&secret, 2000 * MS, 0, buffer, &version, &fault), KN_OK);
	ck_assert_str_eq(buffer, "old");
	ck_assert(!kn__secret_refused(&secret, 2, kn__now(NULL) + MS, version, &fault));
	(void) pthread_mutex_lock(&h.lock);
	h.may_go = true;
	(void) pthread_cond_broadcast(&h.changed);
	(void) pthread_mutex_unlock(&h.lock);
	ck_assert_int_eq(pthread_join(thread, &helped), 0);
	ck_assert_ptr_eq(helped, &secret);
	ck_assert_int_eq(kn__secret_get(&secret, 3, KN__NEVER, buffer, &version, &fault), KN_OK);
	ck_assert_str_eq(buffer, "new");
	kn__secret_release(&secret);
}
END_TEST

static void *
get_first(void *secret)
{
	char mine[KN__SECRET_LIMIT];
	uint64_t number;

	return kn__secret_get(secret, 0, KN__NEVER, mine, &number, &fault) == KN_OK ? secret : NULL;
}

START_TEST(nobody_waits_past_his_deadline)
{
	hanging h = { .may_go = false };
	pthread_t thread;
	kn__secret secret;
	void *got;
	bool is_asking = false;

	(void) pthread_mutex_init(&h.lock, NULL);
	(void) pthread_cond_init(&h.changed, NULL);
	ck_assert_int_eq(kn__secret_init(&secret, hang, &h, &about, 1000, NULL), KN_OK);
	ck_assert_int_eq(pthread_create(&thread, NULL, get_first, &secret), 0);
	while (!is_asking)
	{
		(void) pthread_mutex_lock(&secret.lock);
		is_asking = secret.is_asking;
		(void) pthread_mutex_unlock(&secret.lock);
	}
	ck_assert_int_eq(kn__secret_get(&secret, 0, kn__now(NULL) + MS, buffer, &version, &fault),
					 KN_TIMEOUT);
	ck_assert_str_eq(fault.error.message,
					 "the password for server \"h\" was not to be had: another connection still "
					 "waits for it");
	ck_assert_str_eq(buffer, "");
	(void) pthread_mutex_lock(&h.lock);
	h.may_go = true;
	(void) pthread_cond_broadcast(&h.changed);
	(void) pthread_mutex_unlock(&h.lock);
	ck_assert_int_eq(pthread_join(thread, &got), 0);
	ck_assert_ptr_eq(got, &secret);
	kn__secret_release(&secret);
}
END_TEST

/* Memory that goes back has no secret in it. */
static bool was_clean;

static void
look_and_release(void *user, void *memory, size_t size)
{
	const char *bytes = memory;

	for (size_t i = 0; i < size; i++)
		was_clean &= bytes[i] == '\0';
	failing_release(user, memory, size);
}

START_TEST(memory_is_wiped)
{
	source s = { .text = "one" };
	kn__secret secret;
	failing f;

	failing_init(&f, 0, false);
	f.allocator.release = look_and_release;
	was_clean = true;
	ck_assert_int_eq(kn__secret_init(&secret, give, &s, &about, 100, &f.allocator), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, KN__NEVER, buffer, &version, &fault), KN_OK);
	kn__secret_release(&secret);
	ck_assert(was_clean);
	ck_assert(failing_is_even(&f));
	failing_init(&f, 1, false);
	ck_assert_int_eq(kn__secret_init(&secret, give, &s, &about, 100, &f.allocator), KN_NO_MEMORY);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, is_kept_for_a_while);
	tcase_add_test(tcase, may_be_kept_for_ever);
	tcase_add_test(tcase, without_a_source_there_is_none);
	tcase_add_test(tcase, a_refused_one_is_refreshed_once);
	tcase_add_test(tcase, a_refresh_may_not_help);
	tcase_add_test(tcase, a_refused_one_is_not_used_again);
	tcase_add_test(tcase, the_source_may_fail);
	LOOP(tcase, tells_why_there_is_none, failures);
	tcase_add_test(tcase, threads_ask_one_after_the_other);
	tcase_add_test(tcase, who_hangs_holds_up_nobody);
	tcase_add_test(tcase, nobody_waits_past_his_deadline);
	tcase_add_test(tcase, memory_is_wiped);
}

int
main(void)
{
	return suite_run("run_secret", fill);
}
