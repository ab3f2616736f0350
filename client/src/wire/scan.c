/*
 * scan.c
 *		The rows of a query by COPY: libpq keeps no account of each value then, which is most of
 *		what a row costs.
 *
 * The text that is sent has the query twice, see kn__copy_scan(): the answer to the first is the
 * columns, as they are for this very transaction; that of the second is the rows.  If the
 * columns are such that binary will not do, for the schema has changed, the rows are passed over,
 * and the statement goes another way.
 */
#include "wire/copying.h"

#include <string.h>

#define HEAD_SIZE 19   /* the signature, flags, and the length of an extension */
#define ROW_SIZE  8192 /* there is room for at first */

static void take_columns(kn__streaming *stream, PGresult *result);
static void refuse(kn__streaming *stream, const PGresult *result);
static void give_up(kn__streaming *stream);
static KN__HOT int read_row(kn__streaming *stream);
static int read_rest(kn__streaming *stream);
static bool take_row(kn__streaming *stream, const char *bytes, size_t length);

/* Whether it is known that the rows of a query can come this way. */
bool
kn__scan_serves(const kn__conn *conn, kn__item *item)
{
	return item->may_scan && item->count == 0 && !kn__reset_is_due(conn) &&
		   kn__memo_find(conn->shapes, kn__send_key(item)) == KN__SHAPE_BINARY;
}

void
kn__scan_send(kn__streaming *stream)
{
	kn__flying *flight = &stream->flight;
	kn__conn *conn = flight->conn;
	kn__buf text;

	stream->is_scan = true;
	memset(stream->sent, 0, sizeof(stream->sent));
	stream->sent[flight->count - 1].key = kn__send_key(stream->item);
	kn__buf_init(&text, conn->allocator, SIZE_MAX / 2);
	kn__copy_scan(&text, (kn_str){ stream->item->sql, stream->item->length });
	if (text.has_failed)
		flight->status = kn__fail(flight->fault, KN_NO_MEMORY, "out of memory");
	else if (!PQsendQuery(conn->pg, text.data))
		kn__flight_lose(flight);
	else
		flight->is_sent = true;
	kn__buf_release(&text);
}

void
kn__scan_begin(kn__streaming *stream)
{
	kn__flying *flight = &stream->flight;

	while (!flight->is_lost && !stream->is_copying)
	{
		PGresult *result = kn__answer_next(flight);
		ExecStatusType kind = PQresultStatus(result);

		if (result == NULL)
			return;
		if (kind == PGRES_TUPLES_OK && stream->fields == NULL)
		{
			take_columns(stream, result);
			continue;
		}
		if (kind == PGRES_COPY_OUT)
			stream->is_copying = true;
		else
			refuse(stream, result);
		PQclear(result);
	}
	if (stream->is_copying && stream->is_unfit)
		give_up(stream);
}

/* What is wrong is somewhere in the caller's text, and not in ours. */
static void
refuse(kn__streaming *stream, const PGresult *result)
{
	kn__flying *flight = &stream->flight;
	bool is_first = flight->status == KN_OK;
	kn_error *error = &flight->fault->error;

	kn__answer_error(flight, stream->item, &flight->sent[flight->count - 1], result);
	if (is_first && error->position > 0)
		error->position =
			kn__copy_scan_position((kn_str){ stream->item->sql, stream->item->length },
								   error->position);
}

static void
take_columns(kn__streaming *stream, PGresult *result)
{
	kn__flying *flight = &stream->flight;
	kn__conn *conn = flight->conn;
	kn__shape shape;

	stream->first = result;
	stream->count = PQnfields(result);
	shape = kn__shape_of(conn, result);
	if (shape != KN__SHAPE_BINARY)
	{
		kn__memo_note(conn->shapes, flight->sent[flight->count - 1].key, shape);
		stream->is_unfit = true;
		return;
	}
	stream->fields =
		kn__allocate(conn->allocator, ((size_t) stream->count + 1) * sizeof(kn__field));
	/* That is said once there is nothing more to be read. */
	stream->is_unfit = stream->fields == NULL;
	stream->row = kn__allocate(conn->allocator, ROW_SIZE);
	stream->row_size = stream->row == NULL ? 0 : ROW_SIZE;
}

