/*
 * notes.h
 *		Listens to all events of a handle, and keeps what each of them said.
 */
#ifndef KN_TESTS_NOTES_H
#define KN_TESTS_NOTES_H

#include "live.h"

#define MOST 400

/* A copy of what an event says, as far as it is looked at here. */
typedef struct note
{
	kn_event_kind kind;
	kn_status status;
	int64_t duration_ns, rows, affected, attempts, pause_ns, pid, port, batch_size;
	int64_t savepoint;
	int line, parameters;
	char what[16], reason[200], message[200], sql[100], operation[16], summary[16], trace[16];
	char actor[16], host[100], database[32], db_name[16], sqlstate[6], error[32], file[100];
} note;

static PGconn *look;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static note notes[MOST];
static int count;

static inline void
copy(char *to, size_t size, const char *from)
{
	(void) snprintf(to, size, "%s", from == NULL ? "" : from);
}

#define COPY(field, text) copy(n->field, sizeof(n->field), text)

static inline void
hear(void *user, const kn_event *event)
{
	note *n;

	(void) user;
	(void) pthread_mutex_lock(&lock);
	ck_assert_int_lt(count, MOST);
	n = &notes[count++];
	*n = (note){ .kind = event->kind,
				 .status = event->status,
				 .duration_ns = event->duration_ns,
				 .rows = event->rows,
				 .affected = event->affected,
				 .attempts = event->attempts,
				 .pause_ns = event->pause_ns,
				 .pid = event->connection_pid,
				 .port = event->port,
				 .batch_size = event->batch_size,
				 .savepoint = event->savepoint,
				 .line = (int) event->line,
				 .parameters = event->parameters == NULL ? -1 : event->parameter_count };
	COPY(what, event->what);
	COPY(reason, event->reason);
	COPY(message, event->message);
	COPY(sql, event->sql);
	COPY(operation, event->operation);
	COPY(summary, event->summary);
	COPY(trace, event->trace_id);
	COPY(actor, event->actor);
	COPY(host, event->host);
	COPY(database, event->database);
	COPY(db_name, event->db_name);
	COPY(sqlstate, event->sqlstate);
	COPY(error, event->error);
	COPY(file, event->file);
	(void) pthread_mutex_unlock(&lock);
}

static const kn_hooks all = { .size = sizeof(all),
#define X(name, hook, text) .hook = hear,
							  KN_EVENTS(X)
#undef X
};

/* The newest of a kind that says that; its what is "" where the kind has none.  NULL: none does. */
static inline const note *
find(kn_event_kind kind, const char *what)
{
	const note *found = NULL;

	(void) pthread_mutex_lock(&lock);
	for (int i = 0; i < count; i++)
	{
		if (notes[i].kind == kind && strcmp(notes[i].what, what) == 0)
			found = &notes[i];
	}
	(void) pthread_mutex_unlock(&lock);
	return found;
}

/* How many of a kind there are that say that; what NULL: whatever they say. */
static inline int
times_told(kn_event_kind kind, const char *what)
{
	int times = 0;

	(void) pthread_mutex_lock(&lock);
	for (int i = 0; i < count; i++)
		times += notes[i].kind == kind && (what == NULL || strcmp(notes[i].what, what) == 0);
	(void) pthread_mutex_unlock(&lock);
	return times;
}

static inline const note *
told(kn_event_kind kind, const char *what)
{
	const note *found = find(kind, what);

	ck_assert_msg(found != NULL, "no %s %s was told", kn_event_name(kind), what);
	return found;
}

/* What another thread is about to tell. */
static inline const note *
await(kn_event_kind kind, const char *what)
{
	const note *found;

	while ((found = find(kind, what)) == NULL)
		look_do(look, "SELECT pg_sleep(0.002)");
	return found;
}

static inline void
forget(void)
{
	(void) pthread_mutex_lock(&lock);
	count = 0;
	(void) pthread_mutex_unlock(&lock);
}

#endif
