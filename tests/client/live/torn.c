/*
 * torn.c
 *		Whatever is read or written is done in small pieces, and interrupted now and then.
 *
 * The system may do so at any time, and nobody must notice: each scene gives what it gives
 * otherwise.  send(), recv(), poll() and their like are defined here, in front of those of the C
 * library, for libpq and for the library; TLS goes through libpq's.  Each thread draws by lot from
 * KN_TEST_SEED, which is printed, and its number.
 */
#include "scenes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The C library's own, by names that nobody puts himself in front of. */
extern int __poll(struct pollfd *fds, nfds_t count, int timeout);
extern ssize_t __read(int fd, void *bytes, size_t n);
extern ssize_t __write(int fd, const void *bytes, size_t n);

typedef enum call
{
	CALL_SEND,
	CALL_RECV,
	CALL_POLL,
	CALL_WAIT,
	CALL_READ,
	CALL_WRITE,
	CALL_COUNT
} call;

/* How a scene is torn. */
static const struct
{
	const char *name;
	size_t most;         /* bytes at a time */
	unsigned interrupts; /* of 256 */
	unsigned refuses;    /* likewise: EAGAIN */
} manners[] = {
	{ "a byte at a time", 1, 0, 0 },
	{ "a few bytes", 7, 40, 20 },
	{ "pieces", 500, 100, 60 },
	{ "interrupted", SIZE_MAX, 128, 60 },
};

static _Atomic(int) manner = -1; /* none: nothing is torn */
static _Atomic(uint64_t) seed;
static _Atomic(uint64_t) threads;
static _Atomic(long) torn[CALL_COUNT];
static PGconn *look;

static unsigned
roll(void)
{
	static _Thread_local uint64_t state;
	static _Thread_local uint64_t round;
	uint64_t x;

	if (round != atomic_load(&seed))
	{
		round = atomic_load(&seed);
		state = round + (atomic_fetch_add(&threads, 1) << 32);
	}
	x = state += UINT64_C(0x9E3779B97F4A7C15);
	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return (unsigned) (x >> 33);
}

static bool
is_nonblocking(int fd)
{
	return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

/* Whether it is interrupted, or refused if it is one that does not wait. */
static bool
is_cut_short(call kind, int fd)
{
	int now = atomic_load(&manner);
	unsigned lot;

	if (now < 0)
		return false;
	lot = roll() & 255;
	if (lot < manners[now].interrupts)
		errno = EINTR;
	else if (fd >= 0 && lot < manners[now].interrupts + manners[now].refuses && is_nonblocking(fd))
		errno = EAGAIN;
	else
		return false;
	atomic_fetch_add(&torn[kind], 1);
	return true;
}

static size_t
some_of(call kind, size_t n)
{
	int now = atomic_load(&manner);
	size_t most;

	if (now < 0 || n <= 1 || manners[now].most == SIZE_MAX)
		return n;
	most = 1 + roll() % manners[now].most;
	if (most >= n)
		return n;
	atomic_fetch_add(&torn[kind], 1);
	return most;
}

/* What a connection begins with; PgBouncer refuses it unless all of it is there when it looks. */
static bool
is_greeting(const void *bytes, size_t n)
{
	static const unsigned char kinds[][4] = { { 0, 3, 0, 0 }, { 4, 210, 22, 47 } };

	for (size_t i = 0; n >= 8 && i < COUNT(kinds); i++)
	{
		if (memcmp((const char *) bytes + 4, kinds[i], sizeof(kinds[i])) == 0)
			return true;
	}
	return false;
}

/* A socket that blocks takes all of it: libpq sends a cancel request so, and relies on it. */
KN_API ssize_t
send(int fd, const void *bytes, size_t n, int flags)
{
	if (is_cut_short(CALL_SEND, fd))
		return -1;
	if (is_nonblocking(fd) && !(is_pooled() && is_greeting(bytes, n)))
		n = some_of(CALL_SEND, n);
	return sendto(fd, bytes, n, flags, NULL, 0);
}

KN_API ssize_t
recv(int fd, void *bytes, size_t n, int flags)
{
	return is_cut_short(CALL_RECV, fd)
			   ? -1
			   : recvfrom(fd, bytes, some_of(CALL_RECV, n), flags, NULL, NULL);
}

KN_API int
poll(struct pollfd *fds, nfds_t count, int timeout)
{
	return is_cut_short(CALL_POLL, -1) ? -1 : __poll(fds, count, timeout);
}

KN_API int
epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
	return is_cut_short(CALL_WAIT, -1) ? -1 : epoll_pwait(fd, events, count, timeout, NULL);
}

