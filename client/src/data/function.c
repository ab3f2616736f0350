/*
 * function.c
 *		Functions that do something besides giving a value.
 *
 * What is listed comes with the server, with its contrib modules or with this
 * project: whatever writes, takes locks, uses another session, tells other
 * processes something, runs SQL that it is handed as text, or works on the primary
 * only.  Functions that merely are volatile (random, clock_timestamp) or wait are
 * none of them: see harmless.c.  What users write cannot be known, but they may say it.
 *
 * Some do what stays when their transaction is undone.  It is of interest where it is more, or
 * another thing, if it is done twice: a number of a sequence may be passed over, a session that
 * is gone has no locks, and to be asked to go, or to read its configuration, is the same to a
 * server once or twice.
 */
#include "data/data.h"

#include <string.h>

#define WRITES  KN__EFFECT_WRITES
#define SESSION (KN__EFFECT_WRITES | KN__EFFECT_SESSION)
#define KEEPS   (SESSION | KN__EFFECT_KEEPS)
#define LASTS   (WRITES | KN__EFFECT_LASTS)
#define RUNS    (SESSION | KN__EFFECT_LASTS) /* SQL as text, here or elsewhere */

/* The first row that fits counts; a * at the end stands for any end. */
static const struct
{
	const char *name;
	unsigned effects;
} x_functions[] = {
	/* sequences; the last two need the session that has written */
	{ "nextval", WRITES },
	{ "setval", WRITES },
	{ "currval", WRITES },
	{ "lastval", WRITES },

	/* settings and locks of the session */
	{ "set_config", KEEPS },
	{ "setseed", SESSION },
	{ "pg_advisory_lock*", KEEPS },
	{ "pg_try_advisory_lock*", KEEPS },
	{ "pg_advisory_*", WRITES },
	{ "pg_try_advisory_*", WRITES },

	/* transactions and messages */
	{ "pg_notify", WRITES },
	{ "pg_current_xact_id", WRITES },
	{ "txid_current", WRITES },
	{ "pg_export_snapshot", WRITES },
	{ "pg_logical_slot_peek_*", WRITES },
	{ "pg_logical_*", LASTS },

	/* large objects and files */
	{ "lo_export", LASTS },
	{ "lo_*", WRITES },
	{ "loread", WRITES },
	{ "lowrite", WRITES },
	{ "pg_file_*", LASTS },

	/* other sessions, and SQL as text */
	{ "dblink_connect*", KEEPS },
	{ "dblink*", RUNS },
	{ "postgres_fdw_disconnect*", SESSION },
	{ "query_to_xml*", RUNS },
	{ "cursor_to_xml*", RUNS },
	{ "ts_stat", RUNS },
	{ "ts_rewrite", RUNS },
	{ "crosstab*", RUNS },
	{ "connectby", RUNS },
	{ "xpath_table", RUNS },

	/* replication, write-ahead log and backups */
	{ "pg_create_*", SESSION | LASTS }, /* replication slots may be temporary */
	{ "pg_copy_*", SESSION | LASTS },
	{ "pg_drop_replication_slot", LASTS },
	{ "pg_replication_slot_advance", LASTS },
	{ "pg_sync_replication_slots", WRITES },
	{ "pg_replication_origin_session_*", KEEPS },
	{ "pg_replication_origin_advance", LASTS },
	{ "pg_replication_origin_*", WRITES },
	{ "pg_backup_start", KEEPS },
	{ "pg_start_backup", KEEPS | LASTS },
	{ "pg_backup_stop", LASTS },
	{ "pg_stop_backup", LASTS },
	{ "pg_current_wal_*", WRITES },
	{ "pg_walfile_name*", WRITES },
	{ "pg_switch_wal", LASTS },
	{ "pg_log_standby_snapshot", WRITES },
	{ "pg_promote", LASTS },
	{ "pg_wal_replay_pause", WRITES },
	{ "pg_wal_replay_resume", WRITES },

	/* the server and its processes */
	{ "pg_cancel_backend", WRITES },
	{ "pg_terminate_backend", WRITES },
	{ "pg_reload_conf", WRITES },
	{ "pg_rotate_logfile*", LASTS },
	{ "pg_log_backend_memory_contexts", WRITES },
	{ "pg_stat_reset*", LASTS },
	{ "pg_stat_statements_reset", LASTS },
	{ "pg_restore_*", WRITES },
	{ "pg_clear_*", WRITES },
	{ "pg_import_system_collations", WRITES },
	{ "pg_extension_config_dump", WRITES },
	{ "pg_nextoid", WRITES },
	{ "pg_stop_making_pinned_objects", WRITES },
	{ "binary_upgrade_*", WRITES },
	{ "brin_summarize_*", WRITES },
	{ "brin_desummarize_range", WRITES },
	{ "gin_clean_pending_list", WRITES },
	{ "pg_truncate_visibility_map", WRITES },
	{ "heap_force_*", LASTS },

	/* our own */
	{ "kints_*", WRITES },
};

