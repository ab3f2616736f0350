/*
 * soak_checks.h
 *		What has to hold after the soak: of what was written, seen and heard.
 */
#ifndef KN_TESTS_SOAK_CHECKS_H
#define KN_TESTS_SOAK_CHECKS_H

#include "soak_trouble.h"

#define SETTLING_S 20 /* until all is as it is to stay */

static int failures;

static void
check(bool is_so, const char *what)
{
	(void) printf("%-6s %s\n", is_so ? "ok" : "FAILED", what);
	failures += !is_so;
}

/* A session that looks from outside; what it needs is there, or comes back soon. */
static PGconn *
look_open(void)
{
	PGconn *look;

	while (look = PQconnectdb(getenv("KN_TEST_DIRECT")), PQstatus(look) != CONNECTION_OK)
	{
		PQfinish(look);
		rest(10);
	}
	return look;
}

static void
look_do(PGconn *look, const char *sql)
{
	PGresult *result = PQexec(look, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		(void) printf("%s: %s", sql, PQresultErrorMessage(result));
		exit(EXIT_FAILURE);
	}
	PQclear(result);
}

static int64_t
look_number(PGconn *look, const char *sql)
{
	PGresult *result = PQexec(look, sql);
	int64_t number = INT64_MIN;

	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
		number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	else
		(void) printf("%s: %s", sql, PQresultErrorMessage(result));
	PQclear(result);
	return number;
}

/* Whether a query comes to give that number. */
static bool
comes_to(PGconn *look, const char *sql, int64_t number)
{
	int64_t deadline = kn__now(NULL) + SETTLING_S * KN__NS_PER_S;

	while (look_number(look, sql) != number)
	{
		if (kn__now(NULL) >= deadline)
			return false;
		rest(10);
	}
	return true;
}

static void
check_notes(void)
{
	uint64_t heard = 0, found = 0, missed = 0, undone = 0, twice = 0;

	for (int i = 0; i < THREADS; i++)
	{
		for (int note = 0; note < workers[i].notes; note++)
		{
			int fate = workers[i].note_fates[note];
			int how = known[i][note];

			heard += (how & HEARD) != 0;
			found += (how & HEARD) == 0 && (how & FOUND) != 0;
			missed += fate == FATE_DONE && how == 0;
			undone += fate == FATE_UNDONE && how != 0;
			twice += (how & TWICE) != 0;
		}
	}
	(void) printf("notifications: %" PRIu64 " heard, %" PRIu64 " found after one of %" PRIu64
				  " gaps, %" PRIu64 " missed, %" PRIu64 " that never were, %" PRIu64
				  " more than once\n",
				  heard,
				  found,
				  gaps,
				  missed,
				  undone,
				  twice);
	check(heard > 0 && gaps > 0, "notifications were heard, and gaps told");
	check(missed == 0, "each notification was heard, or a gap told");
	check(undone == 0, "nothing was notified that did not happen");
	check(twice == 0, "no notification was heard twice");
}

/* How often each token is there: whole, at most once, and as what it was to be. */
static void
find_tokens(PGconn *look, const char *sql, bool are_pieces, unsigned char *found)
{
	PGresult *result = PQexec(look, sql);

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		(void) printf("%s: %s", sql, PQresultErrorMessage(result));
	for (int i = 0; i < PQntuples(result); i++)
	{
		int64_t token = strtoll(PQgetvalue(result, i, 0), NULL, 10);
		int64_t count = strtoll(PQgetvalue(result, i, 1), NULL, 10);
		int64_t expected = are_pieces ? token % TOKENS % PIECES + 1 : 1;
		bool is_one =
			workers[token / TOKENS].fates[token % TOKENS] & IS_PIECES ? are_pieces : !are_pieces;

		found[token] = is_one && count == expected && found[token] == 0 ? 1 : 2;
	}
	PQclear(result);
}

