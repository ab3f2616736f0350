/*
 * hosts.c
 *		Several hosts in one conninfo, of which some may say nothing.
 *
 * libpq knows in which order to ask them and which of them will do, and goes on to the next where
 * one refuses.  But one that says nothing it waits for, however long: its connect_timeout counts
 * only where one waits inside of it.  So each has a share of the time, and where that is over all
 * begins again without the one that was silent.  Those before it have refused, and do so again.
 *
 * A host has one share, however many addresses its name has.
 */
#include "wire/hosts.h"

#include <string.h>

#include "wire/conninfo.h"

enum
{
	NAME,
	ADDRESS,
	PORT,
	LISTS
};

static const char *const list_keywords[LISTS] = { "host", "hostaddr", "port" };

/* One of them, as it was said; "" is nothing. */
struct kn__host
{
	const char *said[LISTS];
};

static void learn(kn__hosts *hosts, PGconn *pg);
static int find(const kn__hosts *hosts, const PGconn *pg);
static const char *join(kn__hosts *hosts, int which);

bool
kn__hosts_init(kn__hosts *hosts, const kn_allocator *allocator, const char *const *keywords,
			   const char *const *values)
{
	size_t most = LISTS + 1;

	*hosts = (kn__hosts){ .at = -1 };
	kn__arena_init(&hosts->arena, allocator);
	while (keywords[hosts->said] != NULL)
		hosts->said++;
	most += (size_t) hosts->said;
	hosts->keywords = kn__arena_get_zero(&hosts->arena, most, sizeof(char *));
	hosts->values = kn__arena_get_zero(&hosts->arena, most, sizeof(char *));
	if (hosts->arena.has_failed)
		return false;
	memcpy(hosts->keywords, keywords, (size_t) hosts->said * sizeof(char *));
	memcpy(hosts->values, values, (size_t) hosts->said * sizeof(char *));
	return true;
}

void
kn__hosts_release(kn__hosts *hosts)
{
	kn__arena_release(&hosts->arena);
}

PGconn *
kn__hosts_start(kn__hosts *hosts)
{
	PGconn *pg = PQconnectStartParams(hosts->keywords, hosts->values, 0);

	if (hosts->list == NULL && pg != NULL && PQstatus(pg) != CONNECTION_BAD)
		learn(hosts, pg);
	hosts->at = -1;
	hosts->until = 0;
	hosts->visits = hosts->count * hosts->passes + 1;
	return pg;
}

/* What libpq goes by, wherever it was said; "" is nothing. */
static const char *
value_of(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
	{
		if (strcmp(options->keyword, keyword) == 0)
			return options->val == NULL ? "" : options->val;
	}
	return "";
}

static bool
is_value(const PQconninfoOption *options, const char *keyword, const char *value)
{
	return options != NULL && strcmp(value_of(options, keyword), value) == 0;
}

static int
count_of(const char *list)
{
	int count = 1;

	for (; *list != '\0'; list++)
		count += *list == ',' ? 1 : 0;
	return count;
}

/* A copy of the n-th; where there are fewer, there is one for all. */
static const char *
nth_of(kn__arena *arena, const char *list, int n)
{
	for (const char *comma; n > 0 && (comma = strchr(list, ',')) != NULL; n--)
		list = comma + 1;
	return kn__arena_copy(arena, list, strcspn(list, ","));
}

/* Where there is no memory for it there is no list, and the first has all of the time. */
static void
learn(kn__hosts *hosts, PGconn *pg)
{
	PQconninfoOption *options = PQconninfo(pg);
	int count = 0;

	for (int which = 0; options != NULL && which < LISTS; which++)
	{
		const char *list = value_of(options, list_keywords[which]);

		hosts->is_said[which] = *list != '\0';
		if (count_of(list) > count)
			count = count_of(list);
	}
	if (count > 1)
		hosts->list = kn__arena_get_zero(&hosts->arena, (size_t) count, sizeof(kn__host));
	for (int i = 0; hosts->list != NULL && i < count * LISTS; i++)
		hosts->list[i / LISTS].said[i % LISTS] =
			nth_of(&hosts->arena, value_of(options, list_keywords[i % LISTS]), i / LISTS);
	if (hosts->list != NULL && !hosts->arena.has_failed)
		hosts->count = count;
	/* For a standby first, and then it takes any of them. */
	hosts->passes = is_value(options, "target_session_attrs", "prefer-standby") ? 2 : 1;
	hosts->is_shuffled = is_value(options, "load_balance_hosts", "random");
	kn__conninfo_free(options);
}

