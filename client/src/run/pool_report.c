/*
 * pool_report.c
 *		What the pool tells: statistics, who holds members, why there was none.
 */
#include "run/observe.h"
#include "run/pool_parts.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAMED       8 /* holders that an error names, those that have had theirs for longest */
#define DETAIL_ROOM 2048
#define WHERE_ROOM  300

/* Text that is cut where there is no more room; length is what it would have been. */
typedef struct text
{
	char *buffer;
	size_t capacity;
	size_t length;
} text;

static void add(text *text, const char *format, ...) KN_PRINTF(2, 3);
static void copy_line(char *to, size_t size, const char *from);
/* Whether the statement of a holder is told with it: it may have values in it. */
typedef enum sql_mode
{
	WITH_SQL,
	WITHOUT_SQL
} sql_mode;

static void add_holder(text *text, const kn__pool *pool, const kn__holder *holder, sql_mode mode);
static void add_longest(text *text, kn__pool *pool, int64_t now, sql_mode mode);
static void say_where(const kn__pool *pool, char *text);
static void add_failure(text *text, const kn__pool *pool, int64_t now);
static kn_status explain_failure(kn__pool *pool, kn_status status, int64_t waited,
								 kn__fault *fault);

static void
add(text *text, const char *format, ...)
{
	bool has_room = text->length < text->capacity;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(has_room ? text->buffer + text->length : NULL,
					   has_room ? text->capacity - text->length : 0,
					   format,
					   arguments);
	va_end(arguments);
	text->length += length < 0 ? 0 : (size_t) length;
}

/* On one line, and cut at the end of a character. */
static void
copy_line(char *to, size_t size, const char *from)
{
	size_t length = 0;

	if (from != NULL)
		for (; from[length] != '\0' && length < size - 1; length++)
			to[length] = from[length] == '\n' || from[length] == '\t' ? ' ' : from[length];
	if (from != NULL && from[length] != '\0')
		while (length > 0 && ((unsigned char) from[length] & 0xC0) == 0x80)
			length--;
	to[length] = '\0';
}

bool
kn__pool_read_holder(kn__pool *pool, kn__slot *slot, int64_t now, kn__holder *holder)
{
	const kn__member *member;

	(void) pool;
	if (!kn__slot_move(slot, KN__SLOT_BUSY, KN__SLOT_READ))
		return false;
	member = slot->member;
	holder->slot = slot->index;
	holder->held_ns = now - member->taken_at < 0 ? 0 : now - member->taken_at;
	holder->file = member->file;
	holder->line = member->line;
	holder->doing = (kn__doing) atomic_load_explicit(&member->doing, memory_order_relaxed);
	copy_line(holder->sql, sizeof(holder->sql), atomic_load(&member->last_sql));
	kn__slot_set(slot, KN__SLOT_BUSY);
	return true;
}

void
kn__pool_retell(kn__pool *pool, kn__member *member, const char *sql)
{
	kn__slot *slot = &pool->slots[member->slot];

	while (!kn__slot_move(slot, KN__SLOT_BUSY, KN__SLOT_READ))
		(void) sched_yield();
	atomic_store(&member->last_sql, sql);
	kn__slot_set(slot, KN__SLOT_BUSY);
}

