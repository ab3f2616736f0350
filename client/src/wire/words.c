/*
 * words.c
 *		Whose words an error is in, and whether they may quote a value.
 *
 * A SQLSTATE alone does not tell: a function may raise any, and the server says that there is no
 * relation "secret" of $1::regclass as of a name in the statement.  So a message is taken for one
 * that quotes nothing only where that can be seen: it is of a kind that has no room for a value,
 * or points at a name of the statement's, or quotes what stands in the statement anyway.
 */
#include "wire/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "data/data.h"

static bool is_in(const char *list, const char *sqlstate);
static bool is_plain(const kn__words *words);
static bool points_at_value(const char *sql, int position);
static bool is_name_or_sign(kn__token_kind kind);
static bool has_what_is_quoted(const char *sql, const char *message);

kn__words
kn__words_of(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);

	return (kn__words){
		.sqlstate = sqlstate == NULL ? "" : sqlstate,
		.message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
		.routine = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION),
		.context = PQresultErrorField(result, PG_DIAG_CONTEXT),
		.position = position == NULL ? 0 : (int) strtol(position, NULL, 10),
		.has_object = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME) != NULL ||
					  PQresultErrorField(result, PG_DIAG_COLUMN_NAME) != NULL ||
					  PQresultErrorField(result, PG_DIAG_DATATYPE_NAME) != NULL,
	};
}

static bool
is_one_of(const char *routine, const char *const *routines)
{
	for (; routine != NULL && *routines != NULL; routines++)
	{
		if (strcmp(routine, *routines) == 0)
			return true;
	}
	return false;
}

bool
kn__words_are_relayed(const char *routine)
{
	static const char *const routines[] = { "pgfdw_report_error", "dblink_res_error", NULL };

	return is_one_of(routine, routines);
}

bool
kn__words_are_of_types(const char *sqlstate, const char *routine, bool is_of_text)
{
	static const char *const routines[] = { "transformAssignedExpr",
											"transformTypeCast",
											"op_error",
											"ParseFuncOrColumn",
											"select_common_type",
											"select_common_type_from_oids",
											"coerce_to_common_type",
											NULL };

	/* Whatever else finds it in the text. */
	return is_one_of(routine, routines) ||
		   (is_of_text && is_in("42804 42846 42883 42725 42P18", sqlstate));
}

/*
 * What is wrong with the value may be in lines before it; but what a function says of it is its
 * own.  The value itself may be told, and have any lines.
 */
bool
kn__words_are_of_a_value(const char *context)
{
	static const char value_of[] = "unnamed portal parameter $";
	static const char of_json[] = "JSON data, line ";
	const char *line = context;

	if (context == NULL)
		return false;
	while (strncmp(line, value_of, sizeof(value_of) - 1) != 0)
	{
		const char *end = strchr(line, '\n');

		if (end == NULL || strncmp(line, of_json, sizeof(of_json) - 1) != 0)
			return false;
		line = end + 1;
	}
	line += sizeof(value_of) - 1;
	line += strspn(line, "0123456789");
	return *line == '\0' || (strncmp(line, " = '", 4) == 0 && line[strlen(line) - 1] == '\'');
}

/* All values may be told with it, where the server is set to do so. */
bool
kn__words_are_of_no_function(const char *context)
{
	static const char values_of[] = "unnamed portal with parameters: ";

	return context == NULL || strncmp(context, values_of, sizeof(values_of) - 1) == 0;
}

bool
kn__words_are_raised(const char *routine)
{
	static const char *const routines[] = {
		"exec_stmt_raise",                                 /* PL/pgSQL */
		"PLy_output",       "PLy_elog",   "PLy_elog_impl", /* PL/Python */
		"do_util_elog", /* PL/Perl, and what it is called elsewhere */
		"plperl_util_elog", "pltcl_elog", "throw_tcl_error", NULL,
	};

	return kn__words_are_relayed(routine) || is_one_of(routine, routines);
}

/* What the server finds in the text, where it points at it. */
static const char at_names[] =
	"42P01 42P02 42P10 42P18 42P19 42P20 42701 42702 42703 42712 42725 42803"
	" 42804 42809 42846 42883";

bool
kn__words_may_quote(const kn__words *words, const char *sql)
{
	if (kn__words_are_raised(words->routine))
		return true;
	if (is_plain(words))
		return false;
	if (sql == NULL || !is_in("0A 2B 3D 3F 42", words->sqlstate) ||
		strcmp(words->sqlstate, "42601") == 0)
		return true;
	if (words->position > 0 && points_at_value(sql, words->position))
		return true;
	/* Of names, types and functions that the statement says, in the server's own order of words. */
	if (words->position > 0 && is_in(at_names, words->sqlstate))
		return false;
	/* With a context, it may be of a statement that a function has made. */
	return words->context != NULL || !has_what_is_quoted(sql, words->message);
}