/* How many have been asked, one by one or while nobody looked. */
static int
steps_to(const kn__hosts *hosts, int at)
{
	if (hosts->is_shuffled || at < 0)
		return 1;
	return at > hosts->at ? at - hosts->at : at - hosts->at + hosts->count;
}

int64_t
kn__hosts_until(kn__hosts *hosts, const PGconn *pg, int64_t now, int64_t deadline)
{
	int at;

	if (hosts->count < 2 || deadline == KN__NEVER)
		return deadline;
	at = find(hosts, pg);
	if (hosts->until != 0 && at == hosts->at)
		return hosts->until;
	hosts->visits -= steps_to(hosts, at);
	if (hosts->visits < 1)
		hosts->visits = 1;
	hosts->at = at;
	hosts->until = deadline > now ? now + (deadline - now) / hosts->visits : deadline;
	return hosts->until;
}

static bool
is_same(const char *one, const char *other)
{
	return one != NULL && other != NULL && strcmp(one, other) == 0;
}

/* How well it fits where libpq is, 0: not at all.  Of what was not said libpq has a default. */
static int
fit_of(const kn__host *host, const PGconn *pg)
{
	const char *name = *host->said[NAME] != '\0' ? host->said[NAME] : host->said[ADDRESS];
	bool has_name = *name != '\0';

	if (has_name && !is_same(name, PQhost(pg)))
		return 0;
	if (*host->said[PORT] != '\0' && !is_same(host->said[PORT], PQport(pg)))
		return 0;
	/* An address can be spelled in several ways, and libpq has its own. */
	return 1 + (has_name ? 1 : 0) + (is_same(host->said[ADDRESS], PQhostaddr(pg)) ? 1 : 0);
}

/* The one that libpq is at.  Where two look the same, it does not matter which. */
static int
find(const kn__hosts *hosts, const PGconn *pg)
{
	int found = -1;
	int best = 0;

	for (int i = 0; i < hosts->count; i++)
	{
		int fit = fit_of(&hosts->list[i], pg);

		if (fit > best)
			found = i;
		best = fit > best ? fit : best;
	}
	return found;
}

/* What was written, in the arena; NULL: no memory. */
static const char *
keep(kn__arena *arena, kn__buf *text)
{
	const char *kept = text->has_failed ? NULL : kn__arena_copy(arena, text->data, text->length);

	arena->has_failed |= text->has_failed;
	kn__buf_release(text);
	return kept;
}

static const char *
tell(kn__hosts *hosts, const kn__host *silent)
{
	const char *name = *silent->said[NAME] != '\0' ? silent->said[NAME] : silent->said[ADDRESS];
	const char *told;
	kn__buf text;

	kn__buf_init(&text, hosts->arena.allocator, SIZE_MAX / 2);
	if (hosts->silent != NULL)
		kn__buf_printf(&text, "%s, ", hosts->silent);
	kn__buf_printf(&text, "server \"%s\" did not answer in its share of the time", name);
	told = keep(&hosts->arena, &text);
	return told == NULL ? hosts->silent : told;
}

bool
kn__hosts_drop(kn__hosts *hosts)
{
	int said = hosts->said;

	if (hosts->count < 2 || hosts->at < 0)
		return false;
	hosts->silent = tell(hosts, &hosts->list[hosts->at]);
	hosts->count--;
	memmove(&hosts->list[hosts->at],
			&hosts->list[hosts->at + 1],
			(size_t) (hosts->count - hosts->at) * sizeof(kn__host));
	for (int which = 0; which < LISTS; which++)
	{
		const char *list = join(hosts, which);

		if (list == NULL)
			continue;
		hosts->keywords[said] = list_keywords[which];
		hosts->values[said++] = list;
	}
	return !hosts->arena.has_failed;
}

/*
 * A list of what is said of each that is left; NULL: nothing was ever said.  libpq takes an empty
 * text for nothing said, and would look elsewhere; so one that is alone stands there twice.
 */
static const char *
join(kn__hosts *hosts, int which)
{
	int times = hosts->count == 1 ? 2 : hosts->count;
	kn__buf text;

	if (!hosts->is_said[which])
		return NULL;
	kn__buf_init(&text, hosts->arena.allocator, SIZE_MAX / 2);
	for (int i = 0; i < times; i++)
	{
		kn__buf_text(&text, i == 0 ? "" : ",");
		kn__buf_text(&text, hosts->list[i % hosts->count].said[which]);
	}
	return keep(&hosts->arena, &text);
}
