/*
 * base.h
 *		The lowest floor: memory, arenas, growing buffers, clocks, errors.
 *
 * Nothing here knows of SQL or sockets, and of threads only cond.c.  What can fail says so; what
 * has failed once in an arena or a buffer stays failed, so that a caller may
 * check at the end.
 */
#ifndef KN_SRC_BASE_H
#define KN_SRC_BASE_H

#include "kints/base.h"

/*
 * What every call goes through, and what only failures and rare events do.  Between two calls the
 * server has had the processor, and its caches: so what is on the way had better lie together.
 */
#ifdef __GNUC__
#define KN__HOT  __attribute__((hot))
#define KN__COLD __attribute__((cold))
/* Happens often enough, and yet is not to lie in the way of those calls that have no need of it. */
#define KN__APART __attribute__((noinline))
/* The usual way lies in a row, without jumps: where they lead to has been forgotten as well. */
#define KN__LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define KN__UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#else
#define KN__HOT
#define KN__COLD
#define KN__APART
#define KN__LIKELY(condition)   (condition)
#define KN__UNLIKELY(condition) (condition)
#endif

/* memory.c: NULL as the allocator stands for malloc() and so on */
extern void *kn__allocate(const kn_allocator *allocator, size_t size);
extern void *kn__allocate_zero(const kn_allocator *allocator, size_t count, size_t size);
extern void *kn__resize(const kn_allocator *allocator, void *memory, size_t old_size,
						size_t new_size);
extern void kn__release(const kn_allocator *allocator, void *memory, size_t size);
/* Overwrites memory in a way that no compiler leaves out. */
extern void kn__wipe(void *memory, size_t size);
/* Of which no program has an end that another thread starts meanwhile.  False: see errno. */
extern bool kn__pipe(int fds[2]);

/*
 * arena.c: memory that is given back all at once.  The first block can be lent by
 * the caller and is never given back.  Zeroed it is ready for use, with malloc().
 */
typedef struct kn__block kn__block;

typedef struct kn__arena
{
	const kn_allocator *allocator;
	kn__block *blocks; /* the newest first */
	char *next;
	char *end;
	size_t used; /* bytes that all blocks take */
	bool has_failed;
} kn__arena;

extern KN__HOT void kn__arena_init(kn__arena *arena, const kn_allocator *allocator);
/* Memory to begin with, of an arena that has none yet; it has to live as long as the arena. */
extern void kn__arena_lend(kn__arena *arena, void *memory, size_t size);
/* Frees all but one block of a usual size, so that the next request finds it warm. */
extern KN__HOT void kn__arena_clear(kn__arena *arena);
extern KN__HOT void kn__arena_release(kn__arena *arena);
/* Overwrites all that is in it; then it can only be released. */
extern void kn__arena_wipe(kn__arena *arena);
/*
 * Aligned for anything, not zeroed.  NULL when out of memory: has_failed is set, and until
 * the arena is cleared or released there is no more to be had.
 */
extern KN__HOT void *kn__arena_get(kn__arena *arena, size_t size);
extern KN__HOT void *kn__arena_get_zero(kn__arena *arena, size_t count, size_t size);
/* A copy with a NUL behind it. */
extern char *kn__arena_copy(kn__arena *arena, const void *bytes, size_t length);

/* buf.c: bytes that grow, up to a limit; always ended by a NUL that is not counted. */
typedef struct kn__buf
{
	const kn_allocator *allocator;
	char *data; /* NULL: empty */
	size_t length;
	size_t capacity;
	size_t limit; /* it never gets longer */
	bool has_failed;
} kn__buf;

extern void kn__buf_init(kn__buf *buf, const kn_allocator *allocator, size_t limit);
extern void kn__buf_release(kn__buf *buf);
/* Empty again, and not failed; memory of a usual size is kept. */
extern void kn__buf_clear(kn__buf *buf);
/* Room for so many bytes more, to be counted by kn__buf_count(); NULL: it has failed. */
extern KN__HOT char *kn__buf_room(kn__buf *buf, size_t more);
extern void kn__buf_add(kn__buf *buf, const void *bytes, size_t length);
extern void kn__buf_text(kn__buf *buf, const char *text);
extern void kn__buf_printf(kn__buf *buf, const char *format, ...) KN_PRINTF(2, 3);
/* In network order. */
extern void kn__buf_u16(kn__buf *buf, uint16_t value);
extern void kn__buf_u32(kn__buf *buf, uint32_t value);
extern KN__HOT void kn__buf_u64(kn__buf *buf, uint64_t value);
/* Overwrites four bytes that are there already. */
extern void kn__buf_set_u32(kn__buf *buf, size_t at, uint32_t value);

/*
 * What is in it, as snprintf() would hand it out: as much as fits into the memory, with a NUL
 * behind it; returns its length, SIZE_MAX if it has failed.
 */
extern size_t kn__buf_copy_out(const kn__buf *buf, char *memory, size_t capacity);

/* Counts bytes that were written into the room. */
static inline void
kn__buf_count(kn__buf *buf, size_t more)
{
	buf->length += more;
	buf->data[buf->length] = '\0';
}

