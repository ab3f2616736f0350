/*
 * guests.h
 *		Roles of whom the server wants a password, beside what there is.
 *
 * kn_guest gives it by whatever way he comes; by TCP kn_strict comes with TLS or not at all.  Both
 * have the same password, which is "right".
 */
#ifndef KN_TESTS_GUESTS_H
#define KN_TESTS_GUESTS_H

#include "live.h"

static PGconn *look;

#define WRITE_HBA                                                                  \
	"DO $$BEGIN EXECUTE format('COPY (SELECT line FROM kn_hba ORDER BY n) TO %L'," \
	" current_setting('hba_file')); END$$;"

/* The server has read its file: who gives no password is refused. */
static void
await_strictness(void)
{
	char place[500];

	(void) snprintf(place, sizeof(place), "%s user=kn_guest", getenv("KN_TEST_DIRECT"));
	for (bool is_in = true; is_in;)
	{
		PGconn *guest = PQconnectdb(place);

		is_in = PQstatus(guest) == CONNECTION_OK;
		PQfinish(guest);
	}
}

static void
guests_begin(void)
{
	look = look_open();
	look_do(look, "DROP ROLE IF EXISTS kn_guest, kn_strict");
	look_do(look,
			"CREATE ROLE kn_guest LOGIN PASSWORD 'right';"
			"CREATE ROLE kn_strict LOGIN PASSWORD 'right'");
	look_do(look,
			"DROP TABLE IF EXISTS kn_hba; CREATE TABLE kn_hba (n serial, line text);"
			"INSERT INTO kn_hba (line) VALUES ('local all kn_guest scram-sha-256'),"
			" ('host all kn_guest 127.0.0.1/32 scram-sha-256'),"
			" ('hostssl all kn_strict 127.0.0.1/32 scram-sha-256'),"
			" ('hostnossl all kn_strict 127.0.0.1/32 reject');"
			"INSERT INTO kn_hba (line) SELECT line FROM regexp_split_to_table("
			"pg_read_file(current_setting('hba_file')), '\\n') line"
			" WHERE line !~ 'kn_guest|kn_strict|^#|^$';" WRITE_HBA);
	look_do(look, "SELECT pg_reload_conf()");
}

static void
guests_end(void)
{
	look_do(look,
			"DELETE FROM kn_hba WHERE line ~ 'kn_guest|kn_strict';" WRITE_HBA "DROP TABLE kn_hba");
	look_do(look, "SELECT pg_reload_conf()");
	look_do(look, "DROP ROLE IF EXISTS kn_guest, kn_strict");
	PQfinish(look);
}

/* What it gives, and how often it was asked. */
typedef struct safe
{
	const char *first;
	const char *then; /* with refresh */
	int asked;
	int refreshed;
} safe;

static inline kn_status
open_safe(void *user, const kn_secret_request *request, char *buffer, size_t capacity)
{
	safe *s = user;

	s->asked++;
	s->refreshed += request->refresh;
	(void) snprintf(buffer, capacity, "%s", s->refreshed > 0 ? s->then : s->first);
	return KN_OK;
}

#endif
