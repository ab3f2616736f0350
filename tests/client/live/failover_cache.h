/*
 * failover_cache.h
 *		Reads that go by a cache, while the primary is not there.
 */
#ifndef KN_TESTS_FAILOVER_CACHE_H
#define KN_TESTS_FAILOVER_CACHE_H

#include "nothing.h"
#include "route.h"

#define SOON_MS 2500 /* less than anybody would wait */

/* What is to be kept comes from the primary, and nobody waits for one that is gone. */
static void
check_cached(const char *primary, const char *replica)
{
	const char *replicas[] = { replica, NULL };
	const kn_options options = { .size = sizeof(options), .cache_key = "fell" };
	nothing has = { 0 };
	kn_cache cache = cache_of(&has);
	kn_db *caching;
	kn_ctx *cx;
	int64_t begun;
	int64_t took;

	check(kn_open(&caching,
				  NULL,
				  0,
				  .conninfo = primary,
				  .replicas = replicas,
				  .acquire_ms = REQUEST_MS,
				  .cache = &cache) == KN_OK,
		  "a handle with a cache");
	cx = kn_begin(caching, .timeout_ms = REQUEST_MS);
	while (atomic_load(&has.puts) == 0)
	{
		check(kn_done(kn_query_values(cx, "SELECT count(*) FROM fell", NULL, 0, &options)) == KN_OK,
			  "a read that is kept");
		if (failed > 0)
			break;
	}
	control("KN_TEST_PRIMARY_CONTROL", "stop");
	has.puts = 0;
	begun = kn__now(NULL);
	check(kn_done(kn_query_values(cx, "SELECT count(*) FROM fell", NULL, 0, &options)) == KN_OK,
		  "a read that is not");
	took = kn__now(NULL) - begun;
	check(took < SOON_MS * KN__NS_PER_MS, "it is done soon");
	check(atomic_load(&has.puts) == 0, "what a replica says is not kept");
	(void) printf("without the primary a cached read took %.1f ms\n", (double) took / 1e6);
	kn_end(cx);
	control("KN_TEST_PRIMARY_CONTROL", "start");
	check(reads_come_to(PRIMARY, 0) || reads_come_to(REPLICA, 0), "the primary is there again");
	check(kn_close(caching, 10000) == KN_OK, "all contexts have ended");
}

#endif
