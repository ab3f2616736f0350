/*
 * flight.h
 *		What goes out, and what comes in, share: a flight under way.
 */
#ifndef KN_SRC_WIRE_FLIGHT_H
#define KN_SRC_WIRE_FLIGHT_H

#include "wire/conn.h"

/* race.c: answers that were taken before anybody reads them */
typedef struct kn__inbox
{
	PGresult **results; /* as PQgetResult() gave them, NULLs and all */
	int count;
	int at; /* the next to be read */
	int room;
} kn__inbox;

typedef struct kn__flying
{
	kn__conn *conn;
	const kn__wait *wait;
	kn__wait last;      /* for the answers after a cancel, until there is another one */
	int64_t give_up_at; /* no more of them then */
	int64_t pause;      /* after the next request to cancel */
	kn__item *items;
	kn__sent *sent;
	int count;
	kn__fault *fault;
	kn_status status;     /* the first that is not KN_OK */
	kn_status stopped;    /* KN_TIMEOUT or KN_CANCELED, once a cancel was sent */
	kn__inbox *inbox;     /* NULL: all is read from the connection */
	int closes;           /* statements of ours that come first, in a pipeline */
	bool is_piped;        /* it went as a pipeline */
	bool is_flushed;      /* libpq has nothing left to send; who sends more says false */
	bool is_sent;         /* the server may have seen some of it */
	bool is_lost;         /* the connection is gone */
	bool is_undone;       /* and the server said so before it had answered the item */
	bool group_failed;    /* since the last sync */
	bool group_done;      /* a transaction of the server's making is complete */
	bool is_refused;      /* the server would not describe a statement */
	bool is_rebound;      /* it was prepared for other types than its places have, perhaps */
	bool is_retyped;      /* that, and not by a value */
	bool is_unreplicated; /* it is committed, but perhaps on this server only */
	bool is_stale;        /* a prepared statement was not what it was taken for */
	bool is_misshapen;    /* rows came in binary that has no codec: their table has changed */
} kn__flying;

/* flight.c */
extern KN__COLD bool kn__flight_roll_back(kn__conn *conn, const kn__wait *wait);
extern KN__COLD void kn__flight_note_stale(kn__flying *flight);
/* Whether it should be sent once more, for something was taken for what it is no longer. */
extern KN__HOT bool kn__flight_is_once_more(const kn__flying *flight, bool was_in_transaction);
extern KN__HOT bool kn__flight_is_late(kn__flying *flight);
/* Sends all of it; false: there is nothing to be answered. */
extern KN__HOT bool kn__flight_send(kn__flying *flight);
/* Has all the answers to that. */
extern KN__HOT void kn__flight_answer(kn__flying *flight);
extern kn_status kn__flight_learn(kn__flying *flight);
/* shapes.c */
extern bool kn__flight_ask_types(kn__flying *flight);
/* After the flight, which has come to a good end. */
extern kn_status kn__flight_ask_late(kn__conn *conn, const kn__wait *wait, kn__fault *fault);
/* All answers are in: the connection is as it was, or is to be closed. */
extern KN__HOT void kn__flight_finish(kn__flying *flight);
extern KN__HOT kn__outcome kn__flight_outcome(const kn__flying *flight);
extern KN__COLD bool kn__flight_send_closes(kn__flying *flight, int *closes);

static inline void
kn__flight_begin(kn__item *item)
{
	item->status = KN_ABORTED;
	item->result = NULL;
	item->affected = -1;
}

/* plain.c: what has been sent as a plain one turned out to be more than that */
extern void kn__plain_go_on(kn__flying *flight, const kn__begun *begun);

/* stale.c */
extern KN__COLD void kn__note_unprepared(kn__flying *flight, const kn__item *item,
										 const kn__sent *sent);
extern KN__COLD void kn__note_stale(kn__flying *flight, const kn__sent *sent,
									const PGresult *result);
/* NULL: the cache does not have it any more. */
extern bool kn__flight_is_undone(const kn__flying *flight, bool may_be_right);
extern kn__prepared *kn__find_entry(const kn__conn *conn, const kn__sent *sent);

/* reset.c */
extern KN__COLD bool kn__reset_send(kn__flying *flight);
extern KN__COLD bool kn__reset_answer(kn__flying *flight, kn__fault *why);
extern KN__COLD void kn__reset_pass_over(kn__flying *flight, int syncs);
extern KN__COLD void kn__reset_refuse(kn__flying *flight, const kn__fault *why, bool is_undone);
extern bool kn__reset_guard(kn__flying *flight);
extern void kn__reset_answer_guard(kn__flying *flight, const kn__fault *unclean);
/* How many results, and NULLs, a flight that begins now will have of it at most. */
extern size_t kn__reset_answers(const kn__conn *conn);

/* answer.c */
extern KN__HOT void kn__answer_alone(kn__flying *flight);
extern KN__COLD void kn__answer_closes(kn__flying *flight, int closes);
extern void kn__answer_pipeline(kn__flying *flight, int closes);
/* The results of one command, up to the NULL; item is NULL for one of our own. */
extern KN__HOT void kn__answer_command(kn__flying *flight, kn__item *item, const kn__sent *sent);
/* The end of a group, of which item is the last; NULL for one of our own. */
extern void kn__answer_sync(kn__flying *flight, kn__item *item);
/* How many rows it says that it was about, -1: it does not say. */
extern KN__HOT int64_t kn__answer_affected(PGresult *result);
/* NULL: the end of a command, or of the connection. */
extern KN__HOT PGresult *kn__answer_next(kn__flying *flight);
extern KN__COLD void kn__answer_error(kn__flying *flight, kn__item *item, const kn__sent *sent,
									  const PGresult *result);
/* Notes what has come for the next time; false: it is in binary and has no codec for all of it. */
extern KN__HOT bool kn__flight_fits(kn__flying *flight, const kn__sent *sent,
									const PGresult *result);
/* Asks the server to end it, once; the second time nothing more can be had of it. */
extern KN__COLD void kn__flight_stop(kn__flying *flight, kn__waited waited);
/* The connection is gone, and libpq knows why. */
extern KN__COLD void kn__flight_lose(kn__flying *flight);

#endif
