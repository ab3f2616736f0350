/*
 * conn.h
 *		What the files of this room share: the connection, and libpq.
 */
#ifndef KN_SRC_WIRE_CONN_H
#define KN_SRC_WIRE_CONN_H

#include <libpq-fe.h>
#include <stdatomic.h>

#include "wire/alarm.h"
#include "wire/wire.h"

#define KN__NAME_SIZE 20 /* kn_<16 hex digits of the key> */

/* prepared.c: the statements of a connection, the least recently used go first */
typedef struct kn__prepared
{
	uint64_t key; /* of the text and the types of its parameters; 0: the slot is free */
	char *sql;
	size_t length;
	int uses;
	bool is_prepared;
	bool is_fit; /* as it is prepared here, all its columns have a codec */
	char name[KN__NAME_SIZE];
	struct kn__prepared *newer;
	struct kn__prepared *older;
} kn__prepared;

typedef struct kn__prepared_cache
{
	kn__prepared *slots; /* open addressing */
	size_t slot_count;   /* a power of two, 0: nothing is ever prepared */
	kn__prepared *newest;
	kn__buf closing; /* names to be deallocated with the next flight, each with a NUL */
	size_t sent;     /* of closing: what has gone out, and is not answered yet */
	kn__prepared *oldest;
	int count;
	int limit;
	int64_t bytes;
	int64_t byte_limit;
} kn__prepared_cache;

#define KN__SETTLED 3

#define KN__MOST_STRANGE 64 /* types that are asked for at a time */

struct kn__conn
{
	/* What each call looks at. */
	PGconn *pg;
	struct kn__streaming *stream; /* stream.c: rows that are under way, NULL: none */
	struct kn__copying *copy;     /* copy.c: likewise */
	kn__alarm *alarm;
	int64_t give_up_at; /* of what was to end in time and did not; KN__NEVER: all has */
	int encoding;       /* libpq's number of what texts are in: the same until the end */
	int watch;          /* an epoll of socket and pipe, once it is connected; -1: none */
	bool has_hung_up;   /* the server, as that has told */
	bool never_prepares;
	bool has_given_up;    /* to prepare, for a name meant nothing */
	bool is_broken;       /* to be closed: nobody knows in which state the server is */
	bool is_silent;       /* it was asked to end something, and has not answered */
	bool was_heard;       /* the server has taken that request */
	bool is_unreplicated; /* what it has committed is not where it was to be as well */
	bool is_soiled;       /* something of a user's outlives his transaction */
	bool must_reset;      /* likewise, perhaps: see reset.c */
	kn__prepared_cache cache;
	kn__bell bell; /* is the alarm's, if there is one */

	const kn_allocator *allocator;
	const kn_clock *clock;
	kn__memo *shapes; /* kn__shape of each statement's key */
	kn__known *known;
	int prepare_after;
	int64_t cancel_ns;
	kn__cancels *cancels;
	int wake[2]; /* a pipe: whoever writes to it makes a wait look up */
	bool borrows_wake;
	bool is_asking; /* listen.c: an empty query is under way */
	void (*notice)(void *user, const char *severity, const char *text, bool may_quote);
	void *user;
	int resets;                       /* commands of reset.c whose answers are to come */
	bool has_reset;                   /* and its statements are prepared */
	bool is_guarded;                  /* the next flight goes on only if it is done */
	uint64_t reset;                   /* what its names are made of; 0: none yet */
	uint64_t clean;                   /* and that of what stands for its being done */
	const char *settled[KN__SETTLED]; /* what was set when it was opened, or NULL */
	kn__buf scratch;                  /* the bytes of parameters, while they are handed to libpq */
	uint32_t strange[KN__MOST_STRANGE]; /* types that nobody knows: to be asked for */
	int strangers;          /* of what is under way: whatever comes next begins without */
	bool has_asked_in_vain; /* likewise */
	uint32_t role;  /* whom the transaction is for, made a number; 0: whose the session is */
	uint32_t asker; /* likewise, of a transaction that had begun before; 0: there was none */
};

/* send.c: what was sent for an item, and so what answers will come */
typedef struct kn__sent
{
	uint64_t key;      /* of its entry in the cache */
	bool is_prepare;   /* a Parse of its own came before it */
	bool is_by_name;   /* it was a prepared statement */
	bool is_fit;       /* of which that is known */
	bool is_described; /* nothing but Parse and Describe was sent */
	bool is_parsed;    /* and Parse is answered */
	bool is_due;       /* nothing was sent: alone it cannot be prepared */
} kn__sent;

/* The key of an item: of its text and the types of its parameters; the item remembers it. */
extern KN__HOT uint64_t kn__send_key(kn__item *item);
/* Hands an item to libpq; KN_DATA, KN_NO_MEMORY, KN_USAGE: nothing of it was sent. */
extern KN__HOT kn_status kn__send_item(kn__conn *conn, kn__item *item, bool in_pipeline,
									   kn__sent *sent, kn__fault *fault);
/*
 * The same of one that is prepared, and whose rows are as they are known to be; by itself.  Where
 * something is wrong with it nothing is sent.
 */
extern KN__HOT kn__plain kn__send_plain(kn__conn *conn, kn__item *item, kn__begun *begun,
										kn__fault *fault);
/* Hands Parse and Describe of it to libpq; in a pipeline. */
extern kn_status kn__send_describe(kn__conn *conn, kn__item *item, kn__sent *sent,
								   kn__fault *fault);

