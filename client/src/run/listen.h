/*
 * listen.h
 *		What the two files of a listener share.
 */
#ifndef KN_SRC_RUN_LISTEN_H
#define KN_SRC_RUN_LISTEN_H

#include "kints/listen.h"
#include "run/run.h"

struct kn_listener
{
	kn_db *db;
	kn_listener *next; /* of the handle's */
	kn_listener *before;
	int64_t probe_ms;
	int64_t timeout_ms;
	kn__server elsewhere; /* of listen_conninfo; only what a link needs of it is there */
	kn__server *server;   /* that the link is to */
	kn__link *link;       /* NULL: lost, or not opened yet */
	int wake[2];
	_Atomic(bool) must_look; /* somebody has woken it, or the handle is being closed */
	kn__channel *channels;
	int count;
	int capacity;
	kn__heard heard;
	kn_notification told;
	int64_t heard_at; /* the last word of the server's */
	int64_t asked_at;
	int64_t retry_at; /* no attempt to connect before */
	int attempts;     /* that have failed, since the last that did not */
	uint64_t random;
	bool is_gone; /* of the link nothing is left but what it has heard */
	bool missed;  /* it has listened, and does not now */
	bool has_gap; /* to be told, for it listens again */
	kn__fault reason;
	kn__fault fault;
};

/* listen_link.c: opens it, and listens to all channels; there is none. */
extern kn_status kn__listen_open(kn_listener *listener, const kn__wait *wait, kn__fault *fault);
/* The same when the time has come for it; KN_OK: it is open, or there may be another attempt. */
extern kn_status kn__listen_reopen(kn_listener *listener, int64_t deadline);
/* The server has been silent for too long: it is asked, or given up. */
extern void kn__listen_doubt(kn_listener *listener, int64_t now);
/* LISTEN or UNLISTEN for some of the channels. */
extern kn_status kn__listen_change(kn_listener *listener, const char *verb, int first, int count,
								   const kn__wait *wait, kn__fault *fault);
/* The link is closed; why it is lost is in the fault. */
extern void kn__listen_lose(kn_listener *listener);

#endif
