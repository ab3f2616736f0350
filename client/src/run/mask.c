/*
 * mask.c
 *		SQL without the values that are written into it.
 *
 * As OpenTelemetry wants it: a text that has parameters is told as it is, for whoever
 * uses them keeps what is private in them; of any other the literals are masked.  What
 * the scanner refuses is masked as well: it may be a literal that does not end.
 */
#include "run/observe.h"

#include <string.h>

#include "data/data.h"

static bool
is_literal(const kn__token *token)
{
	return token->kind == KN__TOKEN_STRING || token->kind == KN__TOKEN_NUMBER ||
		   token->kind == KN__TOKEN_ERROR;
}

void
kn__mask_literals(kn__buf *out, kn_str sql)
{
	const char *at = sql.p;
	kn__lexer lexer;
	kn__token token;
	bool is_first = true;

	kn__lexer_init(&lexer, sql);
	while ((token = kn__lexer_next(&lexer)).kind != KN__TOKEN_END)
	{
		if (token.p > at && !is_first)
			kn__buf_text(out, " ");
		if (is_literal(&token))
			kn__buf_text(out, "?");
		else
			kn__buf_add(out, token.p, token.n);
		at = token.p + token.n;
		is_first = false;
	}
}

const char *
kn__told_sql_init(kn__told_sql *told, const kn_allocator *allocator, const char *sql,
				  bool has_parameters, bool show_parameters)
{
	kn__buf_init(&told->masked, allocator, SIZE_MAX / 2);
	told->text = sql;
	if (sql == NULL || has_parameters || show_parameters)
		return sql;
	kn__buf_text(&told->masked, "");
	kn__mask_literals(&told->masked, (kn_str){ sql, strlen(sql) });
	told->text = told->masked.has_failed     ? NULL
				 : told->masked.data == NULL ? ""
											 : told->masked.data;
	return told->text;
}

/* Whether one text stands for all, as it may be told. */
static bool
are_the_same(const kn__item *items, int count)
{
	for (int i = 1; i < count; i++)
	{
		if (strcmp(items[i].sql, items[0].sql) != 0 || (items[i].count > 0) != (items[0].count > 0))
			return false;
	}
	return true;
}

const char *
kn__told_batch_init(kn__told_sql *told, const kn_allocator *allocator, const kn__item *items,
					int count, bool show_parameters)
{
	kn__buf *out = &told->masked;

	if (are_the_same(items, count))
		return kn__told_sql_init(told,
								 allocator,
								 items[0].sql,
								 items[0].count > 0,
								 show_parameters);
	kn__buf_init(out, allocator, SIZE_MAX / 2);
	for (int i = 0; i < count; i++)
	{
		size_t before = out->length;

		kn__buf_text(out, i == 0 ? "" : "; ");
		if (items[i].count > 0 || show_parameters)
			kn__buf_text(out, items[i].sql);
		else
			kn__mask_literals(out, (kn_str){ items[i].sql, strlen(items[i].sql) });
		if (i > 0 && out->length > KN__TOLD_BATCH_LIMIT)
		{
			kn__buf_cut(out, before);
			kn__buf_printf(out, "; /* and %d more */", count - i);
			break;
		}
	}
	told->text = out->has_failed ? NULL : out->data;
	return told->text;
}

void
kn__told_sql_release(kn__told_sql *told)
{
	kn__buf_release(&told->masked);
	told->text = NULL;
}
