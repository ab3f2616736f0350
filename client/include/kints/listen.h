/*
 * kints/listen.h
 *		LISTEN and NOTIFY: what happened meanwhile, and whether something may have been missed.
 *
 * A listener has a connection of its own to the primary, which is never one of the pool.
 * When that is lost, it is made again, and all channels are listened to again; then the
 * listener tells a gap: what was notified before may have been missed, and what is
 * notified from then on is not.  Who keeps something up to date by notifications looks at
 * the tables when a gap is told, and misses nothing.
 *
 * Through a pooler that hands transactions to several sessions, such as PgBouncer's, LISTEN
 * cannot work: KN_CONFIG says so, and kn_config.listen_conninfo names the way past it.
 *
 * Threads: a listener belongs to one thread at a time; kn_wake_listener() alone may be called
 * from any.  In a child process all calls give KN_FORKED, and kn_close_listener() only closes
 * descriptors and frees memory.
 */
#ifndef KINTS_LISTEN_H
#define KINTS_LISTEN_H

#include "kints/context.h"

KN_BEGIN_DECLS

typedef struct kn_listener kn_listener;

/* Everything left zero is the default. */
typedef struct kn_listener_options
{
	size_t size;        /* of this struct, filled in by the caller */
	int64_t probe_ms;   /* after so long without a word the server is asked for one (10000; -1:
						 * never); the question does not wait for its answer */
	int64_t timeout_ms; /* how long connecting, LISTEN and the answer to such a question may
						 * take (5000; -1: as long as it takes) */
} kn_listener_options;

/* What a listener has heard; lives until its next call. */
typedef struct kn_notification
{
	size_t size;         /* of this struct, as the library knows it */
	bool is_gap;         /* the connection was lost and is there again; the rest is empty */
	const char *channel; /* "" of a gap; ended by a NUL, as all of them */
	const char *payload; /* "" where there is none */
	int pid;             /* of the session that has notified */
} kn_notification;

/*
 * Makes a listener of a handle; options may be NULL.  Nothing is connected yet.  *out is to be
 * closed by kn_close_listener(), and NULL where this fails: KN_NO_MEMORY, KN_UNAVAILABLE without
 * file descriptors, KN_FORKED, KN_CLOSED, KN_USAGE for NULL, a size that is not filled in or a time
 * below -1.  From any thread.
 *
 * A listener may outlive kn_close() of its handle: that makes a call which waits, and each one
 * after it, return KN_CLOSED, and does not wait for the listener to be closed.  Then the handle is
 * freed with its last listener and context, and what it was given has to live until then.
 */
KN_API KN_MUST_CHECK kn_status kn_open_listener(kn_listener **out, kn_db *db,
												const kn_listener_options *options);
/* Closes its connection and frees it.  No other call may be under way.  NULL does nothing. */
KN_API void kn_close_listener(kn_listener *listener);

/*
 * Listens to a channel, which is taken as it is, upper and lower case and all; the text is
 * copied.  Returns when the server has heard it; connects first, if there is no connection, in
 * timeout_ms of the options.  A channel that is listened to already stays so.  If it fails, the
 * channel is not listened to, and the others as before.  KN_USAGE: the name is empty, or has more
 * than 63 bytes; KN_CONFIG: there is a pooler in between; KN_CONN_LOST, KN_UNAVAILABLE, KN_AUTH,
 * KN_TIMEOUT, KN_NO_MEMORY, KN_CLOSED, KN_FORKED, or what the server says of LISTEN.
 */
KN_API KN_MUST_CHECK kn_status kn_listen(kn_listener *listener, const char *channel);
/*
 * The contrary; what has been notified and not been handed out yet still is.  One that is not
 * listened to is let be.  Without a connection it does not wait for one: the next will not listen
 * to that channel.  KN_USAGE without a channel; KN_TIMEOUT, KN_NO_MEMORY, KN_CLOSED, KN_FORKED.
 */
KN_API KN_MUST_CHECK kn_status kn_unlisten(kn_listener *listener, const char *channel);

/*
 * The next notification, or gap, in *out; waits for it timeout_ms at most (0: not at all, -1: as
 * long as it takes).  A lost connection is made again here, with pauses in between that are
 * drawn from retry_base_ms to retry_cap_ms of the configuration and grow; an attempt that is due
 * is not cut by timeout_ms, but takes timeout_ms of the options at most.
 *	 KN_OK        *out is what was heard; otherwise it is NULL
 *	 KN_TIMEOUT   there was nothing; kn_listener_error() says why, if there is no connection
 *	 KN_CANCELED  kn_wake_listener() was called
 *	 KN_CLOSED, KN_FORKED
 *	 KN_USAGE     listener or out is NULL, or timeout_ms below -1
 *	 KN_CONFIG    there is a pooler in between
 *	 KN_NO_MEMORY for now: the listener is as it was
 */
KN_API KN_MUST_CHECK kn_status kn_next_notification(kn_listener *listener, int64_t timeout_ms,
													const kn_notification **out);

/*
 * Makes kn_next_notification() return KN_CANCELED: the one that waits, or else the next; once,
 * however often it was called by then.  From any thread, and from a signal's handler.  The
 * listener must not be closed meanwhile.  NULL does nothing.
 */
KN_API void kn_wake_listener(kn_listener *listener);

/*
 * The descriptor to wait on for reading, in a loop of one's own; -1: there is no connection.  It
 * is another one after each gap.  Call kn_next_notification(listener, 0, ...) until it gives
 * KN_TIMEOUT, when the descriptor is readable, and every second or so besides: what is lost
 * is made again in there, and nowhere else.
 */
KN_API int kn_listener_fd(const kn_listener *listener);

/* What the last call failed with.  Never NULL, and KN_NO_MEMORY of NULL; lives until the next
 * call. */
KN_API const kn_error *kn_listener_error(const kn_listener *listener);

/*
 * Notifies a channel; payload may be NULL.  A call like any other: within a transaction it is
 * delivered when, and if, that is committed.  KN_USAGE: the channel's name is empty or has more
 * than 63 bytes; KN_DATA: the payload has more than 7999; neither is sent then.  Else what a call
 * with a statement may return (see kints/query.h); texts need not outlive it.  Threads: as the
 * context.
 */
KN_API KN_MUST_CHECK kn_status kn_notify(kn_ctx *cx, const char *channel, const char *payload);

KN_END_DECLS

#endif
