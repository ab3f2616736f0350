/*
 * copy.h
 *		A COPY of the caller's.
 */
#ifndef KN_SRC_RUN_COPY_H
#define KN_SRC_RUN_COPY_H

#include "run/run.h"

/* What the caller hands over. */
typedef enum kn__copy_mode
{
	KN__COPY_NOTHING, /* yet */
	KN__COPY_BYTES,
	KN__COPY_ROWS
} kn__copy_mode;

struct kn_copy
{
	kn_ctx *cx;
	kn__call call;
	kn__item item;
	kn__direction direction;
	kn_status status; /* the first failure stays */
	bool is_own;      /* the transaction is for no more than this */
	bool is_open;     /* the server is at it */
	bool has_ended;
	kn__copy_mode mode;
	kn__copy_shape shape;
	kn__copy_text text;
	int known; /* columns whose types are known */
	uint32_t *types;
	uint32_t *elements; /* see kn__row_encode() */
	const char **names;
	kn__buf buf;  /* what has not been sent yet */
	int64_t rows; /* handed over */
};

/* copy_begin.c: sends it, once or again; the context has a connection and a transaction then */
extern kn_status kn__copy_prepare(kn_copy *copy, const char *sql);
extern kn_status kn__copy_start(kn_copy *copy);

#endif