/* Takes back what was added since it had that length. */
static inline void
kn__buf_cut(kn__buf *buf, size_t length)
{
	buf->length = length;
	if (buf->data != NULL)
		buf->data[length] = '\0';
}

static inline void
kn__store_u32(void *bytes, uint32_t value)
{
	uint8_t *b = bytes;

	b[0] = (uint8_t) (value >> 24);
	b[1] = (uint8_t) (value >> 16);
	b[2] = (uint8_t) (value >> 8);
	b[3] = (uint8_t) value;
}

static inline void
kn__store_u64(void *out, uint64_t value)
{
	kn__store_u32(out, (uint32_t) (value >> 32));
	kn__store_u32((uint8_t *) out + 4, (uint32_t) value);
}

static inline uint16_t
kn__load_u16(const void *bytes)
{
	const uint8_t *b = bytes;

	return (uint16_t) (b[0] << 8 | b[1]);
}

static inline uint32_t
kn__load_u32(const void *bytes)
{
	const uint8_t *b = bytes;

	return (uint32_t) b[0] << 24 | (uint32_t) b[1] << 16 | (uint32_t) b[2] << 8 | b[3];
}

static inline uint64_t
kn__load_u64(const void *bytes)
{
	return (uint64_t) kn__load_u32(bytes) << 32 | kn__load_u32((const uint8_t *) bytes + 4);
}

/* clock.c: NULL as the clock stands for the system's */
extern KN__HOT int64_t kn__now(const kn_clock *clock); /* monotonic, nanoseconds */
/*
 * The same for what happens with each call.  A read of the exact clock takes as long as half of a
 * checkout (17 of 35 ns), one of the coarse clock 4 ns; it lags by at most one tick, 4 ms
 * with the usual kernel, and what goes by it is measured in more than that.
 */
extern KN__HOT int64_t kn__coarse(const kn_clock *clock);
/* As cheap, and a moment that is not over yet, nor further off than KN__TICK. */
extern KN__HOT int64_t kn__soon(const kn_clock *clock);
extern int64_t kn__wall(const kn_clock *clock); /* since 1970, nanoseconds */

/* A clock whose moments are all above zero, for zero is no moment here, nor is what is below. */
typedef struct kn__shifted
{
	kn_clock clock;
	const kn_clock *from;
	uint64_t shift;
} kn__shifted;

/* The clock itself if it has such moments; if not, one that stands in *out, and outlives it. */
extern const kn_clock *kn__clock_shift(kn__shifted *out, const kn_clock *clock);

#define KN__NS_PER_MS INT64_C(1000000)
#define KN__NS_PER_S  INT64_C(1000000000)
#define KN__TICK      (10 * KN__NS_PER_MS) /* of the coarse clock, at most */
#define KN__NEVER     INT64_MAX
#define KN__LONG      (INT64_MAX / 4) /* centuries; can be added to any moment */

/* The moment so many milliseconds after another; -1 is never. */
extern int64_t kn__after(int64_t now, int64_t milliseconds);

/* hash.c: of bytes, well mixed, the same on every machine and in every run */
extern uint64_t kn__hash(const void *bytes, size_t length, uint64_t seed);

/*
 * utf8.c: how many bytes the character has that a text of n bytes begins with, 0: it is not well
 * formed, and its first byte stands for nothing.
 */
extern size_t kn__utf8_length(const char *text, size_t n);
/* Where a word of small letters stands in a text first, in whatever case; NULL: nowhere. */
extern const char *kn__find_folded(const char *text, const char *word);
/* What stands in the place of what is none. */
#define KN__UTF8_REPLACEMENT "\xEF\xBF\xBD"

/*
 * error.c: an error with room for its texts, so that noting one cannot fail.  Texts
 * that do not fit are cut, at the end of a character.
 */
#define KN__ERROR_ROOM 4096

typedef struct kn__fault
{
	size_t used; /* of room */
	kn_error error;
	bool is_answer;     /* of the server's to a statement, and the session goes on */
	bool is_of_servers; /* it is the server that is in trouble, and not the statement */
	bool is_unclean;    /* a session that nobody can have any more; another one will do */
	bool was_begun;     /* the session has ended when it had been sent, or was under way */
	bool is_ours;       /* the server is not to blame, or was not asked at all */
	bool is_refused;    /* it is the password that is, so another one may do */
	bool is_relayed;    /* another server has said it, to this one */
	bool may_quote;     /* a value, or what a function has read, in the message */
	char room[KN__ERROR_ROOM];
} kn__fault;

extern KN__APART void kn__fault_clear(kn__fault *fault);
/* The same where there is an error: each call begins with that. */
static inline void
kn__fault_tidy(kn__fault *fault)
{
	if (fault->error.status != KN_OK || fault->used > 0)
		kn__fault_clear(fault);
}

/* Begins a new error with a message, and returns the status, so that it can be returned. */
extern KN__COLD kn_status kn__fail(kn__fault *fault, kn_status status, const char *format, ...)
	KN_PRINTF(3, 4);
/* A text of an error that has begun: kn__fault_text(f, &f->error.detail, "..."). */
extern KN__COLD void kn__fault_text(kn__fault *fault, const char **field, const char *text);
extern KN__COLD void kn__fault_copy(kn__fault *to, const kn__fault *from);

#endif
