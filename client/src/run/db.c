/*
 * db.c
 *		The handle: opening and closing, and what there is to know of its servers.
 */
#include "run/config.h"
#include "run/run.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static kn_status check_pointers(const kn_config *config, char *error, size_t capacity);
static kn_status make(kn_db *db);
static kn_status make_server(kn_db *db, int index);
static void destroy(kn_db *db);
static void stop_threads(const kn_db *db);
static void close_stop(kn_db *db);

kn_status
kn_open_config(kn_db **out, char *error, size_t capacity, const kn_config *config)
{
	const kn_allocator *allocator = config == NULL ? NULL : config->allocator;
	kn_db *db;
	kn_status status;

	if (error != NULL && capacity > 0)
		*error = '\0';
	if (out != NULL)
		*out = NULL;
	if (out == NULL || config == NULL)
		return KN_USAGE;
	db = kn__allocate_zero(allocator, 1, sizeof(kn_db));
	if (db == NULL)
		return KN_NO_MEMORY;
	db->allocator = allocator;
	(void) pthread_mutex_init(&db->lock, NULL);
	kn__cond_init(&db->woken);
	db->contexts = 1;
	db->stop[0] = db->stop[1] = db->haste[0] = db->haste[1] = -1;
	status = kn__config_read(&db->settings, config, error, capacity);
	if (status == KN_OK)
		status = check_pointers(&db->settings->config, error, capacity);
	if (status == KN_OK)
		status = make(db);
	if (status != KN_OK)
	{
		destroy(db);
		return status;
	}
	*out = db;
	return KN_OK;
}

/* Structs of the program's that outlive the handle, and would be of no use, or crash, later on. */
static kn_status
check_pointers(const kn_config *config, char *error, size_t capacity)
{
	const kn_cache *cache = config->cache;
	const char *why = NULL;

	for (const kn_hooks *hooks = config->hooks; hooks != NULL && why == NULL; hooks = hooks->next)
	{
		if (hooks->size < offsetof(kn_hooks, query))
			why = "option \"hooks\": the size of a struct is not filled in";
	}
	if (cache != NULL && (cache->get == NULL || cache->put == NULL || cache->remove == NULL))
		why = "option \"cache\" has to have all three functions";
	if (why == NULL)
		return KN_OK;
	if (error != NULL && capacity > 0)
		(void) snprintf(error, capacity, "%s", why);
	return KN_CONFIG;
}

static kn_status
make(kn_db *db)
{
	kn_status status = KN_OK;

	db->config = db->settings->config;
	db->clock = kn__clock_shift(&db->shifted, db->config.clock);
	db->config.clock = db->clock;
	db->classes = kn__memo_new(db->allocator);
	db->known = kn__known_new(db->allocator);
	db->functions = (kn__functions){ db->config.volatile_functions, db->config.stable_functions };
	db->servers =
		kn__allocate_zero(db->allocator, (size_t) db->settings->server_count, sizeof(kn__server));
	if (db->classes == NULL || db->known == NULL || db->servers == NULL || !kn__wake_open(db->stop))
		return KN_NO_MEMORY;
	db->cancels = kn__cancels_new();
	if (db->cancels == NULL)
		return KN_NO_MEMORY;
	if (db->clock == NULL || db->clock->monotonic == NULL)
	{
		db->alarm = kn__alarm_new(db->allocator);
		if (db->alarm == NULL)
			return KN_NO_MEMORY;
	}
	if (kn__link_init_secrets(db) != KN_OK)
		return KN_NO_MEMORY;
	kn__budget_init(&db->budget, db->config.retry_budget_percent, kn__now(db->clock));
	while (status == KN_OK && db->server_count < db->settings->server_count)
		status = make_server(db, db->server_count);
	/* By now there is a pool, which sees to it that the stamp changes. */
	db->stamp = kn__pool_stamp();
	if (status == KN_OK)
		status = kn__hedge_start(db);
	return status == KN_OK ? kn__route_start(db) : status;
}

