/*
 * fault.c
 *		What libpq or the server said, as an error.
 */
#include "wire/conn.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "wire/words.h"

#define REFUSED "28P01" /* of a password */

static void take(kn__fault *fault, const char **field, const PGresult *result, int code);
static void note_words(kn__fault *fault, const PGresult *result, const char *sql);
static bool is_of_pooler(const PGresult *result);
static kn_status status_of_connect(const char *message, bool needs_password, size_t *at);
static const char *find_sqlstate(const char *message);
static bool refuses_password(const char *sqlstate, const char *words);

/* An error that the server has reported in answer to a statement. */
kn_status
kn__fault_of_result(kn__fault *fault, const PGresult *result, const char *sql)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	bool is_answer = sqlstate != NULL && !kn__is_fatal(result);
	kn_status status = KN_CONN_LOST;

	if (is_answer)
		status = kn__sqlstate_answer(sqlstate);
	else if (sqlstate != NULL && !is_of_pooler(result))
		status = kn__sqlstate_status(sqlstate);
	if (message == NULL)
		message = PQresultErrorMessage(result);
	(void) kn__fail(fault, status, "%.*s", (int) strcspn(message, "\n"), message);
	if (sqlstate != NULL && strlen(sqlstate) == 5)
		memcpy(fault->error.sqlstate, sqlstate, 6);
	if (position != NULL)
		fault->error.position = (int) strtol(position, NULL, 10);
	fault->is_answer = is_answer;
	note_words(fault, result, sql);
	take(fault, &fault->error.detail, result, PG_DIAG_MESSAGE_DETAIL);
	take(fault, &fault->error.hint, result, PG_DIAG_MESSAGE_HINT);
	take(fault, &fault->error.schema_name, result, PG_DIAG_SCHEMA_NAME);
	take(fault, &fault->error.table_name, result, PG_DIAG_TABLE_NAME);
	take(fault, &fault->error.column_name, result, PG_DIAG_COLUMN_NAME);
	take(fault, &fault->error.type_name, result, PG_DIAG_DATATYPE_NAME);
	take(fault, &fault->error.constraint_name, result, PG_DIAG_CONSTRAINT_NAME);
	if (sql != NULL)
		kn__fault_text(fault, &fault->error.sql, sql);
	take(fault, &fault->error.context, result, PG_DIAG_CONTEXT);
	return status;
}

/* What is raised by a function is not the server's trouble, whatever it says. */
static void
note_words(kn__fault *fault, const PGresult *result, const char *sql)
{
	const kn__words words = kn__words_of(result);
	bool is_raised = kn__words_are_raised(words.routine);

	fault->is_relayed = kn__words_are_relayed(words.routine);
	fault->may_quote = fault->is_answer ? kn__words_may_quote(&words, sql) : is_raised;
	if (!fault->is_answer)
		fault->is_of_servers =
			is_of_pooler(result) || (kn__sqlstate_is_infrastructure(words.sqlstate) && !is_raised);
	else
		fault->is_of_servers = fault->error.status == KN_UNAVAILABLE &&
							   kn__sqlstate_is_infrastructure(words.sqlstate) && !is_raised;
}

/* Servers say the severity twice, in the reader's language and in English; poolers do not. */
static bool
is_of_pooler(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED) == NULL && sqlstate != NULL &&
		   strncmp(sqlstate, "08", 2) == 0;
}

static void
take(kn__fault *fault, const char **field, const PGresult *result, int code)
{
	const char *text = PQresultErrorField(result, code);

	if (text != NULL)
		kn__fault_text(fault, field, text);
}

/* What libpq says of the connection itself. */
kn_status
kn__fault_of_conn(kn__fault *fault, kn__conn *conn, kn_status status)
{
	const char *message = PQerrorMessage(conn->pg);

	return kn__fail(fault,
					status,
					"%.*s",
					(int) strcspn(message, "\n"),
					*message == '\0' ? "the connection is not usable" : message);
}

/*
 * Of the lines that libpq says, one for each address it tried, the last is the
 * server's own word; the SQLSTATE is in it, for connections are made so that it is.  Where sslmode
 * leaves it the choice, it tries once more without TLS when a password is refused, and what is
 * said to that is no news.
 */
