/*
 * script.c
 *		SQL text to a list of statements that describe a schema.
 *
 * The server's lexer and parser do the reading.  What a dump carries along and
 * is no schema (settings, psql's meta-commands, transaction control) is taken
 * out here; what would change data is refused with its line.  Settings that
 * decide what a name means are kept beside each statement, so the statements
 * may be run in another order.
 */
#include "kints_norm.h"

#include "desired/desired.h"
#include "desired/statement.h"

#include "access/xact.h"
#include "base/base.h"
#include "commands/defrem.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_utilcmd.h"
#include "parser/parser.h"
#include "parser/scanner.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/varlena.h"

/* The parser's token numbers are not exported; a word is recognized by its text. */
typedef struct Settings
{
	const char *session_path;
	const char *search_path;
	const char *tablespace;
	const char *access_method;
} Settings;

/* What is being scanned or parsed; positions count from start. */
typedef struct ParsedText
{
	const char *all;
	int start;
} ParsedText;

static char *without_meta_commands(ParsedText *text, const char *sql);
static int scan_until_meta(char *sql, int offset, bool *at_start);
static int line_of(const char *sql, int offset);
static int skip_blank(const char *sql, int offset, int end);
static void parse_error(void *argument);
static void add_statement(KnScript *script, RawStmt *raw, Settings *settings);
static void add_elements(KnScript *script, const KnSource *schema);
static void add_element(KnScript *script, const KnSource *schema, Node *statement);
static void add_owner(KnScript *script, const KnSource *schema, Node *element);
static void take_setting(VariableSetStmt *set, Settings *settings, int line);
static const char *setting_text(VariableSetStmt *set);
static bool take_set_config(SelectStmt *select, Settings *settings);
static void note_names(KnScript *script, Node *statement, const Settings *settings,
					   const char *current);
static void note_extension(KnScript *script, const CreateExtensionStmt *statement,
						   const Settings *settings, const char *current);
static const char *first_in_path(const char *path);
static void statement_error(void *argument);

/* Parses a script; errors give the line. */
KnScript *
script_parse(const char *sql, const char *current_schema)
{
	KnScript *script = palloc0(sizeof(KnScript));
	Settings settings = { NULL, NULL, NULL, NULL };
	ErrorContextCallback callback;
	ParsedText text = { sql, 0 };
	List *statements;
	ListCell *cell;

	settings.session_path = pstrdup(GetConfigOption("search_path", false, false));
	callback.callback = parse_error;
	callback.arg = (void *) &text;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	script->text = text.all = without_meta_commands(&text, sql);
	text.start = 0;
	statements = raw_parser(script->text, RAW_PARSE_DEFAULT);
	error_context_stack = callback.previous;

	foreach(cell, statements)
		add_statement(script, lfirst(cell), &settings);
	foreach(cell, script->sources)
	{
		KnSource *source = lfirst(cell);
		Settings at = { NULL, source->search_path, NULL, NULL };

		note_names(script, source->raw->stmt, &at, current_schema);
	}
	return script;
}

/*
 * A copy of the text in which psql's meta-commands are blanks.  A backslash
 * outside of quotes means nothing to SQL, so the lexer shows where they are.
 * COPY is refused here already: its data would not survive the lexer.
 */
static char *
without_meta_commands(ParsedText *text, const char *sql)
{
	char *copy = pstrdup(sql);
	int offset = 0;
	bool at_start = true;

	while (offset >= 0 && copy[(text->start = offset)] != '\0')
		offset = scan_until_meta(copy, offset, &at_start);
	return copy;
}

