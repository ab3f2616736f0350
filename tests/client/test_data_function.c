/*
 * test_data_function.c
 *		What is known of functions: by name, by pattern, quoted or not.
 */
#include <string.h>

#include "data/data.h"
#include "suite.h"

#define NONE    0U
#define WRITES  ((unsigned) KN__EFFECT_WRITES)
#define SESSION ((unsigned) (KN__EFFECT_WRITES | KN__EFFECT_SESSION))
#define KEEPS   (SESSION | KN__EFFECT_KEEPS)
#define LASTS   (WRITES | KN__EFFECT_LASTS)
#define RUNS    (SESSION | KN__EFFECT_LASTS)
#define UNKNOWN ((unsigned) KN__EFFECT_UNKNOWN)

static unsigned
effects_of(const char *name)
{
	kn__token token = { .kind = strchr(name, '"') != NULL ? KN__TOKEN_QUOTED : KN__TOKEN_WORD,
						.p = name,
						.n = strlen(name) };

	return kn__function_effects(NULL, &token);
}

static const struct
{
	const char *name;
	unsigned effects;
} known[] = {
	{ "nextval", WRITES },
	{ "NextVal", WRITES },
	{ "nextvalue", UNKNOWN },
	{ "nextva", UNKNOWN },
	{ "setval", WRITES },
	{ "currval", WRITES },
	{ "lastval", WRITES },
	{ "\"nextval\"", WRITES },
	{ "\"Nextval\"", UNKNOWN },
	{ "U&\"nextval\"", KEEPS | UNKNOWN },
	{ "set_config", KEEPS },
	{ "setseed", SESSION },
	{ "current_setting", NONE },
	{ "pg_advisory_lock", KEEPS },
	{ "pg_advisory_lock_shared", KEEPS },
	{ "pg_try_advisory_lock", KEEPS },
	{ "pg_try_advisory_xact_lock_shared", WRITES },
	{ "pg_advisory_unlock", WRITES },
	{ "pg_advisory_unlock_all", WRITES },
	{ "pg_advisory_xact_lock", WRITES },
	{ "pg_notify", WRITES },
	{ "txid_current", WRITES },
	{ "txid_current_snapshot", NONE },
	{ "txid_current_if_assigned", NONE },
	{ "pg_current_xact_id", WRITES },
	{ "pg_current_xact_id_if_assigned", NONE },
	{ "pg_export_snapshot", WRITES },
	{ "pg_logical_emit_message", LASTS },
	{ "pg_logical_slot_get_changes", LASTS },
	{ "pg_logical_slot_peek_changes", WRITES },
	{ "lo_creat", WRITES },
	{ "lo_import", WRITES },
	{ "lo_export", LASTS },
	{ "pg_file_write", LASTS },
	{ "lowrite", WRITES },
	{ "lower", NONE },
	{ "log", NONE },
	{ "dblink", RUNS },
	{ "dblink_exec", RUNS },
	{ "dblink_send_query", RUNS },
	{ "dblink_connect", KEEPS },
	{ "dblink_connect_u", KEEPS },
	{ "query_to_xml", RUNS },
	{ "query_to_xml_and_xmlschema", RUNS },
	{ "crosstab3", RUNS },
	{ "pg_create_logical_replication_slot", RUNS },
	{ "pg_copy_physical_replication_slot", RUNS },
	{ "pg_drop_replication_slot", LASTS },
	{ "pg_replication_origin_session_setup", KEEPS },
	{ "pg_replication_origin_create", WRITES },
	{ "pg_replication_origin_advance", LASTS },
	{ "pg_replication_slot_advance", LASTS },
	{ "pg_create_restore_point", RUNS },
	{ "pg_switch_wal", LASTS },
	{ "pg_backup_start", KEEPS },
	{ "pg_stop_backup", LASTS },
	{ "pg_current_wal_lsn", WRITES },
	{ "pg_last_wal_replay_lsn", NONE },
	{ "pg_is_in_recovery", NONE },
	{ "pg_wal_replay_pause", WRITES },
	{ "pg_is_wal_replay_paused", NONE },
	{ "pg_promote", LASTS },
	{ "pg_cancel_backend", WRITES },
	{ "pg_terminate_backend", WRITES },
	{ "pg_rotate_logfile", LASTS },
	{ "pg_backend_pid", NONE },
	{ "pg_stat_reset_shared", LASTS },
	{ "pg_stat_get_activity", NONE },
	{ "pg_reload_conf", WRITES },
	{ "pg_restore_relation_stats", WRITES },
	{ "brin_summarize_new_values", WRITES },
	{ "heap_force_kill", LASTS },
	{ "kints_plan", WRITES },
	{ "random", NONE },
	{ "now", NONE },
	{ "pg_sleep", NONE },
	{ "count", NONE },
	{ "\xc3\xa9", UNKNOWN },
	{ "n", UNKNOWN },
};

