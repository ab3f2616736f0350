/*
 * copying.h
 *		What rows that arrive one by one, and COPY, share.
 */
#ifndef KN_SRC_WIRE_COPYING_H
#define KN_SRC_WIRE_COPYING_H

#include "wire/flight.h"

#define KN__MOST_BEFORE 4 /* statements that go before a stream in the same flight */

/* stream.c: rows that are under way */
typedef struct kn__streaming
{
	kn__flying flight;
	kn__item items[KN__MOST_BEFORE + 1];
	kn__sent sent[KN__MOST_BEFORE + 1];
	kn__item *item;  /* whose rows they are */
	PGresult *first; /* the next row, or the columns of a scan: nobody has got it yet */
	bool has_row;    /* there is a row that nobody has got */
	bool is_over;    /* all answers are in */

	/* Of rows that come by COPY, see scan.c. */
	bool is_scan;
	bool is_copying;     /* libpq is in COPY: there may be more */
	bool is_unfit;       /* the columns are others than was known: it has to go without COPY */
	bool in_transaction; /* of the user's */
	char *row;           /* the row, as a rule; NULL: there is no memory for it */
	size_t row_size;     /* how much there is room for */
	char *piece;         /* libpq's, with the row in it; NULL: it is not there */
	kn__field *fields;
	int count;     /* of columns */
	bool has_head; /* the one before the first row has come */
} kn__streaming;

/* scan.c: the rows of a query by COPY */
extern bool kn__scan_serves(const kn__conn *conn, kn__item *item);
extern void kn__scan_send(kn__streaming *stream);
/* Everything up to the first row, which is there when has_row is set. */
extern void kn__scan_begin(kn__streaming *stream);
/* Goes on to the next row; false: there is none, and all results of the statement are in. */
extern KN__HOT bool kn__scan_next(kn__streaming *stream);
/* Passes over the rows that have arrived; after that, libpq may be asked whether it is busy. */
extern void kn__scan_skip(kn__streaming *stream);
extern void kn__scan_release(kn__streaming *stream);

/*
 * copy.c: the next piece of what comes out.  Its length; 0: there is none, and what the server
 * says to the statement is next, or the connection is lost.
 */
extern int kn__copy_read_on(kn__flying *flight, char **piece, int size);

/* What has arrived by now comes first: that is most of it. */
static inline int
kn__copy_read(kn__flying *flight, char **piece)
{
	int size = PQgetCopyData(flight->conn->pg, piece, 1);

	return size > 0 && flight->stopped == KN_OK ? size : kn__copy_read_on(flight, piece, size);
}

#endif
