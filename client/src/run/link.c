/*
 * link.c
 *		Connections as the pool has them: how they are opened, looked at and closed.
 */
#include "run/config.h"
#include "run/secret.h"
#include "run/tell.h"

#include <string.h>

static kn_status open_link(void *user, int64_t deadline, kn__member **out, kn__fault *fault);
static kn_status meet_replica(kn__link *link, const kn__wait *wait, kn__fault *fault);
static void close_link(void *user, kn__member *member);
static KN__HOT bool is_alive(void *user, kn__member *member);
static bool keep_alive(void *user, kn__member *member, int64_t deadline);
static void forget_link(void *user, kn__member *member);
static const char *where(void *user);
static bool lingers(void *user, kn__member *member);
static bool has_ended(void *user, kn__member *member, int64_t deadline);
static bool is_untidy(void *user, kn__member *member);
static kn_status connect_link(kn__link *link, const kn__wait *wait, const int *wake,
							  uint64_t *version, kn__fault *fault);
static kn_status find_pooler(kn__link *link, const kn__wait *wait, kn__fault *fault);
static kn_status ask_backend(kn__link *link, const kn__wait *wait, int *backend, kn__fault *fault);

/*
 * One that does nothing may not have read what it is to do.  It is not long until it has, or sees
 * that nobody is there: by then, what still does nothing has lost touch with us in another way.
 */
#define UNREAD_MS 2000

/* One's own sessions everybody may see. */
static const char x_active[] =
	"SELECT pg_catalog.count(*)"
	"  FROM pg_catalog.pg_stat_activity"
	" WHERE pid = $1 AND (state = 'active' OR $2)";

const kn__driver kn__link_driver = {
	.open = open_link,
	.close = close_link,
	.is_alive = is_alive,
	.keep_alive = keep_alive,
	.forget = forget_link,
	.report = kn__tell_pool,
	.where = where,
	.lingers = lingers,
	.has_ended = has_ended,
	.is_untidy = is_untidy,
};

static kn_status
open_link(void *user, int64_t deadline, kn__member **out, kn__fault *fault)
{
	kn__link *link;
	kn__wait wait = kn__own_wait(((const kn__server *) user)->db, deadline);
	kn_status status = kn__link_open(user, &wait, NULL, &link, fault);

	if (status == KN_OK && link != NULL)
	{
		status = meet_replica(link, &wait, fault);
		if (status != KN_OK)
		{
			kn__link_close(link);
			link = NULL;
		}
	}
	*out = link == NULL ? NULL : &link->member;
	/* Who waits for it may have to go elsewhere, and says nothing of it for as long as he waits. */
	if ((status == KN_CONN_LOST || status == KN_UNAVAILABLE) && !fault->is_ours)
		kn__route_doubt(user, status);
	return status;
}

/* Looks what a replica has, on a new connection before anybody has it. */
static kn_status
meet_replica(kn__link *link, const kn__wait *wait, kn__fault *fault)
{
	static const char sql[] =
		"SELECT (pg_catalog.pg_last_wal_replay_lsn()"
		" - '0/0'::pg_catalog.pg_lsn)::bigint";
	kn__server *server = link->server;
	uint64_t before = atomic_load(&server->replayed);
	kn__item item = kn__run_plain(sql);
	kn__outcome outcome;
	kn_value value = kn_null();
	const char *why;
	kn_status status;

	if (before == 0 || !kn__route_may_be_standby(link))
		return KN_OK;
	item.wants_rows = true;
	status = kn__flight(link->conn, &item, 1, wait, &outcome, fault);
	if (status == KN_OK)
		status = kn__result_value(item.result, 0, 0, NULL, NULL, &value, &why);
	kn__result_free(item.result);
	if (status == KN_OK && value.type != KN_TYPE_NULL && (uint64_t) value.as.i < before)
		kn__route_set_back(server, (uint64_t) value.as.i);
	return status;
}