kn_status
kn__fault_of_connect(kn__fault *fault, const char *message, bool needs_password)
{
	const char *sqlstate = find_sqlstate(message);
	kn_status status = KN_CONN_LOST;
	bool is_refused;
	char code[6] = "";
	const char *line;
	size_t head;

	if (sqlstate == NULL)
	{
		status = status_of_connect(message, needs_password, &head);
		return kn__fail(fault, status, "%.*s", (int) strcspn(message + head, "\n"), message + head);
	}
	memcpy(code, sqlstate, 5);
	is_refused = refuses_password(code, sqlstate + 7);
	status = is_refused ? KN_AUTH : kn__sqlstate_status(code);
	/* A setting that there is none of, or a value that it cannot have. */
	if (status == KN_SCHEMA || status == KN_DATA)
		status = KN_CONFIG;
	else if (status != KN_AUTH && status != KN_CONFIG)
		status = kn__sqlstate_is_infrastructure(code) ? KN_UNAVAILABLE : KN_CONN_LOST;
	for (line = sqlstate; line > message && line[-1] != '\n';)
		line--;
	(void) kn__fail(fault,
					status,
					"%.*s%.*s",
					(int) (sqlstate - line),
					line,
					(int) strcspn(sqlstate + 7, "\n"),
					sqlstate + 7);
	memcpy(fault->error.sqlstate, code, 6);
	fault->is_refused = is_refused;
	return status;
}

/* PgBouncer, in the versions that have one SQLSTATE for all, says so in words. */
static bool
refuses_password(const char *sqlstate, const char *words)
{
	static const char *const refusals[] = { "password authentication failed",
											"SASL authentication failed" };

	if (strcmp(sqlstate, REFUSED) == 0)
		return true;
	for (size_t i = 0; strcmp(sqlstate, "08P01") == 0 && i < 2; i++)
	{
		if (strncmp(words, refusals[i], strlen(refusals[i])) == 0)
			return true;
	}
	return false;
}

/*
 * What libpq itself has against a server has no SQLSTATE.  What is not among these words, which
 * another language has others for, may as well be a connection that was lost.  *at: where the
 * line with them begins, or the first.
 */
static kn_status
status_of_connect(const char *message, bool needs_password, size_t *at)
{
	static const struct
	{
		const char *words;
		kn_status status;
	} known[] = {
		{ "certificate verify failed", KN_AUTH }, /* nobody that is trusted has signed it */
		{ "does not match host name", KN_AUTH },  /* it is another server's */
		{ "alert unknown ca", KN_AUTH },          /* the server has that against ours */
		{ "alert bad certificate", KN_AUTH },
		{ "alert certificate", KN_AUTH },
		{ "server does not support SSL", KN_CONFIG }, /* and sslmode wants it */
		{ "root certificate file", KN_CONFIG },
		{ "certificate file \"", KN_CONFIG },
		{ "private key file \"", KN_CONFIG },
		{ "invalid sslmode value", KN_CONFIG },
	};

	*at = 0;
	if (needs_password)
		return KN_AUTH;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
	{
		const char *found = strstr(message, known[i].words);

		if (found == NULL)
			continue;
		while (found > message && found[-1] != '\n')
			found--;
		*at = (size_t) (found - message);
		return known[i].status;
	}
	return KN_CONN_LOST;
}

/*
 * Five letters or digits between ":  " and ": ", as PQERRORS_VERBOSE puts them; the last ones, or
 * those of a password that is refused.
 */
static const char *
find_sqlstate(const char *message)
{
	const char *found = NULL;

	for (const char *at = strstr(message, ":  "); at != NULL; at = strstr(at + 1, ":  "))
	{
		const char *code = at + 3;
		int length = 0;

		while (isdigit((unsigned char) code[length]) ||
			   (code[length] >= 'A' && code[length] <= 'Z'))
			length++;
		if (length != 5 || code[5] != ':' || code[6] != ' ')
			continue;
		if (found == NULL || memcmp(found, REFUSED, 5) != 0)
			found = code;
	}
	return found;
}

/* Whether the session ended with it: the server says so, and a pooler, which has lost the server.
 */
bool
kn__is_fatal(const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	return is_of_pooler(result) ||
		   (severity != NULL && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0));
}

/*
 * The server's own words, when it was told to go or lost patience, come before the end of the
 * transaction.  A panic may come after it; and what a pooler says tells nothing of the server.
 */
bool
kn__is_undone(const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return severity != NULL && strcmp(severity, "FATAL") == 0 && sqlstate != NULL &&
		   (strncmp(sqlstate, "57P0", 4) == 0 || strncmp(sqlstate, "25P0", 4) == 0 ||
			strncmp(sqlstate, "40", 2) == 0);
}
