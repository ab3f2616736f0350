/*
 * harmless.c
 *		Functions that give a value and do nothing else.
 *
 * They come with the server or with its contrib modules; in order, for they are looked for
 * by halving.  Some are volatile, such as random(), and may be called twice all the
 * same.  Whatever is not here, and not in function.c, is a user's own, and can do
 * anything.  One that has a name of these is taken for it.
 */
#include "data/data.h"

#include <stdlib.h>
#include <string.h>

/* Words that stand before a parenthesis, and are no function's name unless they are quoted. */
/* clang-format off */
static const char *const x_keywords[] = {
	"all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization",
	"between", "bigint", "binary", "bit", "boolean", "both", "by", "case", "cast", "char",
	"character", "check", "coalesce", "collate", "collation", "column", "columns", "conflict",
	"constraint", "create", "cross", "cube", "current_catalog", "current_date", "current_role",
	"current_schema", "current_time", "current_timestamp", "current_user", "dec", "decimal",
	"default", "deferrable", "desc", "distinct", "else", "end", "escape", "except", "exists",
	"extract", "false", "fetch", "filter", "float", "for", "foreign", "freeze", "from", "full",
	"grant", "greatest", "group", "grouping", "having", "ilike", "in", "initially", "inner",
	"inout", "int", "integer", "intersect", "interval", "into", "is", "isnull", "join", "json",
	"json_array", "json_arrayagg", "json_exists", "json_object", "json_objectagg", "json_query",
	"json_scalar", "json_serialize", "json_table", "json_value", "lateral", "leading", "least",
	"left", "like", "limit", "localtime", "localtimestamp", "materialized", "merge_action",
	"national", "natural", "nchar", "none", "normalize", "not", "notnull", "null", "nullif",
	"numeric", "offset", "on", "only", "or", "order", "out", "outer", "over", "overlaps", "overlay",
	"partition", "passing", "path", "placing", "position", "precision", "primary", "range", "real",
	"recursive", "references", "repeatable", "returning", "right", "rollup", "row", "select",
	"session_user", "set", "setof", "sets", "similar", "smallint", "some", "substring", "symmetric",
	"system_user", "table", "tablesample", "then", "time", "timestamp", "to", "trailing", "treat",
	"trim", "true", "union", "unique", "user", "using", "value", "values", "varchar", "variadic",
	"when", "where", "window", "with", "within", "xmlattributes", "xmlconcat", "xmlelement",
	"xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize",
	"xmltable", "zone",
};