static char
to_lower(char c)
{
	return (char) (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool
fits(const char *pattern, const char *name, size_t n, bool folds)
{
	for (size_t i = 0; pattern[i] != '*'; i++)
	{
		if (i == n || pattern[i] == '\0')
			return i == n && pattern[i] == '\0';
		if ((folds ? to_lower(name[i]) : name[i]) != pattern[i])
			return false;
	}
	return true;
}

/* What is between the names of a list. */
static const char between[] = ", \t\n";

/* Whether a list of names has this one. */
static bool
has(const char *list, const char *name, size_t n, bool folds)
{
	for (const char *at = list; at != NULL && *at != '\0';)
	{
		size_t length = strcspn(at, between);

		bool is_prefix = length > 1 && at[length - 1] == '*';
		size_t wanted = is_prefix ? length - 1 : length;
		size_t same = 0;

		while (same < n && same < wanted && (folds ? to_lower(name[same]) : name[same]) == at[same])
			same++;
		if (same == wanted && same > 0 && (is_prefix || same == n))
			return true;
		at += length;
		at += strspn(at, between);
	}
	return false;
}

/* Names that need quotes in SQL are not among them: most likely they are no names at all. */
static bool
is_of_name(char c, bool is_first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char) c >= 0x80)
		return true;
	return !is_first && ((c >= '0' && c <= '9') || c == '$');
}

bool
kn__functions_can_be(const char *list)
{
	for (const char *at = list + strspn(list, between); *at != '\0'; at += strspn(at, between))
	{
		const char *name = at;

		while (is_of_name(*at, at == name))
			at++;
		if (at > name && *at == '*')
			at++;
		if (at == name || (*at != '\0' && strchr(between, *at) == NULL))
			return false;
	}
	return true;
}

unsigned
kn__function_effects(const kn__functions *functions, const kn__token *name)
{
	bool is_quoted = name->kind == KN__TOKEN_QUOTED;
	const char *p = is_quoted ? name->p + 1 : name->p;
	size_t n = is_quoted ? name->n - 2 : name->n;

	if (is_quoted && name->p[0] != '"')
		return KEEPS | KN__EFFECT_UNKNOWN; /* U&"...": the name can be any */
	if (functions != NULL && has(functions->writing, p, n, !is_quoted))
		return WRITES | KN__EFFECT_UNKNOWN;
	if (functions != NULL && has(functions->harmless, p, n, !is_quoted))
		return KN__EFFECT_VOUCHED;
	for (size_t i = 0; i < sizeof(x_functions) / sizeof(x_functions[0]); i++)
	{
		if (fits(x_functions[i].name, p, n, !is_quoted))
			return x_functions[i].effects;
	}
	return kn__function_is_harmless(p, n, is_quoted) ? 0 : KN__EFFECT_UNKNOWN;
}
