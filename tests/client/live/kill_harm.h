/*
 * kill_harm.h
 *		What is done to a connection as a message passes, in each way that there is to lose one.
 */
#ifndef KN_TESTS_KILL_HARM_H
#define KN_TESTS_KILL_HARM_H

#include <signal.h>

#include "kill_expected.h"

typedef struct harm
{
	proxy proxy;
	scene scene;
	way how;
	moment when;
	PGresult *frozen; /* the processes of the server that are stopped */
} harm;

static void
terminate(scene *s)
{
	PGresult *pids = PQexec(s->killer,
							"SELECT pid, pg_terminate_backend(pid), pg_stat_clear_snapshot()"
							" FROM pg_stat_activity WHERE application_name = 'kn_kill'");

	for (int i = 0; i < PQntuples(pids);)
	{
		char sql[128];
		PGresult *alive;

		(void) snprintf(sql,
						sizeof(sql),
						"SELECT 1 FROM pg_stat_activity, pg_sleep(0.002) WHERE pid = %s",
						PQgetvalue(pids, i, 0));
		alive = PQexec(s->killer, sql);
		i += PQntuples(alive) == 0;
		PQclear(alive);
	}
	PQclear(pids);
}

/* All sessions end with it, and only then is it a new server that one is connected to. */
static void
await_restart(scene *s)
{
	for (int i = 0; i < 60 && PQstatus(s->killer) == CONNECTION_OK; i++)
		PQclear(PQexec(s->killer, "SELECT pg_sleep(1)"));
	ck_assert_int_eq(PQstatus(s->killer), CONNECTION_BAD);
	PQfinish(s->killer);
	s->killer = look_silently();
	/* Others go on, with numbers of transactions that there is no trace of any more. */
	for (int i = 0; i < 30; i++)
		look_do(s->killer, "SELECT pg_current_xact_id()");
}

static void
kill_victims(scene *s)
{
	PGresult *pids =
		PQexec(s->killer, "SELECT pid FROM pg_stat_activity WHERE application_name = 'kn_kill'");

	for (int i = 0; i < PQntuples(pids); i++)
		(void) kill((pid_t) atol(PQgetvalue(pids, i, 0)), SIGKILL);
	/* A pooler may have given the victim no session yet; the server goes down all the same. */
	(void) kill((pid_t) PQbackendPID(s->holder), SIGKILL);
	PQclear(pids);
	await_restart(s);
}

static void
signal_frozen(const harm *p, int number)
{
	for (int i = 0; p->frozen != NULL && i < PQntuples(p->frozen); i++)
		ck_assert_int_eq(kill((pid_t) atol(PQgetvalue(p->frozen, i, 0)), number), 0);
}

static void
freeze(harm *p)
{
	p->frozen = PQexec(p->scene.killer,
					   "SELECT pid FROM pg_stat_activity WHERE application_name = 'kn_kill'");
	signal_frozen(p, SIGSTOP);
}

static void
thaw(harm *p)
{
	signal_frozen(p, SIGCONT);
	PQclear(p->frozen);
	p->frozen = NULL;
}

/* What is in the log by then lasts: numbers of transactions are not given out again. */
static void
stop_server(scene *s)
{
	look_do(s->killer, "SELECT pg_logical_emit_message(true, 'kn_kill', '')");
	ck_assert_int_eq(system(getenv("KN_TEST_STOP")), 0);
	ck_assert_int_eq(system(getenv("KN_TEST_START")), 0);
	await_restart(s);
}

static bool
do_harm(void *user)
{
	harm *p = user;

	if (p->when == MOMENT_DURING)
		look_await(
			p->scene.killer,
			"SELECT count(*) FROM (SELECT 1 FROM pg_stat_activity, pg_stat_clear_snapshot() WHERE application_name = 'kn_kill' AND wait_event = 'advisory' LIMIT 1) x",
			1);
	if (p->how == WAY_TERMINATE)
		terminate(&p->scene);
	if (p->how == WAY_KILL)
		kill_victims(&p->scene);
	if (p->how == WAY_STOP)
		stop_server(&p->scene);
	if (p->how == WAY_FREEZE)
		freeze(p);
	p->proxy.drops = p->how == WAY_DROP;
	if (p->when == MOMENT_DURING)
		PQclear(PQexec(p->scene.holder, "SELECT pg_advisory_unlock(4711)"));
	return p->how <= WAY_DROP;
}

/* What the proxy is to do it to; it has not started. */
static void
harm_prepare(harm *h, const char *text, char message, bool (*act)(void *user))
{
	h->proxy.text = text;
	h->proxy.kind = message;
	h->proxy.when = h->when;
	h->proxy.harm = act;
	h->proxy.user = h;
	h->proxy.resets = h->how == WAY_RESET;
	h->proxy.says_end = h->how == WAY_CLOSE;
	h->proxy.is_tcp = h->how == WAY_RESET;
}

#endif