static const char *const x_harmless[] = {
	"abs", "acldefault", "aclexplode", "acos", "acosd", "acosh", "age", "akeys", "any_value",
	"array_agg", "array_dims", "array_fill", "array_length", "array_lower", "array_ndims",
	"array_position", "array_positions", "array_remove", "array_replace", "array_reverse",
	"array_sample", "array_shuffle", "array_sort", "array_to_json", "array_to_string",
	"array_to_tsvector", "array_upper", "ascii", "asin", "asind", "asinh", "atan", "atan2",
	"atan2d", "atand", "atanh", "avals", "avg", "bernoulli", "bit_and", "bit_count", "bit_length",
	"bit_or", "bit_xor", "bool_and", "bool_or", "box", "broadcast", "btrim", "cardinality",
	"casefold", "cash_words", "cbrt", "ceil", "ceiling", "center", "char_length",
	"character_length", "chr", "circle", "clock_timestamp", "col_description", "concat",
	"concat_ws", "convert", "convert_from", "convert_to", "corr", "cos", "cosd", "cosh", "cot",
	"cotd", "count", "covar_pop", "covar_samp", "crc32", "crc32c", "crypt", "cume_dist",
	"current_database", "current_query", "current_schemas", "current_setting", "database_to_xml",
	"database_to_xml_and_xmlschema", "database_to_xmlschema", "date", "date_add", "date_bin",
	"date_part", "date_subtract", "date_trunc", "datemultirange", "daterange", "decode", "degrees",
	"dense_rank", "diagonal", "diameter", "difference", "digest", "div", "dmetaphone",
	"dmetaphone_alt", "each", "earth_box", "earth_distance", "encode", "enum_first", "enum_last",
	"enum_range", "erf", "erfc", "every", "exp", "factorial", "family", "first_value", "floor",
	"format", "format_type", "gamma", "gcd", "gen_random_bytes", "gen_random_uuid", "gen_salt",
	"generate_series", "generate_subscripts", "get_bit", "get_byte", "get_current_ts_config",
	"has_any_column_privilege", "has_column_privilege", "has_database_privilege",
	"has_foreign_data_wrapper_privilege", "has_function_privilege", "has_language_privilege",
	"has_parameter_privilege", "has_schema_privilege", "has_sequence_privilege",
	"has_server_privilege", "has_table_privilege", "has_tablespace_privilege", "has_type_privilege",
	"height", "hmac", "host", "hostmask", "hstore", "hstore_to_json", "hstore_to_jsonb",
	"inet_client_addr", "inet_client_port", "inet_server_addr", "inet_server_port", "initcap",
	"int4multirange", "int4range", "int8multirange", "int8range", "is_normalized", "isclosed",
	"isempty", "isfinite", "ishorizontal", "isopen", "isparallel", "isperp", "isvertical",
	"json_agg", "json_array_elements", "json_array_elements_text", "json_array_length",
	"json_build_array", "json_build_object", "json_each", "json_each_text", "json_object_agg",
	"json_object_keys", "json_populate_record", "json_populate_recordset", "json_strip_nulls",
	"json_to_record", "json_to_recordset", "json_to_tsvector", "json_typeof", "jsonb_agg",
	"jsonb_array_elements", "jsonb_array_elements_text", "jsonb_array_length", "jsonb_build_array",
	"jsonb_build_object", "jsonb_each", "jsonb_each_text", "jsonb_insert", "jsonb_object",
	"jsonb_object_agg", "jsonb_object_keys", "jsonb_path_exists", "jsonb_path_exists_tz",
	"jsonb_path_match", "jsonb_path_match_tz", "jsonb_path_query", "jsonb_path_query_array",
	"jsonb_path_query_array_tz", "jsonb_path_query_first", "jsonb_path_query_first_tz",
	"jsonb_path_query_tz", "jsonb_populate_record", "jsonb_populate_recordset", "jsonb_pretty",
	"jsonb_set", "jsonb_set_lax", "jsonb_strip_nulls", "jsonb_to_record", "jsonb_to_recordset",
	"jsonb_to_tsvector", "jsonb_typeof", "justify_days", "justify_hours", "justify_interval", "lag",
	"last_value", "lca", "lcm", "lead", "length", "levenshtein", "levenshtein_less_equal", "lgamma",
	"like_escape", "line", "ll_to_earth", "ln", "log", "log10", "lower", "lower_inc", "lower_inf",
	"lpad", "lseg", "ltrim", "macaddr8_set7bit", "make_date", "make_interval", "make_time",
	"make_timestamp", "make_timestamptz", "masklen", "max", "md5", "metaphone", "min", "min_scale",
	"mod", "mode", "multirange", "mxid_age", "netmask", "network", "nlevel", "now", "npoints",
	"nth_value", "ntile", "num_nonnulls", "num_nulls", "numeric_div_trunc", "nummultirange",
	"numnode", "numrange", "obj_description", "octet_length", "oidvectortypes", "parse_ident",
	"percent_rank", "percentile_cont", "percentile_disc", "pg_available_extension_versions",
	"pg_available_extensions", "pg_backend_pid", "pg_blocking_pids", "pg_char_to_encoding",
	"pg_client_encoding", "pg_collation_actual_version", "pg_collation_for",
	"pg_collation_is_visible", "pg_column_compression", "pg_column_is_updatable", "pg_column_size",
	"pg_conf_load_time", "pg_config", "pg_control_checkpoint", "pg_control_init",
	"pg_control_recovery", "pg_control_system", "pg_conversion_is_visible", "pg_current_logfile",
	"pg_current_snapshot", "pg_current_xact_id_if_assigned", "pg_database_collation_actual_version",
	"pg_database_size", "pg_describe_object", "pg_encoding_max_length", "pg_encoding_to_char",
	"pg_extension_update_paths", "pg_filenode_relation", "pg_function_is_visible",
	"pg_get_backend_memory_contexts", "pg_get_constraintdef", "pg_get_expr",
	"pg_get_function_arg_default", "pg_get_function_arguments",
	"pg_get_function_identity_arguments", "pg_get_function_result", "pg_get_functiondef",
	"pg_get_indexdef", "pg_get_keywords", "pg_get_multixact_members", "pg_get_object_address",
	"pg_get_partition_constraintdef", "pg_get_partkeydef", "pg_get_replication_slots",
	"pg_get_ruledef", "pg_get_serial_sequence", "pg_get_shmem_allocations", "pg_get_triggerdef",
	"pg_get_userbyid", "pg_get_viewdef", "pg_get_wal_replay_pause_state", "pg_has_role",
	"pg_hba_file_rules", "pg_ident_file_mappings", "pg_identify_object",
	"pg_identify_object_as_address", "pg_index_column_has_property", "pg_index_has_property",
	"pg_indexam_has_property", "pg_indexes_size", "pg_input_error_info", "pg_input_is_valid",
	"pg_is_in_recovery", "pg_is_other_temp_schema", "pg_is_wal_replay_paused", "pg_jit_available",
	"pg_last_committed_xact", "pg_last_wal_receive_lsn", "pg_last_wal_replay_lsn",
	"pg_last_xact_replay_timestamp", "pg_listening_channels", "pg_ls_archive_statusdir",
	"pg_ls_dir", "pg_ls_logdir", "pg_ls_logicalmapdir", "pg_ls_logicalsnapdir", "pg_ls_replslotdir",
	"pg_ls_tmpdir", "pg_ls_waldir", "pg_lsn", "pg_my_temp_schema", "pg_notification_queue_usage",
	"pg_opclass_is_visible", "pg_operator_is_visible", "pg_opfamily_is_visible",
	"pg_options_to_table", "pg_partition_ancestors", "pg_partition_root", "pg_partition_tree",
	"pg_postmaster_start_time", "pg_read_binary_file", "pg_read_file", "pg_relation_filenode",
	"pg_relation_filepath", "pg_relation_is_publishable", "pg_relation_is_updatable",
	"pg_relation_size", "pg_safe_snapshot_blocking_pids", "pg_sequence_last_value",
	"pg_sequence_parameters", "pg_settings_get_flags", "pg_show_all_file_settings",
	"pg_show_all_settings", "pg_show_replication_origin_status", "pg_size_bytes", "pg_size_pretty",
	"pg_sleep", "pg_sleep_for", "pg_sleep_until", "pg_snapshot_xip", "pg_snapshot_xmax",
	"pg_snapshot_xmin", "pg_stat_clear_snapshot", "pg_stat_file", "pg_stat_get_activity",
	"pg_stat_get_progress_info", "pg_statistics_obj_is_visible", "pg_table_is_visible",
	"pg_table_size", "pg_tablespace_databases", "pg_tablespace_location", "pg_tablespace_size",
	"pg_timezone_abbrevs", "pg_timezone_names", "pg_total_relation_size", "pg_trigger_depth",
	"pg_ts_config_is_visible", "pg_ts_dict_is_visible", "pg_ts_parser_is_visible",
	"pg_ts_template_is_visible", "pg_type_is_visible", "pg_typeof", "pg_visible_in_snapshot",
	"pg_wal_lsn_diff", "pg_xact_commit_timestamp", "pg_xact_commit_timestamp_origin",
	"pg_xact_status", "phraseto_tsquery", "pi", "plainto_tsquery", "point", "polygon", "pow",
	"power", "querytree", "quote_ident", "quote_literal", "quote_nullable", "radians", "radius",
	"random", "random_normal", "range_agg", "range_intersect_agg", "range_merge", "rank",
	"regexp_count", "regexp_instr", "regexp_like", "regexp_match", "regexp_matches",
	"regexp_replace", "regexp_split_to_array", "regexp_split_to_table", "regexp_substr",
	"regr_avgx", "regr_avgy", "regr_count", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx",
	"regr_sxy", "regr_syy", "repeat", "replace", "reverse", "round", "row_number",
	"row_security_active", "row_to_json", "rpad", "rtrim", "scale", "schema_to_xml",
	"schema_to_xml_and_xmlschema", "schema_to_xmlschema", "set_bit", "set_byte", "set_masklen",
	"setweight", "sha224", "sha256", "sha384", "sha512", "shobj_description", "show_trgm", "sign",
	"similar_to_escape", "similarity", "sin", "sind", "sinh", "skeys", "slice", "slope", "soundex",
	"split_part", "sqrt", "statement_timestamp", "stddev", "stddev_pop", "stddev_samp",
	"strict_word_similarity", "string_agg", "string_to_array", "string_to_table", "strip", "strpos",
	"subltree", "subpath", "substr", "sum", "svals", "system", "table_to_xml",
	"table_to_xml_and_xmlschema", "table_to_xmlschema", "tan", "tand", "tanh", "text2ltree",
	"timeofday", "timestamptz", "timezone", "to_ascii", "to_bin", "to_char", "to_date", "to_hex",
	"to_json", "to_jsonb", "to_number", "to_oct", "to_regclass", "to_regcollation",
	"to_regnamespace", "to_regoper", "to_regoperator", "to_regproc", "to_regprocedure",
	"to_regrole", "to_regtype", "to_timestamp", "to_tsquery", "to_tsvector",
	"transaction_timestamp", "translate", "trim_array", "trim_scale", "trunc", "ts_debug",
	"ts_delete", "ts_filter", "ts_headline", "ts_lexize", "ts_parse", "ts_rank", "ts_rank_cd",
	"ts_token_type", "tsmultirange", "tsquery_phrase", "tsrange", "tstzmultirange", "tstzrange",
	"tsvector_to_array", "txid_current_if_assigned", "txid_current_snapshot", "txid_snapshot_xip",
	"txid_snapshot_xmax", "txid_snapshot_xmin", "txid_status", "txid_visible_in_snapshot",
	"unaccent", "unicode_version", "unistr", "unnest", "upper", "upper_inc", "upper_inf",
	"uuid_extract_timestamp", "uuid_extract_version", "uuid_generate_v1", "uuid_generate_v1mc",
	"uuid_generate_v3", "uuid_generate_v4", "uuid_generate_v5", "uuidv4", "uuidv7", "var_pop",
	"var_samp", "variance", "version", "websearch_to_tsquery", "width", "width_bucket",
	"word_similarity", "xml_is_well_formed", "xml_is_well_formed_content",
	"xml_is_well_formed_document", "xmlagg", "xmlcomment", "xmlvalidate", "xpath", "xpath_exists",
};
/* clang-format on */

/* A name that is looked for: folded to lower case unless it was quoted. */
typedef struct wanted
{
	const char *p;
	size_t n;
	bool folds;
} wanted;

static int
compare(const void *key, const void *item)
{
	const wanted *w = key;
	const char *name = *(const char *const *) item;

	for (size_t i = 0; i < w->n; i++)
	{
		char c = w->p[i];

		if (w->folds && c >= 'A' && c <= 'Z')
			c = (char) (c - 'A' + 'a');
		if (c != name[i])
			return (unsigned char) c < (unsigned char) name[i] ? -1 : 1;
	}
	return name[w->n] == '\0' ? 0 : -1;
}

#define IS_IN(table, key)                                                                        \
	(bsearch((key), (table), sizeof(table) / sizeof((table)[0]), sizeof((table)[0]), compare) != \
	 NULL)

/* Quoted names are without their quotes. */
bool
kn__function_is_harmless(const char *name, size_t length, bool is_quoted)
{
	const wanted w = { name, length, !is_quoted };

	return (!is_quoted && IS_IN(x_keywords, &w)) || IS_IN(x_harmless, &w);
}