void
kn__pool_check_leak(kn__pool *pool, kn__slot *slot, int64_t now)
{
	kn__member head = { 0 };
	kn__holder holder;
	int64_t due;

	if (!kn__slot_move(slot, KN__SLOT_BUSY, KN__SLOT_READ))
		return;
	due = kn__after(slot->member->taken_at, pool->options.leak_ms);
	if (slot->member->is_reported || now < due)
	{
		if (!slot->member->is_reported && due < pool->sweep_at)
			pool->sweep_at = due;
		kn__slot_set(slot, KN__SLOT_BUSY);
		return;
	}
	slot->member->is_reported = true;
	pool->leaks++;
	head.slot = slot->index;
	head.generation = slot->member->generation;
	head.opened_at = slot->member->opened_at;
	head.expires_at = slot->member->expires_at;
	/* Not idle_since: who gives it back writes that before he leaves BUSY. */
	head.taken_at = slot->member->taken_at;
	head.file = slot->member->file;
	head.line = slot->member->line;
	head.is_reported = true;
	copy_line(holder.sql, sizeof(holder.sql), atomic_load(&slot->member->last_sql));
	atomic_init(&head.last_sql, holder.sql);
	kn__slot_set(slot, KN__SLOT_BUSY);
	if (pool->driver.report == NULL)
		return;
	(void) pthread_mutex_unlock(&pool->lock);
	kn__pool_tell(pool,
				  &(const kn__news){ .kind = KN__NEWS_LEAKED,
									 .member = &head,
									 .file = head.file,
									 .line = head.line,
									 .took_ns = now - head.taken_at });
	(void) pthread_mutex_lock(&pool->lock);
}

void
kn__pool_tell(const kn__pool *pool, const kn__news *news)
{
	if (pool->driver.report != NULL)
		pool->driver.report(pool->driver.user, news);
}

void
kn__pool_tell_closed(const kn__pool *pool, const kn__member *member, kn__closed why)
{
	static const char *const reasons[] = {
		[KN__CLOSED_IDLE] = "idle", [KN__CLOSED_OLD] = "lifetime",  [KN__CLOSED_RENEWED] = "reset",
		[KN__CLOSED_DEAD] = "dead", [KN__CLOSED_BROKEN] = "broken", [KN__CLOSED_AT_END] = "drained",
	};

	if (pool->driver.report == NULL)
		return;
	kn__pool_tell(pool,
				  &(const kn__news){ .kind = KN__NEWS_CLOSED,
									 .member = member,
									 .reason = reasons[why],
									 .took_ns = kn__pool_now(pool) - member->opened_at });
}

void
kn__pool_tell_wait(kn__pool *pool, kn_status status, int64_t waited, const char *file, int line,
				   const kn__fault *fault)
{
	char reason[DETAIL_ROOM] = "";
	text text = { reason, sizeof(reason), 0 };
	kn__news news = { .kind = KN__NEWS_WAITED, .file = file, .line = line, .took_ns = waited };

	if (pool->driver.report == NULL)
		return;
	if (status == KN_OK &&
		(pool->options.slow_ms < 0 || waited < pool->options.slow_ms * KN__NS_PER_MS))
		return;
	if (status != KN_OK)
	{
		add_longest(&text, pool, kn__pool_now(pool), WITHOUT_SQL);
		news.kind = KN__NEWS_WAIT_FAILED;
		news.fault = fault;
		news.reason = reason;
	}
	kn__pool_tell(pool, &news);
}

void
kn__pool_stats(kn__pool *pool, kn_stats *out)
{
	out->total = out->idle = out->busy = out->opening = out->waiting = 0;
	out->max = pool->max;
	out->acquires = out->queries = 0;
	for (int i = 0; i < pool->max; i++)
	{
		uint32_t state = kn__slot_state_of(&pool->slots[i]);

		out->idle += state == KN__SLOT_IDLE || state == KN__SLOT_CHECKING;
		out->busy += state == KN__SLOT_CLAIMED || state == KN__SLOT_BUSY || state == KN__SLOT_READ;
		out->opening += state == KN__SLOT_OPENING;
		out->busy_ns += atomic_load_explicit(&pool->slots[i].busy_ns, memory_order_relaxed);
		out->queries += atomic_load_explicit(&pool->slots[i].queries, memory_order_relaxed);
		out->acquires += atomic_load_explicit(&pool->slots[i].uses, memory_order_relaxed);
	}
	out->total = out->idle + out->busy;
	/* In a child the lock may be held for ever, and nobody waits. */
	if (kn__pool_is_forked(pool))
		return;
	(void) pthread_mutex_lock(&pool->lock);
	out->waiting = pool->waiting;
	out->lingering = pool->lingering;
	out->waits = pool->waits;
	out->timeouts = pool->timeouts;
	out->refused = pool->refused;
	out->opened = pool->opened;
	out->failed_to_open = pool->failed_to_open;
	out->closed_idle = pool->closed[KN__CLOSED_IDLE];
	out->closed_old = pool->closed[KN__CLOSED_OLD] + pool->closed[KN__CLOSED_RENEWED];
	out->closed_broken = pool->closed[KN__CLOSED_DEAD] + pool->closed[KN__CLOSED_BROKEN];
	out->leaks = pool->leaks;
	out->wait_ns = pool->wait_ns;
	out->open_ns = pool->open_ns;
	memcpy(out->wait_histogram, pool->wait_histogram, sizeof(out->wait_histogram));
	(void) pthread_mutex_unlock(&pool->lock);
}