static kn_status
make_server(kn_db *db, int index)
{
	const kn_config *config = &db->config;
	kn__server *server = &db->servers[index];
	kn__driver driver = kn__link_driver;
	kn__breaker_options breaker = {
		.failure_percent = config->breaker_failure_percent,
		.slow_percent = config->breaker_slow_percent,
		.slow_ns = config->breaker_slow_ms * KN__NS_PER_MS,
		.window_seconds = config->breaker_window,
		.calls = config->breaker_calls,
		.open_ns = config->breaker_open_ms * KN__NS_PER_MS,
		.probes = config->breaker_probes,
		.lease_ns = KN__NS_PER_S * 10,
	};
	kn__pool_options options = {
		.min = config->min_connections,
		.max = config->max_connections,
		.max_opening = config->max_opening,
		.max_waiters = config->max_waiters,
		.acquire_ms = config->acquire_ms,
		.connect_ms = db->settings->servers[index].connect_ms,
		.idle_ms = config->idle_ms,
		.lifetime_ms = config->lifetime_ms,
		.keepalive_ms = config->keepalive_ms,
		.leak_ms = config->leak_ms,
		.slow_ms = config->slow_ms,
		.masks_sql = !config->show_parameters,
		.allocator = db->allocator,
		.clock = db->clock,
	};
	kn_status status;

	server->db = db;
	server->index = index;
	server->place = &db->settings->servers[index];
	server->host = server->place->host;
	server->secret = &db->secrets[index];
	atomic_init(&server->is_primary, index == 0);
	atomic_init(&server->lag_us, -1);
	server->pooler = config->pgbouncer;
	server->shapes = kn__memo_new(db->allocator);
	if (server->shapes == NULL)
		return KN_NO_MEMORY;
	kn__breaker_init(&server->breaker, &breaker);
	driver.user = server;
	if (config->hooks == NULL)
		driver.report = NULL;
	status = kn__pool_new(&server->pool, &options, &driver);
	if (status != KN_OK)
	{
		kn__breaker_release(&server->breaker);
		kn__memo_free(server->shapes);
		return status;
	}
	db->server_count++;
	return KN_OK;
}

kn_status
kn_close(kn_db *db, int64_t drain_ms)
{
	kn_status status = KN_OK;
	int64_t deadline;

	if (db == NULL)
		return KN_OK;
	/* A child only frees memory: threads and sockets are its parent's. */
	if (kn__db_is_child(db))
	{
		for (int i = 0; i < db->server_count; i++)
			kn__pool_free(db->servers[i].pool);
		close_stop(db);
		return KN_OK;
	}
	atomic_store(&db->is_closing, true);
	(void) pthread_mutex_lock(&db->lock);
	(void) pthread_cond_broadcast(&db->woken);
	(void) pthread_mutex_unlock(&db->lock);
	stop_threads(db);
	kn__listen_wake_all(db);
	kn__route_stop(db);
	/* What is left of a time may be less than nothing. */
	if (drain_ms < 0)
		drain_ms = drain_ms == -1 ? db->config.drain_ms : 0;
	deadline = kn__after(kn__now(db->clock), drain_ms);
	for (int i = 0; i < db->server_count; i++)
	{
		kn_status drained = kn__pool_drain(db->servers[i].pool, deadline);

		if (status == KN_OK)
			status = drained;
	}
	atomic_store(&db->is_over, true);
	if (status == KN_TIMEOUT)
		kn__ctx_cancel_all(db);
	kn__hedge_stop(db);
	kn__cancels_wait(db->cancels, kn__cond_until(db->clock, deadline));
	(void) pthread_mutex_lock(&db->lock);
	kn__spare_keep_none(db);
	kn__db_unref_locked(db);
	return status;
}

/* What they wait for, they need not any more. */
static void
stop_threads(const kn_db *db)
{
	int before = errno;

	if (db->stop[1] >= 0 && write(db->stop[1], "", 1) < 0)
		errno = before;
}

static void
close_stop(kn_db *db)
{
	for (int i = 0; i < 2; i++)
	{
		if (db->stop[i] >= 0)
			(void) close(db->stop[i]);
		if (db->haste[i] >= 0)
			(void) close(db->haste[i]);
		db->stop[i] = db->haste[i] = -1;
	}
}

