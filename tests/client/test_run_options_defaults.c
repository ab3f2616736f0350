/*
 * test_run_options_defaults.c
 *		What counts where nothing is said.
 */
#include "config.h"

START_TEST(all_has_a_default)
{
	const kn_config *has;

	ck_assert_int_eq(INIT(0), KN_OK);
	has = &config->config;
	ck_assert_str_eq(has->name, "kints");
	ck_assert_int_eq(has->min_connections, 0);
	ck_assert_int_eq(has->max_connections, 10);
	ck_assert_int_eq(has->max_opening, 2);
	ck_assert_int_eq(has->max_waiters, 0);
	ck_assert_int_eq(has->acquire_ms, 5000);
	ck_assert_int_eq(has->connect_ms, 5000);
	ck_assert_int_eq(has->idle_ms, 600000);
	ck_assert_int_eq(has->lifetime_ms, 1800000);
	ck_assert_int_eq(has->keepalive_ms, -1);
	ck_assert_int_eq(has->leak_ms, -1);
	ck_assert_int_eq(has->drain_ms, 5000);
	ck_assert_int_eq(has->statement_ms, -1);
	ck_assert_int_eq(has->cancel_ms, 1000);
	ck_assert_int_eq(has->statement_cache, 256);
	ck_assert_int_eq(has->statement_cache_bytes, 1048576);
	ck_assert_int_eq(has->prepare_after, 1);
	ck_assert_int_eq(has->pgbouncer, KN_AUTOMATIC);
	ck_assert_int_eq(has->retry_attempts, 3);
	ck_assert_int_eq(has->retry_base_ms, 10);
	ck_assert_int_eq(has->retry_cap_ms, 1000);
	ck_assert_int_eq(has->retry_budget_percent, 20);
	ck_assert_int_eq(has->breaker_failure_percent, 50);
	ck_assert_int_eq(has->breaker_slow_percent, -1);
	ck_assert_int_eq(has->breaker_slow_ms, 1000);
	ck_assert_int_eq(has->breaker_window, 10);
	ck_assert_int_eq(has->breaker_calls, 20);
	ck_assert_int_eq(has->breaker_open_ms, 2000);
	ck_assert_int_eq(has->breaker_probes, 3);
	ck_assert_int_eq(has->lag_ms, 10000);
	ck_assert_int_eq(has->probe_ms, 1000);
	ck_assert_int_eq(has->hedge_percent, 0);
	ck_assert_int_eq(has->slow_ms, -1);
	ck_assert_int_eq(has->secret_ms, 60000);
	ck_assert(!has->show_parameters);
	ck_assert(!has->ignore_environment);
	ck_assert_int_eq(config->server_count, 1);
	ck_assert_str_eq(told(0), "fallback_application_name=kints client_encoding=UTF8");
	ck_assert_str_ne(config->servers[0].host, "");
	ck_assert_int_eq(config->servers[0].port, 5432);
	kn__config_free(config);
	kn__config_free(NULL);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, clear_environment, NULL);
	tcase_add_test(tcase, all_has_a_default);
}

int
main(void)
{
	return suite_run("run_options_defaults", fill);
}
