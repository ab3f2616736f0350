/*
 * rows.c
 *		The rows of a query, as the caller walks through them.
 *
 * What they have in their columns is for get.c to say.
 */
#include "run/rows.h"

#include <string.h>

static kn_rows failed_rows = { .row = -1, .number = -1, .status = KN_NO_MEMORY, .is_done = true };

static KN__HOT void forget_kinds(kn_rows *rows);

/* Rows for which there is no memory. */
kn_rows *
kn__rows_failed(void)
{
	return &failed_rows;
}

/* Rows of the context, that still have to be filled; never NULL. */
kn_rows *
kn__rows_new(kn_ctx *cx)
{
	kn_rows *rows = kn__arena_get(&cx->arena, sizeof(kn_rows));

	if (KN__UNLIKELY(rows == NULL))
	{
		(void) kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
		return &failed_rows;
	}
	memset(rows, 0, KN__ROWS_HEAD);
	rows->cx = cx;
	rows->row = -1;
	rows->number = -1;
	rows->affected = -1;
	kn__arena_init(&rows->values, cx->db->allocator);
	rows->next = cx->open_rows;
	cx->open_rows = rows;
	return rows;
}

/* Gives the result of an item to its rows. */
void
kn__rows_fill(kn_rows *rows, kn__item *item)
{
	rows->result = item->result;
	rows->count = kn__result_rows(item->result);
	rows->columns = kn__result_columns(item->result);
	rows->affected = item->affected;
	rows->sql = item->sql;
	item->result = NULL;
}

KN__HOT bool
kn_next(kn_rows *rows)
{
	if (KN__UNLIKELY(rows == NULL || rows->is_done || rows->status != KN_OK))
		return false;
	if (KN__UNLIKELY(rows->values.blocks != NULL))
		kn__arena_clear(&rows->values);
	if (rows->row + 1 < rows->count)
	{
		rows->row++;
		rows->number++;
	}
	else if (!rows->is_streaming || !kn__stream_more(rows))
	{
		rows->row = rows->count;
		rows->width = 0;
		return false;
	}
	if (rows->number == 0)
		forget_kinds(rows);
	return true;
}

/* They are found out one by one, as they are asked for.  Without memory all goes the long way. */
static void
forget_kinds(kn_rows *rows)
{
	size_t columns = (size_t) rows->columns;

	rows->is_binary = rows->fields != NULL || kn__result_is_binary(rows->result);
	/* These are as they were made. */
	rows->kinds = rows->few;
	if (KN__UNLIKELY(columns > sizeof(rows->few)))
		rows->kinds = kn__arena_get_zero(&rows->cx->arena, columns, sizeof(uint8_t));
	rows->width = rows->kinds == NULL ? 0 : rows->columns;
}

KN__HOT kn_status
kn_done(kn_rows *rows)
{
	kn_ctx *cx;
	kn_rows **place;

	if (KN__UNLIKELY(rows == NULL))
		return KN_USAGE;
	if (KN__UNLIKELY(rows->is_done))
		return rows->status;
	rows->is_done = true;
	rows->width = 0;
	if (KN__UNLIKELY(rows->is_streaming))
		kn__stream_close(rows);
	kn__result_free(rows->result);
	rows->result = NULL;
	rows->fields = NULL;
	rows->count = 0;
	rows->row = -1;
	kn__arena_release(&rows->values);
	cx = rows->cx;
	for (place = &cx->open_rows; KN__LIKELY(*place != NULL); place = &(*place)->next)
	{
		if (KN__LIKELY(*place == rows))
		{
			*place = rows->next;
			break;
		}
	}
	return rows->status;
}

/* Ends all that the caller has left open. */
void
kn__rows_forget_all(kn_ctx *cx)
{
	while (cx->open_rows != NULL)
	{
		kn_status status = kn_done(cx->open_rows);

		(void) status;
	}
}

int
kn_column_count(const kn_rows *rows)
{
	return rows == NULL || rows->result == NULL ? 0 : rows->columns;
}

const char *
kn_column_name(const kn_rows *rows, int column)
{
	return rows == NULL || rows->result == NULL ? NULL : kn__result_name(rows->result, column);
}

uint32_t
kn_column_oid(const kn_rows *rows, int column)
{
	return rows == NULL || rows->result == NULL ? 0 : kn__result_oid(rows->result, column);
}

int
kn_column_index(const kn_rows *rows, const char *name)
{
	for (int i = 0; name != NULL && i < kn_column_count(rows); i++)
	{
		if (strcmp(kn_column_name(rows, i), name) == 0)
			return i;
	}
	return -1;
}

int64_t
kn_row_count(const kn_rows *rows)
{
	if (rows == NULL || rows->is_streaming)
		return -1;
	return rows->affected >= 0 ? rows->affected : rows->count;
}
