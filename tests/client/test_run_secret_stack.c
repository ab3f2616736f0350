/*
 * test_run_secret_stack.c
 *		What is left of a secret on the stack of whoever asked for it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/secret.h"
#include "suite.h"

#define STACK_SIZE (1024 * 1024)

static const kn_secret_request about = { .name = "shop", .host = "h", .port = 7, .user = "ada" };
static char buffer[KN__SECRET_LIMIT];
static uint64_t version;
static _Thread_local kn__fault fault;
static char long_secret[200];

static kn_status
give_long(void *user, const kn_secret_request *request, char *out, size_t capacity)
{
	(void) user;
	(void) request;
	ck_assert_uint_gt(capacity, sizeof(long_secret));
	memcpy(out, long_secret, sizeof(long_secret));
	return KN_OK;
}

static void *
ask_with_own_stack(void *user)
{
	kn_status status = kn__secret_get(user, 0, KN__NEVER, buffer, &version, &fault);

	return status == KN_OK ? user : NULL;
}

/* What no program may look at any more, the file of its memory shows. */
static void
read_memory(const char *at, char *into, size_t size)
{
	int memory = open("/proc/self/mem", O_RDONLY);

	ck_assert_int_ge(memory, 0);
	for (size_t done = 0; done < size;)
	{
		ssize_t n = pread(memory, into + done, size - done, (off_t) (uintptr_t) at + (off_t) done);

		ck_assert_int_gt(n, 0);
		done += (size_t) n;
	}
	(void) close(memory);
}

/* Nothing, once whoever asked is gone. */
START_TEST(the_stack_is_wiped)
{
	char *stack = aligned_alloc(4096, STACK_SIZE);
	char *seen = malloc(STACK_SIZE);
	kn__secret secret;
	size_t longest = 0;
	pthread_attr_t attr;
	pthread_t thread;
	void *got;

	ck_assert_ptr_nonnull(stack);
	ck_assert_ptr_nonnull(seen);
	memset(stack, 0, STACK_SIZE);
	memset(long_secret, 's', sizeof(long_secret) - 1);
	ck_assert_int_eq(kn__secret_init(&secret, give_long, NULL, &about, 100, NULL), KN_OK);
	ck_assert_int_eq(pthread_attr_init(&attr), 0);
	ck_assert_int_eq(pthread_attr_setstack(&attr, stack, STACK_SIZE), 0);
	ck_assert_int_eq(pthread_create(&thread, &attr, ask_with_own_stack, &secret), 0);
	ck_assert_int_eq(pthread_join(thread, &got), 0);
	ck_assert_ptr_eq(got, &secret);
	ck_assert_str_eq(buffer, long_secret);
	read_memory(stack, seen, STACK_SIZE);
	for (size_t i = 0, run = 0; i < STACK_SIZE; i++)
	{
		run = seen[i] == 's' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	/* Registers that were put there have as much of it as they hold. */
	ck_assert_uint_lt(longest, sizeof(long_secret) - 1);
	kn__secret_release(&secret);
	ck_assert_int_eq(pthread_attr_destroy(&attr), 0);
	free(stack);
	free(seen);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, the_stack_is_wiped);
}

int
main(void)
{
	return suite_run("run_secret_stack", fill);
}