/* Blanks out the next meta-command; returns where to go on, -1 at the end. */
static int
scan_until_meta(char *sql, int offset, bool *at_start)
{
	core_yy_extra_type extra;
	core_yyscan_t scanner = scanner_init(sql + offset, &extra, &ScanKeywords, ScanKeywordTokens);
	core_YYSTYPE value;
	YYLTYPE location;
	int token;
	int next = -1;

	while ((token = core_yylex(&value, &location, scanner)) != 0)
	{
		if (token == '\\')
		{
			next = offset + location;
			while (sql[next] != '\0' && sql[next] != '\n')
				sql[next++] = ' ';
			break;
		}
		if (*at_start && pg_strncasecmp(sql + offset + location, "copy", 4) == 0 &&
			!isalnum((unsigned char) sql[offset + location + 4]) &&
			sql[offset + location + 4] != '_')
			statement_refuse("COPY", line_of(sql, offset + location));
		*at_start = token == ';';
	}
	scanner_finish(scanner);
	return next;
}

static int
line_of(const char *sql, int offset)
{
	int line = 1;

	for (int i = 0; i < offset; i++)
	{
		if (sql[i] == '\n')
			line++;
	}
	return line;
}

/* The first place from offset on that is neither white space nor a comment. */
static int
skip_blank(const char *sql, int offset, int end)
{
	while (offset < end)
	{
		if (isspace((unsigned char) sql[offset]))
			offset++;
		else if (sql[offset] == '-' && sql[offset + 1] == '-')
		{
			while (offset < end && sql[offset] != '\n')
				offset++;
		}
		else if (sql[offset] == '/' && sql[offset + 1] == '*')
		{
			int depth = 0;

			do
			{
				if (sql[offset] == '/' && sql[offset + 1] == '*')
					depth++, offset += 2;
				else if (sql[offset] == '*' && sql[offset + 1] == '/')
					depth--, offset += 2;
				else
					offset++;
			} while (depth > 0 && offset < end);
		}
		else
			break;
	}
	return offset;
}

/* The position in the script is no position in the caller's query: say the line. */
static void
parse_error(void *argument)
{
	const ParsedText *text = argument;
	const char *from = text->all + text->start;
	int position = geterrposition();

	if (position <= 0)
		return;
	errposition(0);
	errcontext(
		"line %d of the desired schema",
		line_of(text->all, text->start + pg_mbcharcliplen(from, (int) strlen(from), position - 1)));
}

static void
add_statement(KnScript *script, RawStmt *raw, Settings *settings)
{
	/* Only the last one may go without a length, and so to the end. */
	int end = raw->stmt_len > 0 ? raw->stmt_location + raw->stmt_len : (int) strlen(script->text);
	int start = skip_blank(script->text, raw->stmt_location, end);
	int line;
	KnSource *source;
	KnStatementUse use;

	/* Lines are counted on from the statement before: a script may be long. */
	if (script->sources == NIL)
		line = line_of(script->text, start);
	else
	{
		KnSource *before = llast(script->sources);

		line = before->line + line_of(script->text + before->start, start - before->start) - 1;
	}
	if (IsA(raw->stmt, VariableSetStmt))
	{
		take_setting((VariableSetStmt *) raw->stmt, settings, line);
		return;
	}
	if (IsA(raw->stmt, SelectStmt) && take_set_config((SelectStmt *) raw->stmt, settings))
		return;
	use = statement_use(raw->stmt);
	if (use == KN_SKIP_STATEMENT)
		return;
	if (use == KN_REFUSE_STATEMENT)
		statement_refuse(statement_word(raw->stmt), line);

	source = palloc0(sizeof(KnSource));
	source->raw = raw;
	source->start = start;
	source->text = pnstrdup(script->text + start, end - start);
	source->line = line;
	source->search_path = settings->search_path;
	source->session_path = settings->session_path;
	source->tablespace = settings->tablespace;
	source->access_method = settings->access_method;
	script->sources = lappend(script->sources, source);
	if (IsA(raw->stmt, CreateSchemaStmt))
		add_elements(script, source);
}

/*
 * What CREATE SCHEMA has in it comes after it, as statements of their own.  All
 * of it belongs to the role that AUTHORIZATION names.
 */