/* wait.c: makes waits cheaper from now on, if it can; the socket stays the same */
extern void kn__wait_watch(kn__conn *conn);
/* Nothing has arrived, and the server has not hung up; false: look at the socket. */
extern KN__HOT bool kn__wait_is_quiet(kn__conn *conn);
typedef enum kn__waited
{
	KN__WAITED_READY,
	KN__WAITED_TIMEOUT,
	KN__WAITED_CANCELED,
	KN__WAITED_ERROR
} kn__waited;

/* Whether the time is over, or the caller cancelled, by now: KN__WAITED_READY where it is not. */
extern KN__HOT kn__waited kn__wait_over(const kn__conn *conn, const kn__wait *wait);
/* For poll(): in milliseconds, -1 is no limit. */
extern int kn__wait_timeout(const kn__conn *conn, const kn__wait *wait);
extern kn__waited kn__wait_connect(kn__conn *conn, bool for_write, const kn__wait *wait);
/* Until the socket is readable or, if asked for, writable. */
extern KN__HOT kn__waited kn__wait_socket(kn__conn *conn, bool for_write, const kn__wait *wait);
/* The same for the first word of an answer, all of which is yet to come. */
extern KN__HOT kn__waited kn__wait_first(kn__conn *conn, const kn__wait *wait);
/* Sends what is left to send and reads, until a result can be had without waiting. */
extern KN__HOT kn__waited kn__wait_result(kn__conn *conn, const kn__wait *wait, bool is_piped,
										  bool *is_flushed);

/*
 * cancel.c: asks the server to end what it does, and makes sure that this hits nothing else.  stop:
 * as in kn__wait, may be NULL.
 */
extern KN__COLD bool kn__cancel_send(kn__conn *conn, int64_t give_up_at, const int *stop);
extern KN__COLD bool kn__cancel_fence(kn__conn *conn, int64_t give_up_at, const int *stop);

/* reset.c */
extern bool kn__reset_is_due(const kn__conn *conn);

/* stream.c, copy.c: forget what is under way, for the connection is closed */
extern void kn__stream_forget(kn__conn *conn);
extern void kn__copy_forget(kn__conn *conn);

/* prepared.c */
extern bool kn__prepared_init(kn__prepared_cache *cache, const kn_allocator *allocator, int limit,
							  int64_t byte_limit);
extern void kn__prepared_release(kn__prepared_cache *cache, const kn_allocator *allocator);
/* The entry of a statement, the newest now; NULL: there is none. */
extern KN__HOT kn__prepared *kn__prepared_get(kn__prepared_cache *cache, uint64_t key,
											  const char *sql, size_t length);
/* The entry of a statement, made if there is none, and the newest now; NULL: it is not kept. */
extern KN__HOT kn__prepared *kn__prepared_find(kn__prepared_cache *cache,
											   const kn_allocator *allocator, uint64_t key,
											   const char *sql, size_t length);
/* Forgets that it is prepared; is_there: the server still has it, and is to close it. */
extern void kn__prepared_forget(kn__prepared_cache *cache, kn__prepared *entry, bool is_there);
/* are_there: the server still has them, and is told to close them. */
extern void kn__prepared_forget_all(kn__prepared_cache *cache, bool are_there);
/*
 * Whether the server has a statement of that name that was to be closed, and nothing has been sent
 * of that yet: it is not to be closed any more.
 */
extern bool kn__prepared_take_back(kn__prepared_cache *cache, const char *name);
/* What a statement of that key is called. */
extern void kn__prepared_name(char *name, uint64_t key);
/* What kn__flight_send_closes() has sent is answered. */
extern KN__COLD void kn__prepared_closed(kn__prepared_cache *cache);

/* shapes.c */
typedef enum kn__shape
{
	KN__SHAPE_UNKNOWN, /* as a memo says it */
	KN__SHAPE_BINARY,
	KN__SHAPE_TEXT
} kn__shape;

/* A flight, stream or leg begins. */
static inline void
kn__shapes_begin(kn__conn *conn, bool in_transaction)
{
	conn->strangers = 0;
	conn->has_asked_in_vain = false;
	if (!in_transaction)
		conn->role = 0;
	conn->asker = in_transaction ? conn->role | 1 : 0;
}

/* What is about to be sent says whom the transaction is for. */
extern void kn__shapes_note_role(kn__conn *conn, const kn__item *item);
/* Unknown: there is a type among the columns that has to be asked for, and may be. */
extern kn__shape kn__shape_of(const kn__conn *conn, const PGresult *result);
/* What has been described, and so can be noted; types that have to be asked for are. */
extern void kn__shape_note(kn__conn *conn, uint64_t key, const PGresult *description);
/* How a column's values are to be decoded. */
extern int kn__result_format(const kn__result *result, int column, const kn__known *known);

/* fault.c: what libpq or the server said, as an error */
extern KN__COLD kn_status kn__fault_of_result(kn__fault *fault, const PGresult *result,
											  const char *sql);
extern KN__COLD kn_status kn__fault_of_conn(kn__fault *fault, kn__conn *conn, kn_status status);
/* "FATAL:  28P01: text" as libpq puts it where connecting fails. */
extern KN__COLD kn_status kn__fault_of_connect(kn__fault *fault, const char *message,
											   bool needs_password);
extern bool kn__is_fatal(const PGresult *result);
/* Whether the server ended the session before the transaction's end, and so undid it. */
extern bool kn__is_undone(const PGresult *result);

#endif
