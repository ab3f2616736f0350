/*
 * rows.h
 *		The rows of a query, as the caller walks through them.
 */
#ifndef KN_SRC_RUN_ROWS_H
#define KN_SRC_RUN_ROWS_H

#include <stddef.h>

#include "run/run.h"

struct kn_rows
{
	kn_ctx *cx;
	kn_rows *next;           /* of those that are open */
	kn__result *result;      /* NULL: none, or not yet */
	const kn__field *fields; /* of the current row, in binary, if it came by COPY: else NULL */
	int row;                 /* within result, -1 before the first, count behind the last */
	int64_t number;          /* of all rows, from 0; -1 before the first */
	int count;               /* of rows in result */
	int columns;
	int width;      /* columns that have a kind there: all, or none where that is of no use */
	uint8_t *kinds; /* kn_type of each and one more, 0: not looked at yet */
	int64_t affected;
	bool is_binary;    /* all columns of the current row are */
	bool is_undone;    /* what it is part of is rolled back */
	bool is_streaming; /* the connection is held, and more may come */
	bool is_wrapped;   /* in a transaction for no more than that */
	bool is_done;
	kn_status status; /* the first failure stays */
	kn__arena values; /* of the current row: what decoding needs memory for */
	const char *sql;
	uint8_t few[16];    /* kinds, if that will do */
	kn__permit permit;  /* of a stream */
	kn__call call;      /* likewise */
	kn_options options; /* likewise, for the call */
	kn__item item;      /* likewise */
};

/* What all have; the rest is a stream's, and to clear it takes longer. */
#define KN__ROWS_HEAD offsetof(kn_rows, permit)

extern kn_rows *kn__rows_failed(void);
extern KN__HOT void kn__rows_fill(kn_rows *rows, kn__item *item);

/* query.c */
extern KN__HOT kn_status kn__query_prepare(kn_ctx *cx, const char *sql, const kn_value *values,
										   int count, const kn_options *options, kn__item *item,
										   kn__call *call);
/* A statement as an item of a flight, and its class. */
extern KN__HOT unsigned kn__query_item(kn_ctx *cx, const char *sql, const kn_value *values,
									   int count, kn__item *item);
extern KN__COLD kn_rows *kn__rows_fail(kn_ctx *cx, kn_status status);

/* stream.c: the next rows of a stream, and its end */
extern KN__HOT bool kn__stream_more(kn_rows *rows);
extern void kn__stream_close(kn_rows *rows);

#endif