static void
add_elements(KnScript *script, const KnSource *schema)
{
	CreateSchemaStmt *create = (CreateSchemaStmt *) schema->raw->stmt;
	ListCell *cell;

	if (create->authrole != NULL && statement_makes_schema(create))
	{
		AlterOwnerStmt *alter = makeNode(AlterOwnerStmt);

		alter->objectType = OBJECT_SCHEMA;
		alter->object = (Node *) makeString(pstrdup(statement_schema_name(create)));
		alter->newowner = create->authrole;
		add_element(script, schema, (Node *) alter);
	}
	foreach(cell,
			transformCreateSchemaStmtElements(create->schemaElts, statement_schema_name(create)))
	{
		add_element(script, schema, lfirst(cell));
		if (create->authrole != NULL)
			add_owner(script, schema, lfirst(cell));
	}
	create->schemaElts = NIL;
}

static void
add_element(KnScript *script, const KnSource *schema, Node *statement)
{
	const char *name =
		quote_identifier(statement_schema_name((CreateSchemaStmt *) schema->raw->stmt));
	KnSource *source = palloc(sizeof(KnSource));

	*source = *schema;
	source->raw = makeNode(RawStmt);
	source->raw->stmt = statement;
	source->raw->stmt_location = schema->raw->stmt_location;
	source->raw->stmt_len = schema->raw->stmt_len;
	source->search_path = schema->search_path == NULL || *schema->search_path == '\0'
							  ? name
							  : psprintf("%s, %s", name, schema->search_path);
	script->sources = lappend(script->sources, source);
}

/* ALTER TABLE ... OWNER TO, which does for views and sequences as well. */
static void
add_owner(KnScript *script, const KnSource *schema, Node *element)
{
	AlterTableStmt *alter;
	AlterTableCmd *command;

	if (!IsA(element, CreateStmt) && !IsA(element, ViewStmt) && !IsA(element, CreateSeqStmt))
		return;
	alter = makeNode(AlterTableStmt);
	alter->relation = copyObject(IsA(element, CreateStmt) ? ((CreateStmt *) element)->relation
								 : IsA(element, ViewStmt) ? ((ViewStmt *) element)->view
														  : ((CreateSeqStmt *) element)->sequence);
	alter->objtype = OBJECT_TABLE;
	command = makeNode(AlterTableCmd);
	command->subtype = AT_ChangeOwner;
	command->newowner = ((CreateSchemaStmt *) schema->raw->stmt)->authrole;
	alter->cmds = list_make1(command);
	add_element(script, schema, (Node *) alter);
}

/* SET: some decide what the following statements mean, the others are no schema. */
static void
take_setting(VariableSetStmt *set, Settings *settings, int line)
{
	const char *value;

	if (set->name == NULL)
		return;
	value = set->kind == VAR_SET_VALUE ? setting_text(set) : NULL;
	if (strcmp(set->name, "search_path") == 0)
		settings->search_path = value;
	else if (strcmp(set->name, "default_tablespace") == 0)
		settings->tablespace = value;
	else if (strcmp(set->name, "default_table_access_method") == 0)
		settings->access_method = value;
	else if (GetConfigOption(set->name, true, false) == NULL && strchr(set->name, '.') == NULL &&
			 set->kind == VAR_SET_VALUE)
		ereport(NOTICE,
				errmsg("line %d sets \"%s\", which this server does not know: skipped",
					   line,
					   set->name));
}

/* The value of a SET as one string, list elements quoted where they need it. */
static const char *
setting_text(VariableSetStmt *set)
{
	return ExtractSetVariableArgs(set);
}

/* pg_dump's preamble: SELECT pg_catalog.set_config(...) or setval(...), alone. */
static bool
take_set_config(SelectStmt *select, Settings *settings)
{
	ResTarget *target;
	FuncCall *call;
	const char *name;
	A_Const *first;
	A_Const *second;

	if (list_length(select->targetList) != 1 || select->fromClause != NIL)
		return false;
	target = linitial(select->targetList);
	if (!IsA(target->val, FuncCall))
		return false;
	call = (FuncCall *) target->val;
	name = strVal(llast(call->funcname));
	if (list_length(call->funcname) == 2 &&
		strcmp(strVal(linitial(call->funcname)), "pg_catalog") != 0)
		return false;
	if (strcmp(name, "setval") == 0)
		return true;
	if (strcmp(name, "set_config") != 0 || list_length(call->args) != 3 ||
		!IsA(linitial(call->args), A_Const) || !IsA(lsecond(call->args), A_Const))
		return false;
	first = linitial_node(A_Const, call->args);
	second = lsecond_node(A_Const, call->args);
	if (first->isnull || !IsA(&first->val, String) || second->isnull || !IsA(&second->val, String))
		return false;
	if (strcmp(strVal(&first->val), "search_path") == 0)
		settings->search_path = strVal(&second->val);
	return true;
}