/* One context less, or the handle itself: the last one frees it all.  Gives the lock back. */
void
kn__db_unref_locked(kn_db *db)
{
	bool is_last = --db->contexts == 0;

	(void) pthread_mutex_unlock(&db->lock);
	if (is_last)
		destroy(db);
}

static void
destroy(kn_db *db)
{
	kn__spare_free_all(db);
	stop_threads(db);
	kn__hedge_free(db);
	for (int i = 0; i < db->server_count; i++)
	{
		kn__pool_free(db->servers[i].pool);
		kn__breaker_release(&db->servers[i].breaker);
		kn__memo_free(db->servers[i].shapes);
	}
	kn__cancels_free(db->cancels);
	kn__alarm_free(db->alarm);
	close_stop(db);
	if (db->servers != NULL)
		kn__release(db->allocator,
					db->servers,
					(size_t) db->settings->server_count * sizeof(kn__server));
	kn__link_free_secrets(db);
	kn__memo_free(db->classes);
	kn__known_free(db->known);
	kn__config_free(db->settings);
	(void) pthread_cond_destroy(&db->woken);
	(void) pthread_mutex_destroy(&db->lock);
	kn__release(db->allocator, db, sizeof(kn_db));
}

/* Whether this process was forked from the one that has opened it: the stamp differs in a child. */
bool
kn__db_is_child(const kn_db *db)
{
	return db->stamp != kn__pool_stamp();
}

/* Whether it serves calls; *status says why not. */
bool
kn__db_is_usable(const kn_db *db, kn_status *status)
{
	*status = KN_OK;
	if (KN__UNLIKELY(db->stamp != kn__pool_stamp()))
		*status = KN_FORKED;
	else if (KN__UNLIKELY(atomic_load_explicit(&db->is_closing, memory_order_relaxed)))
		*status = KN_CLOSED;
	return *status == KN_OK;
}

void
kn_reset_pool(kn_db *db)
{
	if (db == NULL || kn__db_is_child(db))
		return;
	for (int i = 0; i < db->server_count; i++)
	{
		kn__pool_renew(db->servers[i].pool);
		kn__route_forget(&db->servers[i]);
	}
	/* All are looked at anew, in the light of that. */
	kn__route_doubt(&db->servers[0], KN_CONN_LOST);
}

int
kn_server_count(const kn_db *db)
{
	return db == NULL ? 0 : db->server_count;
}

kn_status
kn_get_stats(const kn_db *db, int server, kn_stats *out)
{
	kn__server *of;
	kn_stats stats;
	size_t size;

	if (db == NULL || out == NULL || out->size < sizeof(out->size) || server < 0 ||
		server >= db->server_count)
		return KN_USAGE;
	of = &db->servers[server];
	memset(&stats, 0, sizeof(stats));
	kn__pool_stats(of->pool, &stats);
	stats.errors = atomic_load(&of->errors);
	stats.retries = atomic_load(&of->retries);
	stats.retries_denied = atomic_load(&of->retries_denied);
	stats.hedges = atomic_load(&of->hedges);
	stats.hedges_won = atomic_load(&of->hedges_won);
	stats.breaker = atomic_load(&of->breaker.state);
	stats.breaker_refused = atomic_load(&of->refused);
	stats.breaker_opened = atomic_load(&of->breaker.openings);
	stats.lag_us = atomic_load(&of->lag_us);
	stats.is_primary = atomic_load(&of->is_primary);
	stats.host = of->host;
	/* A program that was built with an older header has a shorter struct. */
	size = out->size < sizeof(stats) ? out->size : sizeof(stats);
	stats.size = out->size;
	memcpy(out, &stats, size);
	return KN_OK;
}

size_t
kn_dump_pool(const kn_db *db, char *buffer, size_t capacity)
{
	size_t length = 0;

	if (buffer != NULL && capacity > 0)
		*buffer = '\0';
	for (int i = 0; db != NULL && i < db->server_count; i++)
		length += kn__pool_dump(db->servers[i].pool,
								length < capacity ? buffer + length : NULL,
								length < capacity ? capacity - length : 0);
	return length;
}
