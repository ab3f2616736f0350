/*
 * soak_trouble.h
 *		What the soak does to the client: sessions are killed, connections cut, calls cancelled;
 *		and who listens and keeps a cache meanwhile.
 */
#ifndef KN_TESTS_SOAK_TROUBLE_H
#define KN_TESTS_SOAK_TROUBLE_H

#include "soak_writes.h"

#include <dirent.h>
#include <libpq-fe.h>
#include <sys/socket.h>
#include <unistd.h>

#define CANCEL_MS 20
#define CUT_MS    100
#define MOST_FDS  256

static _Atomic(uint64_t) cuts;
static uint64_t kills;

static void *
cancel_some(void *argument)
{
	worker *own = argument;

	while (!atomic_load(&is_over))
	{
		worker *w = &workers[roll(own, THREADS)];

		(void) pthread_mutex_lock(&w->lock);
		if (w->cx != NULL)
			kn_cancel(w->cx);
		(void) pthread_mutex_unlock(&w->lock);
		rest(CANCEL_MS);
	}
	return NULL;
}

/* Descriptors of the process; -1 at the end. */
static int
list_descriptors(int *fds, int most)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;
	int count = 0;

	if (directory == NULL)
		exit(EXIT_FAILURE);
	while ((entry = readdir(directory)) != NULL)
	{
		int fd = (int) strtol(entry->d_name, NULL, 10);

		if (*entry->d_name != '.' && fd != dirfd(directory) && count < most)
			fds[count++] = fd;
	}
	(void) closedir(directory);
	return count;
}

static int
descriptors(void)
{
	int fds[MOST_FDS];

	return list_descriptors(fds, MOST_FDS);
}

/*
 * Some connection of this process is over from here on, whatever is under way on it: what has
 * been sent arrives, and is done, and its answer does not.  That is a COMMIT in doubt.
 */
static void *
cut_some(void *argument)
{
	worker *own = argument;

	while (!atomic_load(&is_over))
	{
		int fds[MOST_FDS];
		int count = list_descriptors(fds, MOST_FDS);
		int at = count == 0 ? 0 : (int) roll(own, (uint64_t) count);
		struct sockaddr_storage peer;

		for (int i = 0; i < count; i++)
		{
			int fd = fds[(at + i) % count];
			socklen_t length = sizeof(peer);

			if (getpeername(fd, (struct sockaddr *) &peer, &length) != 0 ||
				shutdown(fd, SHUT_RDWR) != 0)
				continue;
			atomic_fetch_add(&cuts, 1);
			break;
		}
		rest(CUT_MS);
	}
	return NULL;
}

static void
kill_one(void)
{
	PGconn *look = PQconnectdb(getenv("KN_TEST_DIRECT"));
	PGresult *result = PQexec(
		look,
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kn_soak'"
		" ORDER BY random() LIMIT 1");

	kills += PQntuples(result) == 1;
	PQclear(result);
	PQfinish(look);
}

/* The program's own cache: a few entries, which never get too old by themselves. */
typedef struct entry
{
	char key[64];
	size_t size;
	char bytes[512];
} entry;

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static entry entries[64];
static int entry_count;
static uint64_t hits;

static entry *
find_entry(const char *key)
{
	for (int i = 0; i < entry_count; i++)
	{
		if (strcmp(entries[i].key, key) == 0)
			return &entries[i];
	}
	return NULL;
}

static void
cache_get(void *user, const char *key, kn_found_fn *found, void *into)
{
	const entry *e;

	(void) user;
	(void) pthread_mutex_lock(&cache_lock);
	e = find_entry(key);
	if (e != NULL && e->size > 0)
	{
		hits++;
		found(into, e->bytes, e->size);
	}
	(void) pthread_mutex_unlock(&cache_lock);
}

static void
cache_put(void *user, const char *key, const void *bytes, size_t size, int64_t ttl_ms)
{
	entry *e;

	(void) user;
	(void) ttl_ms;
	(void) pthread_mutex_lock(&cache_lock);
	e = find_entry(key);
	if (e == NULL)
	{
		e = &entries[entry_count++];
		(void) snprintf(e->key, sizeof(e->key), "%s", key);
	}
	if (size > sizeof(e->bytes))
		exit(EXIT_FAILURE);
	memcpy(e->bytes, bytes, size);
	e->size = size;
	(void) pthread_mutex_unlock(&cache_lock);
}

static void
cache_remove(void *user, const char *key)
{
	entry *e;

	(void) user;
	(void) pthread_mutex_lock(&cache_lock);
	e = find_entry(key);
	if (e != NULL)
		e->size = 0;
	(void) pthread_mutex_unlock(&cache_lock);
}

static const kn_cache cache = { cache_get, cache_put, cache_remove, NULL };

/* What is known of a note by who listens. */
#define HEARD 1
#define FOUND 2 /* in the table, after a gap */
#define TWICE 4 /* heard once more */

static kn_listener *listener;
static pthread_t listening;
static _Atomic(bool) has_heard_end;
static unsigned char *known[THREADS];
static uint64_t gaps;
static _Atomic(bool) is_deaf; /* what is heard makes no sense */

static void
hear(const char *payload)
{
	char *end;
	long number = strtol(payload, &end, 10);
	long note = strtol(end, NULL, 10);

	if (number < 0 || number >= THREADS || note < 0 || note >= NOTES)
		atomic_store(&is_deaf, true);
	else
		known[number][note] |= (known[number][note] & HEARD) != 0 ? TWICE : HEARD;
}

/* After a gap, the table is looked at: by as many attempts as it takes. */
static void
look_at_notes(void)
{
	kn_status status;

	do
	{
		kn_ctx *cx = begin_as(NOBODY, 8000);
		kn_rows *rows = kn_stream(cx, "SELECT worker, note FROM kn_soak_note");

		while (kn_next(rows))
			known[kn_get_i32(rows, 0)][kn_get_i32(rows, 1)] |= FOUND;
		status = kn_done(rows);
		kn_end(cx);
	} while (status != KN_OK);
}

static void *
listen_on(void *argument)
{
	while (!atomic_load(&has_heard_end))
	{
		const kn_notification *heard;
		kn_status status = kn_next_notification(listener, 500, &heard);

		if (status == KN_TIMEOUT)
			continue;
		if (status != KN_OK)
		{
			(void) printf("listener: %s: %s\n",
						  kn_status_name(status),
						  kn_listener_error(listener)->message);
			atomic_store(&is_deaf, true);
			break;
		}
		gaps += heard->is_gap;
		if (heard->is_gap)
			look_at_notes();
		else if (strcmp(heard->payload, "end") == 0)
			atomic_store(&has_heard_end, true);
		else
			hear(heard->payload);
	}
	return argument;
}

#endif