/* Notes which schemas and extensions a statement makes or fills. */
static void
note_names(KnScript *script, Node *statement, const Settings *settings, const char *current)
{
	const char *schema = NULL;

	script->table_count += IsA(statement, CreateStmt) ? 1 : 0;
	script->index_count += IsA(statement, IndexStmt) ? 1 : 0;
	script->has_owners |= statement_states_owner(statement);
	script->has_acls |= IsA(statement, GrantStmt) || IsA(statement, AlterDefaultPrivilegesStmt);
	if (IsA(statement, CreateSchemaStmt))
	{
		schema = statement_schema_name((CreateSchemaStmt *) statement);
		if (statement_makes_schema((CreateSchemaStmt *) statement))
			script->creates = list_append_unique(script->creates, makeString(pstrdup(schema)));
	}
	else if (IsA(statement, CreateExtensionStmt))
		note_extension(script, (CreateExtensionStmt *) statement, settings, current);
	else if (statement_target(statement, &schema) && schema == NULL)
		schema = settings->search_path == NULL ? current : first_in_path(settings->search_path);
	if (schema != NULL)
		script->names = list_append_unique(script->names, makeString(pstrdup(schema)));
}

/* Notes an extension, and where it is made if it is not there yet. */
static void
note_extension(KnScript *script, const CreateExtensionStmt *statement, const Settings *settings,
			   const char *current)
{
	String *name = makeString(statement->extname);
	const char *home =
		settings->search_path == NULL ? current : first_in_path(settings->search_path);
	const char *stated = NULL;
	ListCell *cell;

	foreach(cell, statement->options)
	{
		if (strcmp(((DefElem *) lfirst(cell))->defname, "schema") == 0)
			home = stated = defGetString(lfirst(cell));
	}
	if (home != NULL)
		script->extension_homes =
			list_append_unique(script->extension_homes, makeString(pstrdup(home)));
	if (list_member(script->extensions, name))
		return;
	script->extensions = lappend(script->extensions, name);
	script->extension_schemas = lappend(script->extension_schemas, (char *) stated);
}

/* Whether it puts something into a schema, be it only an extension. */
bool
script_fills(const KnScript *script, const char *schema)
{
	String *name = makeString((char *) schema);

	return list_member(script->names, name) || list_member(script->extension_homes, name);
}

/* The first schema of a search_path that objects could be created in. */
static const char *
first_in_path(const char *path)
{
	List *names;
	ListCell *cell;

	if (!SplitIdentifierString(pstrdup(path), ',', &names))
		return NULL;
	foreach(cell, names)
	{
		if (strcmp(lfirst(cell), "$user") != 0 && strncmp(lfirst(cell), "pg_", 3) != 0)
			return lfirst(cell);
	}
	return NULL;
}

/* While this is pushed, errors say the line and the statement. */
void
script_push_error_context(ErrorContextCallback *callback, KnSource *source)
{
	callback->callback = statement_error;
	callback->arg = source;
	callback->previous = error_context_stack;
	error_context_stack = callback;
}

void
script_pop_error_context(ErrorContextCallback *callback)
{
	error_context_stack = callback->previous;
}

static void
statement_error(void *argument)
{
	KnSource *source = argument;
	const int most = 400;
	int length = (int) strlen(source->text);

	/* A position would be taken for one in the caller's query. */
	if (geterrposition() > 0)
		errposition(0);
	errcontext("line %d of the desired schema: %.*s%s",
			   source->line,
			   pg_mbcliplen(source->text, length, most),
			   source->text,
			   length > most ? "..." : "");
}