/* Opens a connection that no pool knows of, or not yet.  *out is NULL unless it returns KN_OK. */
kn_status
kn__link_open(kn__server *server, const kn__wait *wait, const int *wake, kn__link **out,
			  kn__fault *fault)
{
	kn_db *db = server->db;
	kn__link *link = kn__allocate_zero(db->allocator, 1, sizeof(kn__link));
	uint64_t version = 0;
	kn_status status;

	*out = NULL;
	if (link == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	link->server = server;
	status = connect_link(link, wait, wake, &version, fault);
	/* The password may have been changed since it was asked for: once more with the new one. */
	if (status == KN_AUTH && fault->is_refused &&
		kn__secret_refused(server->secret,
						   kn__now(db->clock),
						   kn__cond_until(db->clock, wait->deadline),
						   version,
						   fault))
		status = connect_link(link, wait, wake, &version, fault);
	if (status == KN_OK)
		status = find_pooler(link, wait, fault);
	if (status != KN_OK)
	{
		kn__link_close(link);
		return status;
	}
	*out = link;
	return KN_OK;
}

static kn_status
connect_link(kn__link *link, const kn__wait *wait, const int *wake, uint64_t *version,
			 kn__fault *fault)
{
	kn__server *server = link->server;
	kn_db *db = server->db;
	size_t count = (size_t) server->place->count;
	size_t room = server->secret->ask == NULL ? 1 : KN__SECRET_LIMIT;
	size_t size = 2 * (count + 2) * sizeof(char *) + room;
	const char **keywords = kn__allocate_zero(db->allocator, 1, size);
	const char **values = keywords + count + 2;
	char *password = (char *) (values + count + 2);
	kn__conn_options options = {
		.keywords = keywords,
		.values = values,
		.allocator = db->allocator,
		.clock = db->clock,
		.shapes = server->shapes,
		.known = db->known,
		.cache_count = db->config.statement_cache,
		.cache_bytes = db->config.statement_cache_bytes,
		.prepare_after = db->config.prepare_after,
		.cancel_ns = db->config.cancel_ms < 0 ? KN__LONG : db->config.cancel_ms * KN__NS_PER_MS,
		.cancels = db->cancels,
		.alarm = db->alarm,
		.wake = wake,
		.notice = kn__tell_notice,
		.user = server,
	};
	kn_status status = KN_OK;

	if (keywords == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	memcpy(keywords, server->place->keywords, count * sizeof(char *));
	memcpy(values, server->place->values, count * sizeof(char *));
	if (server->secret->ask != NULL)
	{
		status = kn__secret_get(server->secret,
								kn__now(db->clock),
								kn__cond_until(db->clock, wait->deadline),
								password,
								version,
								fault);
		keywords[count] = "password";
		values[count] = password;
	}
	if (status == KN_OK)
		status = kn__conn_open(&link->conn, &options, wait, fault);
	kn__wipe(password, room);
	kn__release(db->allocator, keywords, size);
	return status;
}

kn_status
kn__link_init_secrets(kn_db *db)
{
	const kn_config *config = &db->config;
	size_t count = (size_t) db->settings->server_count + 1;

	db->secrets = kn__allocate_zero(db->allocator, count, sizeof(kn__secret));
	for (size_t i = 0; db->secrets != NULL && i < count; i++)
	{
		const kn__place *place =
			i + 1 < count ? &db->settings->servers[i] : db->settings->listening;
		kn_secret_request about = { .name = config->name };

		if (place == NULL)
			break;
		about.host = place->host;
		about.port = place->port;
		about.database = place->database;
		about.user = place->user;
		if (kn__secret_init(&db->secrets[i],
							config->secret,
							config->secret_user,
							&about,
							config->secret_ms,
							db->allocator) != KN_OK)
			return KN_NO_MEMORY;
	}
	return db->secrets == NULL ? KN_NO_MEMORY : KN_OK;
}

void
kn__link_free_secrets(kn_db *db)
{
	size_t count;

	if (db->secrets == NULL)
		return;
	count = (size_t) db->settings->server_count + 1;
	for (size_t i = 0; i < count; i++)
	{
		if (db->secrets[i].value != NULL)
			kn__secret_release(&db->secrets[i]);
	}
	kn__release(db->allocator, db->secrets, count * sizeof(kn__secret));
}

/*
 * A pooler gives each session a process number of its own making.  One that hands
 * transactions to several backends knows nothing of statements prepared before.  Each connection
 * is asked: what a name led to before says nothing of where it leads by now.
 */
static kn_status
find_pooler(kn__link *link, const kn__wait *wait, kn__fault *fault)
{
	int backend = kn__conn_pid(link->conn);
	kn_status status = KN_OK;

	if (link->server->pooler == KN_AUTOMATIC)
		status = ask_backend(link, wait, &backend, fault);
	link->is_pooled = link->server->pooler == KN_ON || backend != kn__conn_pid(link->conn);
	if (link->is_pooled)
		kn__conn_never_prepare(link->conn);
	return status;
}

/* The process that a statement goes to, as it says itself. */
static kn_status
ask_backend(kn__link *link, const kn__wait *wait, int *backend, kn__fault *fault)
{
	kn__item item = { .sql = "SELECT pg_catalog.pg_backend_pid()",
					  .never_prepare = true,
					  .wants_rows = true,
					  .is_atomic = true };
	kn__outcome outcome;
	kn_value value;
	const char *why;
	kn_status status;

	item.length = strlen(item.sql);
	item.hash = kn__hash(item.sql, item.length, 0);
	status = kn__flight(link->conn, &item, 1, wait, &outcome, fault);
	if (status == KN_OK && kn__result_value(item.result, 0, 0, NULL, NULL, &value, &why) == KN_OK)
		*backend = (int) value.as.i;
	kn__result_free(item.result);
	return status;
}

void
kn__link_close(kn__link *link)
{
	const kn_allocator *allocator = link->server->db->allocator;

	kn__conn_close(link->conn);
	kn__release(allocator, link, sizeof(kn__link));
}

static void
close_link(void *user, kn__member *member)
{
	(void) user;
	kn__link_close((kn__link *) (void *) member);
}

static bool
is_alive(void *user, kn__member *member)
{
	(void) user;
	return kn__conn_is_alive(((kn__link *) (void *) member)->conn);
}

static bool
keep_alive(void *user, kn__member *member, int64_t deadline)
{
	kn__wait wait = kn__own_wait(((const kn__server *) user)->db, deadline);
	kn__item item = { .sql = "", .never_prepare = true, .is_atomic = true };
	kn__outcome outcome;
	kn__fault fault;

	kn__fault_clear(&fault);
	return kn__flight(((kn__link *) (void *) member)->conn, &item, 1, &wait, &outcome, &fault) ==
		   KN_OK;
}

static void
forget_link(void *user, kn__member *member)
{
	kn__link *link = (kn__link *) (void *) member;
	const kn_allocator *allocator = link->server->db->allocator;

	(void) user;
	kn__conn_forget(link->conn);
	kn__release(allocator, link, sizeof(kn__link));
}

static const char *
where(void *user)
{
	return ((const kn__server *) user)->host;
}

/*
 * Whether the server goes on with a statement that it was told to end, though nobody listens any
 * more.  Behind a pooler nobody knows which of the server's processes that would be.
 */
static bool
lingers(void *user, kn__member *member)
{
	kn__link *link = (kn__link *) (void *) member;

	(void) user;
	if (!kn__conn_is_deaf(link->conn) || link->is_pooled)
		return false;
	link->pid = kn__conn_pid(link->conn);
	kn__conn_close(link->conn);
	link->conn = NULL;
	return true;
}

/* Asks the server, by a connection of its own; false: it goes on, or could not be asked. */
static bool
has_ended(void *user, kn__member *member, int64_t deadline)
{
	kn__server *server = user;
	kn__wait wait = kn__own_wait(server->db, deadline);
	int64_t read_by = kn__after(member->idle_since, UNREAD_MS);
	kn_value values[] = { kn_i32(((kn__link *) (void *) member)->pid),
						  kn_bool(kn__now(server->db->clock) < read_by) };
	kn__item item = { .sql = x_active,
					  .length = sizeof(x_active) - 1,
					  .hash = kn__hash(x_active, sizeof(x_active) - 1, 0),
					  .values = values,
					  .count = 2,
					  .never_prepare = true,
					  .wants_rows = true,
					  .is_atomic = true };
	kn__link *asker = NULL;
	kn__outcome outcome;
	kn__fault fault;
	kn_value value;
	const char *why;
	bool has_ended = false;

	kn__fault_clear(&fault);
	if (kn__link_open(server, &wait, NULL, &asker, &fault) != KN_OK || asker == NULL)
		return false;
	if (kn__flight(asker->conn, &item, 1, &wait, &outcome, &fault) == KN_OK &&
		kn__result_value(item.result, 0, 0, NULL, NULL, &value, &why) == KN_OK)
		has_ended = value.as.i == 0;
	kn__result_free(item.result);
	kn__link_close(asker);
	return has_ended;
}

/* What somebody's function has left in its session is undone soon. */
void
kn__link_give(kn__link *link, bool is_clean, int64_t now)
{
	kn__pool *pool = link->server->pool;
	bool is_touched = is_clean && kn__conn_is_touched(link->conn);

	kn__pool_give_at(pool, &link->member, is_clean ? KN__GIVE_CLEAN : KN__GIVE_BROKEN, now);
	if (KN__UNLIKELY(is_touched))
		kn__pool_tidy(pool);
}

static bool
is_untidy(void *user, kn__member *member)
{
	(void) user;
	return kn__conn_is_touched(((kn__link *) (void *) member)->conn);
}