static const char *
say_doing(const kn__holder *holder)
{
	switch (holder->doing)
	{
		case KN__DOING_TRANSACTION:
			return "idle in transaction";
		case KN__DOING_FAILED:
			return "in a failed transaction";
		default:
			return holder->sql[0] == '\0' ? "idle" : "active";
	}
}

static void
add_holder(text *text, const kn__pool *pool, const kn__holder *holder, sql_mode mode)
{
	kn__told_sql told;
	/* It is cut: a literal that has no end is masked as well. */
	const char *sql = kn__told_sql_init(&told,
										pool->allocator,
										mode == WITH_SQL ? holder->sql : NULL,
										false,
										!pool->options.masks_sql);
	bool has_sql = sql != NULL && *sql != '\0';

	add(text,
		"%s:%d has one for %lld ms, %s%s%s",
		holder->file,
		holder->line,
		(long long) (holder->held_ns / KN__NS_PER_MS),
		say_doing(holder),
		has_sql ? ": " : "",
		has_sql ? sql : "");
	kn__told_sql_release(&told);
}

size_t
kn__pool_dump(kn__pool *pool, char *buffer, size_t capacity)
{
	text text = { buffer, capacity, 0 };
	int64_t now = kn__pool_now(pool);

	if (capacity > 0)
		*buffer = '\0';
	if (kn__pool_is_forked(pool))
		return 0;
	for (int i = 0; i < pool->max; i++)
	{
		kn__holder holder;

		if (!kn__pool_read_holder(pool, &pool->slots[i], now, &holder))
			continue;
		add_holder(&text, pool, &holder, WITH_SQL);
		add(&text, "\n");
	}
	return text.length;
}

/* The holders that have had theirs for longest, a line each. */
static void
add_longest(text *text, kn__pool *pool, int64_t now, sql_mode mode)
{
	kn__holder longest[NAMED];
	int count = 0;
	int all = 0;

	for (int i = 0; i < pool->max; i++)
	{
		kn__holder holder;
		int at = count;

		if (!kn__pool_read_holder(pool, &pool->slots[i], now, &holder))
			continue;
		all++;
		while (at > 0 && longest[at - 1].held_ns < holder.held_ns)
			at--;
		if (at == NAMED)
			continue;
		count += count < NAMED;
		memmove(&longest[at + 1], &longest[at], (size_t) (count - 1 - at) * sizeof(kn__holder));
		longest[at] = holder;
	}
	for (int i = 0; i < count; i++)
	{
		add(text, i == 0 ? "" : "\n");
		add_holder(text, pool, &longest[i], mode);
	}
	if (all > count)
		add(text, "\nand %d more", all - count);
}

static void
add_lingering(text *text, const kn__pool *pool)
{
	if (pool->lingering > 0)
		add(text,
			"%sthe server has not ended %d %s that %s cancelled",
			text->length == 0 ? "" : "\n",
			pool->lingering,
			pool->lingering == 1 ? "statement" : "statements",
			pool->lingering == 1 ? "was" : "were");
}