/* Outside of a transaction a cancel harms nobody; within one it would be the end of that. */
static void
give_up(kn__streaming *stream)
{
	kn__flying *flight = &stream->flight;

	if (!stream->in_transaction)
		kn__flight_stop(flight, KN__WAITED_CANCELED);
	while (stream->is_copying && kn__scan_next(stream))
		;
}

bool
kn__scan_next(kn__streaming *stream)
{
	kn__flying *flight = &stream->flight;

	while (stream->is_copying)
	{
		int size = read_row(stream);
		const char *bytes = stream->piece == NULL ? stream->row : stream->piece;

		if (size == 0)
			stream->is_copying = false;
		else if (stream->is_unfit)
			continue;
		else if (take_row(stream, bytes, (size_t) size))
			return true;
	}
	if (!flight->is_lost)
		kn__answer_command(flight, stream->item, &flight->sent[flight->count - 1]);
	return false;
}

/*
 * The length of the next row; 0: there is none.
 *
 * What has arrived is taken by libpq's older call, which copies into memory that is there, instead
 * of getting some for each row: that is a good part of what a row costs.  It cannot tell what has
 * not arrived from what is empty, so the newer one has the say then.
 */
static int
read_row(kn__streaming *stream)
{
	kn__flying *flight = &stream->flight;

	if (stream->piece != NULL)
	{
		PQfreemem(stream->piece);
		stream->piece = NULL;
	}
	if (stream->row != NULL && flight->stopped == KN_OK && !stream->is_unfit)
	{
		int room = (int) stream->row_size;
		int size = PQgetlineAsync(flight->conn->pg, stream->row, room);

		if (size == room)
			return read_rest(stream);
		if (size != 0)
			return size > 0 ? size : 0;
	}
	return kn__copy_read(flight, &stream->piece);
}

/* The room is full, so there may be more of the row; all of it has arrived. */
static int
read_rest(kn__streaming *stream)
{
	kn__flying *flight = &stream->flight;
	size_t head = stream->has_head ? 0 : HEAD_SIZE;
	size_t length = stream->row_size;

	/* No row is the begin of another one. */
	while (!kn__row_decode(stream->row + head, length - head, stream->count, stream->fields))
	{
		size_t more = stream->row_size;
		char *row = more > INT32_MAX / 2
						? NULL
						: kn__resize(flight->conn->allocator, stream->row, more, 2 * more);
		int size;

		/* The newer call hands out all of it, from its begin, and the older is for nothing then. */
		if (row == NULL)
		{
			kn__release(flight->conn->allocator, stream->row, more);
			stream->row = NULL;
			stream->row_size = 0;
			return kn__copy_read(flight, &stream->piece);
		}
		stream->row = row;
		stream->row_size = 2 * more;
		size = PQgetlineAsync(flight->conn->pg, row + length, (int) more);
		if (size <= 0)
		{
			kn__flight_lose(flight);
			return 0;
		}
		length += (size_t) size;
		if ((size_t) size < more)
			break;
	}
	return (int) length;
}

/* False: there is no row in it. */
static bool
take_row(kn__streaming *stream, const char *bytes, size_t length)
{
	kn__flying *flight = &stream->flight;

	if (!stream->has_head && length >= HEAD_SIZE)
	{
		bytes += HEAD_SIZE;
		length -= HEAD_SIZE;
		stream->has_head = true;
	}
	/* The head alone, or the end, which is a row of -1 columns. */
	if (length == 0 || (length == 2 && kn__load_u16(bytes) == UINT16_MAX))
		return false;
	if (kn__row_decode(bytes, length, stream->count, stream->fields))
		return true;
	flight->status = kn__fail(flight->fault, KN_INTERNAL, "a row is not what COPY sends");
	flight->is_lost = true;
	stream->is_copying = false;
	return false;
}

void
kn__scan_skip(kn__streaming *stream)
{
	PGconn *pg = stream->flight.conn->pg;
	int size = 1;

	while (stream->is_copying && size > 0)
	{
		PQfreemem(stream->piece);
		stream->piece = NULL;
		size = PQgetCopyData(pg, &stream->piece, 1);
		if (size < 0)
			stream->is_copying = false;
	}
}

void
kn__scan_release(kn__streaming *stream)
{
	PQfreemem(stream->piece);
	kn__release(stream->flight.conn->allocator, stream->row, stream->row_size);
	if (stream->fields != NULL)
		kn__release(stream->flight.conn->allocator,
					stream->fields,
					((size_t) stream->count + 1) * sizeof(kn__field));
}
