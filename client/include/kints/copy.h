/*
 * kints/copy.h
 *		COPY: many rows in, many bytes out.
 *
 * A COPY is one transaction, with the role and the claims of its context; within kn_transact()
 * it is part of that one.  Until it has ended, the context can do nothing else.  To read rows
 * there is kn_stream(), which goes by COPY itself where that is faster.
 *
 * Threads: as the context.
 */
#ifndef KINTS_COPY_H
#define KINTS_COPY_H

#include "kints/query.h"

KN_BEGIN_DECLS

typedef struct kn_copy kn_copy;

/*
 * Begins a COPY ... FROM STDIN.  The text ends with a NUL, and lives as long as the context, and
 * so does the handle, unless kn_clear() comes before.  Never NULL: what fails stays with it, and
 * comes out of kn_copy_end(), which says KN_USAGE where the text is something else.  What fails
 * here is tried again as calls are; once data has been handed over, nothing is.
 */
KN_API kn_copy *kn_copy_in(kn_ctx *cx, const char *sql);

/*
 * Bytes in the format that the text asks for, header and trailer of the binary one included; they
 * need not be whole rows, and are copied; length is in bytes, and data may be NULL where it is 0.
 * KN_USAGE after kn_copy_row(), for a COPY out, one that has ended, or NULL.  What the server has
 * against them is often known only to kn_copy_end().  Any failure ends the COPY, and is returned
 * from then on.
 */
KN_API kn_status kn_copy_put(kn_copy *copy, const void *data, size_t length);

/*
 * A row for a COPY whose text says (FORMAT binary): as many values as it has columns.  Each goes
 * as the type of its column, and one that does not fit is KN_DATA, with row and column, and the
 * end of the COPY.  So is any but NULL for a type without a codec; enums are text, and arrays
 * of enums are arrays of text.  Values are copied.  KN_USAGE: another number of values than of
 * columns, another format, and as above.
 */
KN_API kn_status kn_copy_row_values(kn_copy *copy, const kn_value *values, int count);
#ifndef __cplusplus
/* kn_copy_row(copy, 7, "ada", 0.5): up to 16 values, each anything that kn_v() takes */
#define kn_copy_row(...) kn_copy_row_values(KN_SQL_(__VA_ARGS__))
#endif

/*
 * Begins a COPY ... TO STDOUT.  As kn_copy_in(); one that only reads may go to a replica.
 */
KN_API kn_copy *kn_copy_out(kn_ctx *cx, const char *sql);

/*
 * The next piece of what comes out, a row in text or binary as the server sends it; it lives
 * until the next call with the handle.  False: there is none any more, and *piece is empty, or it
 * failed, as kn_copy_end() tells; KN_USAGE for a COPY in.
 */
KN_API bool kn_copy_get(kn_copy *copy, kn_str *piece);

/*
 * Ends it; *rows, if it is not NULL, is how many rows there were, 0 if it
 * fails, or is ended before the server has said it.  What was put in
 * is committed, or nothing of it happened: KN_CONN_LOST says that, too; KN_OUTCOME_UNKNOWN as with
 * kn_transact(), and of a COPY out of functions that may have done something elsewhere.  A COPY
 * out that only reads may end before it has come to its end: it is cancelled then, unless it is
 * part of a transaction.  Gives the same again when called again; KN_USAGE for NULL; else what a
 * call with a statement may return (see kints/query.h).
 */
KN_API KN_MUST_CHECK kn_status kn_copy_end(kn_copy *copy, int64_t *rows);

/*
 * Gives it up: nothing of it is done, and kn_copy_end() says KN_CANCELED.  A transaction of the
 * caller's that it is part of has failed with it.  Does nothing to one that has ended, nor to NULL;
 * the end of the context does the same.
 */
KN_API void kn_copy_abort(kn_copy *copy);

KN_END_DECLS

#endif
