/*
 * scenes_copy.h
 *		Scenes of COPY, of streams by COPY, and of a listener; see scenes.h, which includes it.
 */
#ifndef KN_TESTS_SCENES_COPY_H
#define KN_TESTS_SCENES_COPY_H

#include "live.h"

#define SCENE_LINES 40
#define SCENE_PIECE 2000 /* bytes of each line, so that all of them are more than one piece */

static kn_status
act_copy_in(kn_ctx *cx)
{
	kn_copy *copy = kn_copy_in(cx, "COPY kn_scene FROM STDIN");
	int64_t rows = 0;
	kn_status status;

	for (int i = 0; i < SCENE_LINES; i++)
	{
		char line[SCENE_PIECE];
		int head = snprintf(line, sizeof(line), "%d\t", i);

		memset(line + head, 'x', sizeof(line) - (size_t) head);
		line[sizeof(line) - 1] = '\n';
		if (kn_copy_put(copy, line, sizeof(line)) != KN_OK)
			break;
	}
	status = kn_copy_end(copy, &rows);
	MUST(status != KN_OK || rows == SCENE_LINES);
	return status;
}

static kn_status
act_copy_rows(kn_ctx *cx)
{
	kn_copy *copy = kn_copy_in(cx, "COPY kn_scene FROM STDIN (FORMAT binary)");
	int64_t rows = 0;
	kn_status status;

	for (int i = 0; i < SCENE_LINES; i++)
	{
		if (kn_copy_row(copy, i, "row") != KN_OK)
			break;
	}
	status = kn_copy_end(copy, &rows);
	MUST(status != KN_OK || rows == SCENE_LINES);
	return status;
}

static kn_status
act_copy_out(kn_ctx *cx)
{
	kn_copy *copy =
		kn_copy_out(cx,
					"COPY (SELECT g, repeat('x', 500) FROM generate_series(1, 40) g) TO STDOUT");
	kn_str piece;
	size_t bytes = 0;
	int64_t rows = 0;
	kn_status status;

	while (kn_copy_get(copy, &piece))
		bytes += piece.n;
	status = kn_copy_end(copy, &rows);
	MUST(status != KN_OK || (rows == 40 && bytes == 9 + 31 * 2 + 40 * 502));
	return status;
}

/* Nobody wants the rest: it is cancelled.  More than fits on the way, and few to be kept. */
static kn_status
act_copy_some(kn_ctx *cx)
{
	kn_copy *copy =
		kn_copy_out(cx, "COPY (SELECT repeat('x', 7000) FROM generate_series(1, 200)) TO STDOUT");
	kn_str piece;

	if (kn_copy_get(copy, &piece))
		MUST(piece.n == 7001 && memcmp(piece.p, "xx", 2) == 0);
	return kn_copy_end(copy, NULL);
}

/* The second time it is known what the rows are, and they come by COPY. */
static kn_status
act_scan(kn_ctx *cx)
{
	for (int i = 0; i < 2; i++)
	{
		kn_rows *rows = kn_stream(cx, "SELECT g, g::text FROM generate_series(1, 50) g");
		int count = 0;
		kn_status status;

		while (kn_next(rows) && kn_get_i32(rows, 0) == count + 1 && kn_get_str(rows, 1).n > 0)
			count++;
		status = kn_done(rows);
		MUST(status != KN_OK || count == 50);
		TRY(status);
	}
	return KN_OK;
}

/*
 * Notifies until it is heard: libpq says nothing of a notification that it has no memory for.  A
 * gap is none of what is waited for.
 */
static kn_status
hear(kn_ctx *cx, kn_listener *listener, bool for_gap)
{
	const kn_notification *heard = NULL;
	kn_status status = KN_TIMEOUT;

	for (int i = 0; i < 40 && status == KN_TIMEOUT; i++)
	{
		if (!for_gap)
			TRY(kn_notify(cx, "kn_scene", "payload"));
		do
			status = kn_next_notification(listener, 500, &heard);
		while (status == KN_OK && heard->is_gap && !for_gap);
		MUST((status == KN_OK) == (heard != NULL));
		if (status == KN_OK && for_gap && !heard->is_gap)
			status = KN_TIMEOUT;
	}
	MUST(status != KN_OK || for_gap ||
		 (strcmp(heard->channel, "kn_scene") == 0 && strcmp(heard->payload, "payload") == 0));
	return status;
}

static kn_status
listen_and_hear(kn_ctx *cx, kn_listener *listener)
{
	static const char ends_listeners[] =
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		" WHERE application_name = 'kn_scene' AND pid <> pg_backend_pid() AND query ~ '^LISTEN'";

	TRY(kn_listen(listener, "kn_scene"));
	TRY(kn_listen(listener, "kn scene"));
	TRY(hear(cx, listener, false));
	TRY(kn_unlisten(listener, "kn scene"));
	TRY(kn_listen(listener, "kn_scene 2"));
	TRY(kn_exec(cx, ends_listeners));
	TRY(hear(cx, listener, true));
	return hear(cx, listener, false);
}

static void
configure_listener(kn_config *config)
{
	if (is_pooled())
		config->listen_conninfo = getenv("KN_TEST_DIRECT");
	config->retry_base_ms = 1;
	config->retry_cap_ms = 20;
}

#endif