START_TEST(effects_are_known)
{
	ck_assert_msg(effects_of(known[_i].name) == known[_i].effects,
				  "%s has the effects %u",
				  known[_i].name,
				  effects_of(known[_i].name));
}
END_TEST

/* The length counts, not a NUL. */
START_TEST(the_length_counts)
{
	const kn__token token = { .kind = KN__TOKEN_WORD, .p = "nextvals", .n = 7 };
	const kn__token empty = { .kind = KN__TOKEN_WORD, .p = "nextval", .n = 0 };

	ck_assert_uint_eq(kn__function_effects(NULL, &token), WRITES);
	ck_assert_uint_eq(kn__function_effects(NULL, &empty), UNKNOWN);
}
END_TEST

static unsigned
said_of(const char *name)
{
	static const kn__functions functions = { .writing = "book, post_all,now\tMixed",
											 .harmless = "look,nextval,st_*,*" };
	kn__token token = { .kind = strchr(name, '"') != NULL ? KN__TOKEN_QUOTED : KN__TOKEN_WORD,
						.p = name,
						.n = strlen(name) };

	return kn__function_effects(&functions, &token);
}

/* What the user says of a function comes before what is known of its name. */
START_TEST(the_user_knows)
{
	ck_assert_uint_eq(said_of("book"), WRITES | UNKNOWN);
	ck_assert_uint_eq(said_of("BOOK"), WRITES | UNKNOWN);
	ck_assert_uint_eq(said_of("post_all"), WRITES | UNKNOWN);
	ck_assert_uint_eq(said_of("now"), WRITES | UNKNOWN);
	ck_assert_uint_eq(said_of("\"Mixed\""), WRITES | UNKNOWN);
	ck_assert_uint_eq(said_of("mixed"), UNKNOWN);
	ck_assert_uint_eq(said_of("boo"), UNKNOWN);
	ck_assert_uint_eq(said_of("books"), UNKNOWN);
	ck_assert_uint_eq(said_of("look"), KN__EFFECT_VOUCHED);
	ck_assert_uint_eq(said_of("nextval"), KN__EFFECT_VOUCHED);
	ck_assert_uint_eq(said_of("setval"), WRITES);
	ck_assert_uint_eq(said_of("ST_Distance"), KN__EFFECT_VOUCHED);
	ck_assert_uint_eq(said_of("st_"), KN__EFFECT_VOUCHED);
	ck_assert_uint_eq(said_of("st"), UNKNOWN);
}
END_TEST

static const struct
{
	const char *list;
	bool can_be;
} lists[] = {
	{ "", true },
	{ " , \t\n", true },
	{ "book, post_all,now\tMixed", true },
	{ "_f1,g$2,\xc3\xa4h", true },
	{ "st_*", true },
	{ "*", false },
	{ "s*t", false },
	{ "st**", false },
	{ "app.f", false },
	{ "\"f\"", false },
	{ "f()", false },
	{ "f;g", false },
	{ "f,1", false },
	{ "$f", false },
	{ "f\r", false },
};

START_TEST(lists_have_names)
{
	ck_assert_int_eq(kn__functions_can_be(lists[_i].list), lists[_i].can_be);
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, effects_are_known, known);
	tcase_add_test(tcase, the_length_counts);
	tcase_add_test(tcase, the_user_knows);
	LOOP(tcase, lists_have_names, lists);
}

int
main(void)
{
	return suite_run("data_function", fill);
}