static void
add_failure(text *text, const kn__pool *pool, int64_t now)
{
	if (!pool->has_failed)
		return;
	add(text,
		"%sTo open another failed %lld ms ago: %s",
		text->length == 0 ? "" : "\n",
		(long long) ((now - pool->failed_at) / KN__NS_PER_MS),
		pool->failure.error.message);
}

/* " to server ...", or nothing where that is not known. */
static void
say_where(const kn__pool *pool, char *text)
{
	const char *where = pool->driver.where == NULL ? NULL : pool->driver.where(pool->driver.user);

	*text = '\0';
	if (where != NULL && *where != '\0')
		(void) snprintf(text, WHERE_ROOM, " to server \"%s\"", where);
}

kn_status
kn__pool_explain(kn__pool *pool, kn_status status, int64_t waited, kn__fault *fault)
{
	char detail[DETAIL_ROOM] = "";
	text text = { detail, sizeof(detail), 0 };
	int64_t now = kn__pool_now(pool);
	long long waited_ms = (long long) (waited / KN__NS_PER_MS);
	char where[WHERE_ROOM];

	say_where(pool, where);
	switch (status)
	{
		case KN_CLOSED:
			return kn__fail(fault, status, "the database handle is being closed");
		case KN_CANCELED:
			return kn__fail(fault, status, "cancelled while waiting for a connection");
		case KN_READ_ONLY:
			return kn__fail(fault, status, "another server has taken over meanwhile");
		case KN_AUTH:
		case KN_CONFIG:
		case KN_UNAVAILABLE:
		case KN_CONN_LOST:
		case KN_NO_MEMORY:
			return explain_failure(pool, status, waited, fault);
		case KN_POOL_FULL:
			(void) kn__fail(fault,
							status,
							"%d callers wait for a connection already",
							pool->options.max_waiters);
			break;
		case KN_TIMEOUT:
			(void) kn__fail(fault,
							status,
							"the deadline was over after waiting %lld ms for a connection%s%s",
							waited_ms,
							pool->total > pool->opening ? "" : ": none could be opened yet",
							pool->total > pool->opening ? "" : where);
			break;
		default:
			(void) kn__fail(fault,
							status,
							"no connection became free in %lld ms: %d of %d are in use",
							waited_ms,
							pool->total - pool->opening,
							pool->max);
			break;
	}
	add_longest(&text, pool, now, WITH_SQL);
	add_lingering(&text, pool);
	add_failure(&text, pool, now);
	kn__fault_text(fault, &fault->error.detail, detail);
	return status;
}

/* None was there, and none could be opened. */
static kn_status
explain_failure(kn__pool *pool, kn_status status, int64_t waited, kn__fault *fault)
{
	const kn_error *failure = &pool->failure.error;
	char detail[DETAIL_ROOM] = "";
	text text = { detail, sizeof(detail), 0 };
	int64_t now = kn__pool_now(pool);
	char where[WHERE_ROOM];

	say_where(pool, where);
	if (!pool->has_failed)
		return kn__fail(fault,
						status,
						"no connection%s could be opened in %lld ms",
						where,
						(long long) (waited / KN__NS_PER_MS));
	(void) kn__fail(fault, status, "no connection could be opened: %s", failure->message);
	memcpy(fault->error.sqlstate, failure->sqlstate, sizeof(failure->sqlstate));
	fault->is_ours = pool->failure.is_ours;
	add(&text,
		"%d %s failed, the last %lld ms ago.",
		pool->failures,
		pool->failures == 1 ? "attempt" : "attempts in a row",
		(long long) ((now - pool->failed_at) / KN__NS_PER_MS));
	if (failure->detail[0] != '\0')
		add(&text, "\n%s", failure->detail);
	kn__fault_text(fault, &fault->error.detail, detail);
	kn__fault_text(fault, &fault->error.hint, failure->hint);
	return status;
}