KN_API ssize_t
read(int fd, void *bytes, size_t n)
{
	return is_cut_short(CALL_READ, fd) ? -1 : __read(fd, bytes, some_of(CALL_READ, n));
}

/* What refuses a byte is full: nothing of the kind is said of a pipe that is not. */
KN_API ssize_t
write(int fd, const void *bytes, size_t n)
{
	return is_cut_short(CALL_WRITE, -1) ? -1 : __write(fd, bytes, some_of(CALL_WRITE, n));
}

static void
set_up(void)
{
	look = look_open();
	scenes_set_up(look);
}

static void
tear_down(void)
{
	PQfinish(look);
}

/* The rows that a scene has left, once nobody is at it any more. */
static long
rows_there(void)
{
	look_do(look, "BEGIN; LOCK TABLE kn_scene; COMMIT");
	return look_number(look, "SELECT count(*) FROM kn_scene");
}

static void
play(const scene *s, kn_db *db, const char *when)
{
	kn_ctx *cx = scene_begin(db, s);
	kn_status status = s->act(cx);

	ck_assert_msg(status == s->expected,
				  "%s, %s, %s: %s instead of %s: [%s] %s",
				  s->name,
				  manners[manner].name,
				  when,
				  kn_status_name(status),
				  kn_status_name(s->expected),
				  kn_last_error(cx)->sqlstate,
				  kn_last_error(cx)->message);
	kn_end(cx);
}

/* Where what is sent and read takes a scene's whole time it is not at its statement when it ends.
 */
static kn_db *
open_warm(const scene *s)
{
	kn_config config = { .size = sizeof(config),
						 .conninfo = "application_name=kn_scene",
						 .max_connections = 2,
						 .acquire_ms = 20000,
						 .connect_ms = 20000,
						 .cancel_ms = 20000 };
	kn_db *db;
	kn_ctx *cx;
	char why[256];

	if (s->configure != NULL)
		s->configure(&config);
	ck_assert_int_eq(kn_open_config(&db, why, sizeof(why), &config), KN_OK);
	if (s->prepare != NULL)
		s->prepare(s, db);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	return db;
}

/* Each scene in each manner. */
START_TEST(nobody_notices)
{
	/* Where all takes long, each scene in one of them, in turn. */
	int which = is_slow() ? _i * COUNT(manners) + _i % COUNT(manners) : _i;
	const scene *s = scene_at(which / COUNT(manners));
	const char *told = getenv("KN_TEST_SEED");
	kn_db *db;

	atomic_store(&seed,
				 (told == NULL ? 20261126 : strtoull(told, NULL, 10)) + (uint64_t) which + 1);
	atomic_store(&threads, 0);
	for (int i = 0; i < CALL_COUNT; i++)
		atomic_store(&torn[i], 0);
	look_do(look, "TRUNCATE kn_scene");
	atomic_store(&manner, which % COUNT(manners));
	db = open_warm(s);
	play(s, db, "at first");
	play(s, db, "again");
	if (s->check != NULL)
		s->check(s, db, true);
	close_even(db);
	ck_assert_int_eq(rows_there(), 2 * s->rows);
	atomic_store(&manner, -1);
	ck_assert_int_gt(torn[CALL_RECV], 0);
	ck_assert_int_gt(torn[CALL_SEND], 0);
	ck_assert_msg(torn[CALL_POLL] + torn[CALL_WAIT] > 0 || which % COUNT(manners) == 0,
				  "no wait was interrupted");
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	if (is_slow())
	{
		tcase_add_loop_test(tcase, nobody_notices, 0, scene_count());
		(void) printf("not run under valgrind: nobody_notices: all but one manner of each scene\n");
		(void) fflush(stdout);
	}
	else
		tcase_add_loop_test(tcase, nobody_notices, 0, scene_count() * COUNT(manners));
}

int
main(void)
{
	const char *told = getenv("KN_TEST_SEED");

	(void) printf("seed %s\n", told == NULL ? "20261126" : told);
	(void) fflush(stdout);
	return suite_run("torn", fill);
}
