/*
 * feelings.h
 *		What the tests of types that are a database's own share: rows of such, and a role that may
 *		not ask what they are.
 */
#ifndef KN_TESTS_FEELINGS_H
#define KN_TESTS_FEELINGS_H

#include "mood.h"
#include "store.h"

#define FEELINGS                                                                                \
	"DROP TABLE IF EXISTS kn_feeling; CREATE TABLE kn_feeling (n int, m kn_mood, ms kn_mood[]," \
	" w kn_words, ws kn_words[]);"                                                              \
	"INSERT INTO kn_feeling VALUES (1, 'sad', '{sad,\"so so\",NULL}', 'a', '{\"a,b\",\"\"}'),"  \
	" (2, '', '{}', '', '{}'), (3, NULL, NULL, NULL, NULL),"                                    \
	" (4, E'\\\\', E'[0:1][2:2]={{\"NULL\"},{\"\\\\\\\\\"}}', E'\\\\', '{{NULL},{\"null\"}}')"

static inline void
set_up_types(void)
{
	set_up();
	look_do(look, CREATE_MOOD);
	look_do(look, FEELINGS);
}

static inline bool
is_text(const kn_value *value, const char *text)
{
	return value->type == KN_TYPE_TEXT && value->n == strlen(text) &&
		   memcmp(value->as.p, text, value->n) == 0;
}

/* A role that may not read what types there are. */
static inline void
make_poor(void)
{
	look_do(look,
			"DO $$BEGIN IF to_regrole('kn_poor') IS NOT NULL THEN"
			" DROP OWNED BY kn_poor; DROP ROLE kn_poor; END IF; END$$");
	look_do(look,
			"CREATE ROLE kn_poor LOGIN; GRANT SELECT ON kn_feeling TO kn_poor;"
			"GRANT SELECT, INSERT ON kn_number TO kn_poor;"
			"REVOKE SELECT ON pg_type FROM PUBLIC");
}

static inline void
drop_poor(void)
{
	look_do(look, "GRANT SELECT ON pg_type TO PUBLIC; DROP OWNED BY kn_poor; DROP ROLE kn_poor");
}

#endif