/* Each token, as often as it is there: is that what was said? */
static void
check_tokens(PGconn *look)
{
	unsigned char *found = calloc(THREADS, TOKENS);
	uint64_t twice = 0, missing = 0, undone = 0, unknown = 0, done = 0;

	if (found == NULL)
		exit(EXIT_FAILURE);
	find_tokens(look, "SELECT token, count(*) FROM kn_soak_token GROUP BY token", false, found);
	find_tokens(look, "SELECT token, count(*) FROM kn_soak_piece GROUP BY token", true, found);
	for (int i = 0; i < THREADS; i++)
	{
		for (int token = 0; token < workers[i].tokens; token++)
		{
			int is_there = found[name_of(&workers[i], token)];
			int told = workers[i].fates[token] & ~IS_PIECES;

			done += told == FATE_DONE;
			unknown += told == FATE_UNKNOWN;
			missing += told == FATE_DONE && is_there == 0;
			undone += told == FATE_UNDONE && is_there != 0;
			twice += is_there > 1;
		}
	}
	free(found);
	(void) printf("tokens: %" PRIu64 " done, %" PRIu64 " of unknown outcome, %" PRIu64
				  " missing, %" PRIu64 " there though they failed, %" PRIu64
				  " in part or more than once\n",
				  done,
				  unknown,
				  missing,
				  undone,
				  twice);
	check(done > 0, "tokens were inserted");
	check(twice == 0, "each token is there as a whole, and no more than once");
	check(missing == 0, "what is told to be done is done");
	check(undone == 0, "what is told to have failed is not done");
}

#define IS_FOREIGN                                              \
	" WHERE tenant IS DISTINCT FROM wanted OR who <> CASE WHEN" \
	" wanted IS NULL THEN session_user ELSE 'kn_soak_tenant' END"

static void
check_tenants(PGconn *look)
{
	char sql[100];
	int bad = 0;

	check(atomic_load(&foreign) == 0, "nobody saw a row of another tenant");
	check(look_number(look,
					  "SELECT (SELECT count(*) FROM kn_soak_token" IS_FOREIGN
					  ") + (SELECT count(*) FROM kn_soak_piece" IS_FOREIGN
					  ") + (SELECT count(*) FROM kn_soak_note" IS_FOREIGN ")") == 0,
		  "nobody wrote a row as another tenant");
	for (int i = 0; i < TENANTS; i++)
	{
		int64_t n;

		(void) snprintf(sql, sizeof(sql), "SELECT n FROM kn_soak_version WHERE tenant = %d", i);
		n = look_number(look, sql);
		if (n >= atomic_load(&raised[i]) &&
			n <= atomic_load(&raised[i]) + atomic_load(&maybe_raised[i]))
			continue;
		bad++;
		(void) printf("tenant %d: raised to %lld, but %lld times, and perhaps %lld more\n",
					  i,
					  (long long) n,
					  (long long) atomic_load(&raised[i]),
					  (long long) atomic_load(&maybe_raised[i]));
	}
	check(bad == 0, "each version was raised as often as was told");
	(void) printf("versions: %" PRIu64 " reads, %" PRIu64 " hits of the cache, %" PRIu64 " stale\n",
				  atomic_load(&cached),
				  hits,
				  atomic_load(&stale));
	check(hits > 0 && atomic_load(&cached) > hits, "versions came from the cache, or not");
	check(atomic_load(&stale) == 0, "the cache had nothing older than what was committed");
}

static void
check_money(PGconn *look)
{
	check(look_number(look, "SELECT sum(balance) FROM kn_soak_account") ==
			  (int64_t) ACCOUNTS * BALANCE,
		  "the sum of all accounts is what it was");
	check(look_number(
			  look,
			  "SELECT count(*) FROM kn_soak_account a WHERE balance <> 1000"
			  " - (SELECT coalesce(sum(amount), 0) FROM kn_soak_token WHERE source = a.id)"
			  " + (SELECT coalesce(sum(amount), 0) FROM kn_soak_token WHERE target = a.id)") == 0,
		  "each account has what was moved to it");
}

#endif
