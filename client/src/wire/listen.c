/*
 * listen.c
 *		Notifications: what a connection hears while nobody asks it anything.
 *
 * What has arrived is handed out even when the connection is gone by then: the last words
 * of a server count.
 */
#include "wire/conn.h"

#include <stdio.h>
#include <string.h>

static void end_question(kn__conn *conn);
static char *quote(char *at, const char *name);

bool
kn__hear(kn__conn *conn, kn__heard *out)
{
	PGnotify *notify = PQnotifies(conn->pg);

	if (notify == NULL)
		return false;
	out->channel = notify->relname;
	out->payload = notify->extra;
	out->pid = notify->be_pid;
	out->memory = notify;
	return true;
}

void
kn__heard_free(kn__heard *heard)
{
	PQfreemem(heard->memory);
	memset(heard, 0, sizeof(*heard));
}

kn_status
kn__hear_wait(kn__conn *conn, const kn__wait *wait, kn__fault *fault)
{
	int unsent = conn->is_broken ? -1 : PQflush(conn->pg);
	kn__waited waited = KN__WAITED_ERROR;

	if (unsent >= 0)
		waited = kn__wait_socket(conn, unsent > 0, wait);
	switch (waited)
	{
		case KN__WAITED_READY:
			if (PQconsumeInput(conn->pg))
			{
				end_question(conn);
				if (PQstatus(conn->pg) == CONNECTION_OK)
					return KN_OK;
			}
			break;
		case KN__WAITED_TIMEOUT:
			return kn__fail(fault, KN_TIMEOUT, "nothing was notified in time");
		case KN__WAITED_CANCELED:
			return kn__fail(fault, KN_CANCELED, "%s", kn_status_text(KN_CANCELED));
		case KN__WAITED_ERROR:
			break;
	}
	conn->is_broken = true;
	return kn__fault_of_conn(fault, conn, KN_CONN_LOST);
}

bool
kn__hear_ask(kn__conn *conn)
{
	if (!PQsendQuery(conn->pg, ""))
		conn->is_broken = true;
	else
		conn->is_asking = true;
	return !conn->is_broken;
}

bool
kn__hear_is_asking(const kn__conn *conn)
{
	return conn->is_asking;
}

/* Takes the answer, as far as it is here. */
static void
end_question(kn__conn *conn)
{
	while (conn->is_asking && !PQisBusy(conn->pg))
	{
		PGresult *result = PQgetResult(conn->pg);

		if (result == NULL)
			conn->is_asking = false;
		PQclear(result);
	}
	/* Without a question this is what takes in notifications, and a server's good-bye. */
	(void) PQisBusy(conn->pg);
}

int
kn__hear_socket(const kn__conn *conn)
{
	return PQsocket(conn->pg);
}

kn_status
kn__hear_channels(kn__conn *conn, const char *verb, const kn__channel *channels, int count,
				  const kn__wait *wait, kn__fault *fault)
{
	size_t room = strlen(verb) + 2 * sizeof(kn__channel) + 4;
	size_t size = (size_t) count * (sizeof(kn__item) + room);
	kn__item *items;
	char *sql;
	kn__outcome outcome;
	kn_status status;

	while (conn->is_asking)
	{
		status = kn__hear_wait(conn, wait, fault);
		if (status != KN_OK)
			return status;
	}
	items = kn__allocate_zero(conn->allocator, 1, size);
	if (items == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	sql = (char *) (items + count);
	for (int i = 0; i < count; i++, sql += room)
	{
		char *at = quote(sql + snprintf(sql, room, "%s ", verb), channels[i].name);

		items[i].sql = sql;
		items[i].length = (size_t) (at - sql);
		items[i].never_prepare = true;
		items[i].is_atomic = true;
	}
	status = kn__flight(conn, items, count, wait, &outcome, fault);
	/* The texts go, and the fault's own copy stays. */
	kn__release(conn->allocator, items, size);
	return status;
}

/* As an identifier; returns its end. */
static char *
quote(char *at, const char *name)
{
	*at++ = '"';
	for (; *name != '\0'; name++)
	{
		if (*name == '"')
			*at++ = '"';
		*at++ = *name;
	}
	*at++ = '"';
	*at = '\0';
	return at;
}
