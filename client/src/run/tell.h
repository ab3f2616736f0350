/*
 * tell.h
 *		What the pipeline has to tell to those who listen.  Where nobody does, that costs a look
 *		at a pointer.
 */
#ifndef KN_SRC_RUN_TELL_H
#define KN_SRC_RUN_TELL_H

#include "run/run.h"

/* A call begins; an attempt of it failed, and the next comes after a pause, -1: it is denied; it
 * ends. */
extern KN__HOT void kn__tell_begin(kn__call *call);
extern KN__COLD void kn__tell_retry(const kn__call *call, kn_status status, int64_t pause);
/* The call goes to a second server besides. */
extern void kn__tell_hedge(const kn__call *call, const kn__server *second);
/* The savepoint that the context is in was rolled back, by that statement, for that reason. */
extern KN__COLD void kn__tell_undone(kn_ctx *cx, const char *sql, kn_status why);
extern KN__HOT void kn__tell_end(const kn__call *call, kn_status status, int64_t rows);

extern KN__COLD void kn__tell_breaker(const kn__server *server, kn__breaker_state state);
/* For the pool's driver, and for connections: user is the server. */
extern void kn__tell_pool(void *user, const kn__news *news);
/* Of a listener's connection; fault may be NULL. */
extern void kn__tell_listen(const kn__server *server, const char *what, const kn__fault *fault);
extern KN__COLD void kn__tell_notice(void *user, const char *severity, const char *text,
									 bool may_quote);

#endif