bool
kn__words_notice_may_quote(const kn__words *words)
{
	/* Of the server's state, or of an object that the statement names, or what hangs on that. */
	static const char *const of_names[] = {
		"BeginTransactionBlock",
		"EndTransactionBlock",
		"UserAbortTransactionBlock",
		"WarnNoTransactionBlock",
		"quickdie",
		"SyncRepWaitForLSN",
		"DropErrorMsgNonExistent",
		"DropErrorMsgWrongType",
		"does_not_exist_skipping",
		"reportDependentObjects",
		"transformCreateStmt",
		"DefineRelation",
		"DefineIndex",
		"DefineSequence",
		"DefineView",
		"index_create",
		"CreateSchemaCommand",
		"CreateExtension",
		"CreatePublication",
		"CreateForeignServer",
		"MergeAttributes",
		"check_for_column_name_collision",
		"CreateTrigger",
		"CreateTriggerFiringOn",
		"RemoveRoleFromObjectPolicy",
		"restrict_and_check_grant",
		"AddRoleMems",
		"DelRoleMems",
		"vacuum_is_relation_owner",
		"vacuum_is_permitted_for_relation",
		"vacuum_open_relation",
		"analyze_rel",
		NULL,
	};

	return words->context != NULL || !is_one_of(words->routine, of_names);
}

/* Whether one of the codes or classes, with blanks between them, is that of the SQLSTATE. */
static bool
is_in(const char *list, const char *sqlstate)
{
	for (const char *code = list; *code != '\0';)
	{
		size_t length = strcspn(code, " ");

		if (strncmp(code, sqlstate, length) == 0)
			return true;
		code += length;
		code += *code == ' ';
	}
	return false;
}

/* Of kinds whose texts the server has made up of its own words and of names of its objects. */
static bool
is_plain(const kn__words *words)
{
	static const char *const about_rights[] = { "aclcheck_error",
												"aclcheck_error_col",
												"aclcheck_error_type",
												"ExecWithCheckOptions",
												NULL };

	/* Transactions, resources but for disks, whose files may be named, locks, cancels, damage. */
	if (is_in("25 40 44 532 533 534 55P03 57014 XX001 XX002", words->sqlstate))
		return true;
	/* Of what is made in a function even the name may be made of values. */
	if (is_in("23", words->sqlstate))
		return words->has_object && words->context == NULL;
	return is_one_of(words->routine, about_rights);
}

/* Whether what stands there is a value, or nothing that is known. */
static bool
points_at_value(const char *sql, int position)
{
	const char *at = sql;
	kn__lexer lexer;
	kn__token token;

	for (int i = 1; i < position && *at != '\0'; i++)
	{
		at++;
		while (((unsigned char) *at & 0xC0) == 0x80)
			at++;
	}
	kn__lexer_init(&lexer, (kn_str){ sql, strlen(sql) });
	do
		token = kn__lexer_next(&lexer);
	while (token.kind != KN__TOKEN_END && token.p + token.n <= at);
	return !is_name_or_sign(token.kind);
}

static bool
is_of_name(char c)
{
	return isalnum((unsigned char) c) || c == '_' || c == '$' || ((unsigned char) c & 0x80) != 0;
}

/* A whole name, or several; names are folded on their way into a message. */
static bool
has_part(const char *text, size_t size, const char *part, size_t length)
{
	for (size_t i = 0; i + length <= size; i++)
	{
		size_t same = 0;

		while (same < length &&
			   tolower((unsigned char) text[i + same]) == tolower((unsigned char) part[same]))
			same++;
		if (same == length && (i == 0 || !is_of_name(text[i - 1])) &&
			(i + length == size || !is_of_name(text[i + length])))
			return true;
	}
	return false;
}

static bool
is_name_or_sign(kn__token_kind kind)
{
	return kind == KN__TOKEN_WORD || kind == KN__TOKEN_QUOTED || kind == KN__TOKEN_OPERATOR ||
		   kind == KN__TOKEN_PUNCTUATION;
}

/* Whether the statement has it outside of its values. */
static bool
has_name(const char *sql, const char *part, size_t length)
{
	const char *begin = sql;
	const char *end = sql;
	kn__lexer lexer;
	kn__token token;

	kn__lexer_init(&lexer, (kn_str){ sql, strlen(sql) });
	do
	{
		token = kn__lexer_next(&lexer);
		if (is_name_or_sign(token.kind))
		{
			end = token.p + token.n;
			continue;
		}
		if (has_part(begin, (size_t) (end - begin), part, length))
			return true;
		begin = end = token.p + token.n;
	} while (token.kind != KN__TOKEN_END);
	return false;
}

/*
 * What the server says between two names that it quotes.  A value may bring marks of its own, and
 * then what is between them is what stands between its own parts.
 */
static bool
is_joint(const char *text, size_t length)
{
	static const char *const joints[] = {
		" of ",
		" of relation ",
		" of table ",
		" of domain ",
		" of type ",
		" for relation ",
		" for table ",
		" for domain ",
		" for access method ",
		" in schema ",
		" already exists in schema ",
		" already exists for server ",
		" does not exist for access method ",
		" does not exist for server ",
		" is already member of publication ",
		NULL,
	};

	for (const char *const *joint = joints; *joint != NULL; joint++)
	{
		if (strlen(*joint) == length && memcmp(*joint, text, length) == 0)
			return true;
	}
	return false;
}

/* "relation "a" already exists": what is between the marks; where there are none, nobody knows. */
static bool
has_what_is_quoted(const char *sql, const char *message)
{
	const char *open = message == NULL ? NULL : strchr(message, '"');

	if (open == NULL)
		return false;
	for (;;)
	{
		const char *close = strchr(open + 1, '"');

		if (close == NULL || close == open + 1 ||
			!has_name(sql, open + 1, (size_t) (close - open - 1)))
			return false;
		open = strchr(close + 1, '"');
		if (open == NULL)
			return true;
		if (!is_joint(close + 1, (size_t) (open - close - 1)))
			return false;
	}
}
