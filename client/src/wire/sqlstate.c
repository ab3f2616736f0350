/*
 * sqlstate.c
 *		What a SQLSTATE means to a program.
 *
 * A whole code comes before its class.  What is not in the table is KN_SERVER: the
 * server refused, and the code tells why.
 */
#include "wire/wire.h"

#include <string.h>

typedef struct Row
{
	const char *code; /* five characters, or two for a class */
	kn_status status;
	bool is_infrastructure;
} Row;

/* clang-format off */
static const Row rows[] = {
	{ "00000", KN_OK, false },
	{ "08", KN_CONN_LOST, true },
	{ "08P01", KN_USAGE, false },         /* another number of parameters than the statement has */
	{ "0A000", KN_SERVER, false },
	{ "0L", KN_AUTH, false },
	{ "0P", KN_AUTH, false },
	{ "20", KN_DATA, false },
	{ "21", KN_DATA, false },
	{ "22", KN_DATA, false },
	{ "22P02", KN_DATA, false },
	{ "23", KN_CHECK, false },
	{ "23502", KN_NOT_NULL, false },
	{ "23503", KN_FOREIGN_KEY, false },
	{ "23001", KN_FOREIGN_KEY, false },   /* RESTRICT */
	{ "23505", KN_DUPLICATE, false },
	{ "23P01", KN_DUPLICATE, false },     /* exclusion */
	{ "25006", KN_READ_ONLY, false },
	{ "25P02", KN_ABORTED, false },
	{ "25P03", KN_CONN_LOST, false },     /* idle in transaction for too long */
	{ "25P04", KN_CONN_LOST, false },     /* the transaction took too long */
	{ "26", KN_SERVER, false },
	{ "28", KN_AUTH, false },
	{ "3D000", KN_CONFIG, false },        /* no such database */
	{ "3F", KN_SCHEMA, false },
	{ "40001", KN_SERIALIZATION, false },
	{ "40003", KN_OUTCOME_UNKNOWN, false },
	{ "40P01", KN_DEADLOCK, false },
	{ "40", KN_SERIALIZATION, false },
	{ "42", KN_SCHEMA, false },
	{ "42501", KN_AUTH, false },
	{ "44", KN_CHECK, false },            /* WITH CHECK OPTION */
	{ "53", KN_UNAVAILABLE, true },
	{ "53400", KN_SERVER, false },        /* a limit of its own, such as temp_file_limit */
	{ "54", KN_DATA, false },
	{ "55P03", KN_LOCK_TIMEOUT, false },
	{ "57014", KN_CANCELED, false },
	{ "57P01", KN_UNAVAILABLE, true },    /* admin shutdown */
	{ "57P02", KN_UNAVAILABLE, true },    /* crash shutdown */
	{ "57P03", KN_UNAVAILABLE, true },    /* cannot connect now */
	{ "57P04", KN_CONFIG, false },        /* database dropped */
	{ "57P05", KN_CONN_LOST, false },     /* idle session timeout */
	{ "58", KN_UNAVAILABLE, true },       /* system error */
	{ "58P01", KN_SERVER, false },        /* a file that is not there, or is already */
	{ "58P02", KN_SERVER, false },
	{ "XX", KN_SERVER, false },
	{ "KN001", KN_CONFLICT, false },
	{ "KN006", KN_AUTH, false },
};
/* clang-format on */

static const Row *
find(const char *sqlstate)
{
	const Row *class = NULL;

	if (sqlstate == NULL || strlen(sqlstate) != 5)
		return NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		if (strcmp(rows[i].code, sqlstate) == 0)
			return &rows[i];
		if (rows[i].code[2] == '\0' && strncmp(rows[i].code, sqlstate, 2) == 0)
			class = &rows[i];
	}
	return class;
}

kn_status
kn__sqlstate_status(const char *sqlstate)
{
	const Row *row = find(sqlstate);

	return row == NULL ? KN_SERVER : row->status;
}

/*
 * Of an ERROR in a session that goes on: what is said of a connection there is said of another,
 * one that a function has opened.
 */
kn_status
kn__sqlstate_answer(const char *sqlstate)
{
	kn_status status = kn__sqlstate_status(sqlstate);

	switch (status)
	{
		case KN_CONN_LOST:
		case KN_OUTCOME_UNKNOWN:
			return KN_SERVER;
		case KN_UNAVAILABLE:
			return strncmp(sqlstate, "57", 2) == 0 ? KN_SERVER : status;
		case KN_CONFIG:
			return strcmp(sqlstate, "3D000") == 0 ? KN_SCHEMA : KN_SERVER;
		default:
			return status;
	}
}

bool
kn__sqlstate_is_infrastructure(const char *sqlstate)
{
	const Row *row = find(sqlstate);

	return row != NULL && row->is_infrastructure;
}
