/*
 * prometheus.c
 *		The figures of servers in Prometheus' text format.
 *
 * A family is announced once and then has a sample for each server of each handle, as the
 * format wants it; names end in _total, _seconds and so on, as is the custom there.  Figures of a
 * handle that is in use do not belong to one moment: so the count of the histogram
 * is the sum of its buckets, and never contradicts them.
 */
#include "kints/observe.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/base.h"

#define BUCKETS 32

typedef struct page
{
	kn__buf text;
	const kn_prometheus_handle *handles;
	int count;
} page;

/* Where one is among the servers of a page: zeroed, and then for next_server(). */
typedef struct place
{
	int handle;
	int next; /* server of the handle */
	int server;
	const char *name;
	kn_stats stats; /* as far as the program's struct has them */
	size_t size;    /* of that */
} place;

#define HAS(place, field) \
	((place)->size >= offsetof(kn_stats, field) + sizeof((place)->stats.field))

/* The next server of all, and its figures; false: there is none. */
static bool
next_server(const page *p, place *at)
{
	for (; at->handle < p->count; at->handle++, at->next = 0)
	{
		const kn_prometheus_handle *handle = &p->handles[at->handle];
		const char *stats = (const char *) handle->stats;

		if (stats == NULL || at->next >= handle->count)
			continue;
		at->size = handle->stats->size;
		if (at->size < offsetof(kn_stats, total))
			continue;
		memset(&at->stats, 0, sizeof(at->stats));
		memcpy(&at->stats,
			   stats + (size_t) at->next * at->size,
			   at->size < sizeof(at->stats) ? at->size : sizeof(at->stats));
		at->name = handle->name;
		at->server = at->next++;
		return true;
	}
	return false;
}

static void
add_label(kn__buf *out, const char *name, const char *value)
{
	size_t left = value == NULL ? 0 : strlen(value);
	size_t length;

	kn__buf_printf(out, "%s=\"", name);
	for (const char *p = value; left > 0; p += length, left -= length)
	{
		length = kn__utf8_length(p, left);
		if (*p == '\n')
			kn__buf_text(out, "\\n");
		else if (*p == '"' || *p == '\\')
			kn__buf_printf(out, "\\%c", *p);
		else if (length > 0)
			kn__buf_add(out, p, length);
		else
		{
			kn__buf_text(out, KN__UTF8_REPLACEMENT);
			length = 1;
		}
	}
	kn__buf_text(out, "\"");
}

/*
 * The beginning of a sample: its name, and the labels that all have; one more may follow.  None of
 * them is what a server is at the moment: then its counters would begin anew with each change.
 */
static void
begin_sample(page *p, const char *name, const place *at)
{
	kn__buf_printf(&p->text, "kints_%s{", name);
	add_label(&p->text, "name", at->name);
	kn__buf_printf(&p->text, ",server=\"%d\",", at->server);
	add_label(&p->text, "host", at->stats.host);
}

static void
begin_family(page *p, const char *name, const char *type, const char *help)
{
	kn__buf_printf(&p->text, "# HELP kints_%s %s\n# TYPE kints_%s %s\n", name, help, name, type);
}

/* Families of one sample a server: X(name, type, field, help). */
#define FAMILIES(X)                                                                                \
	X("primary", "gauge", is_primary, "1: it was the primary when it was looked at last.")         \
	X("connections_max", "gauge", max, "Connections that there may be.")                           \
	X("waiting", "gauge", waiting, "Callers that wait for a connection.")                          \
	X("connections_lingering", "gauge", lingering, "Closed, and the server has not ended them.")   \
	X("acquires_total", "counter", acquires, "Connections handed out.")                            \
	X("acquire_timeouts_total", "counter", timeouts, "Callers that got none in time.")             \
	X("acquires_refused_total", "counter", refused, "Callers that got none, for too many wait.")   \
	X("connections_opened_total", "counter", opened, "Connections opened.")                        \
	X("connections_failed_total",                                                                  \
	  "counter",                                                                                   \
	  failed_to_open,                                                                              \
	  "Connections that could not be opened.")                                                     \
	X("leaks_total", "counter", leaks, "Connections that were held for too long.")                 \
	X("queries_total", "counter", queries, "Calls that went to the server.")                       \
	X("errors_total", "counter", errors, "Calls that failed.")                                     \
	X("retries_total", "counter", retries, "Calls that were repeated.")                            \
	X("retries_denied_total", "counter", retries_denied, "Repeats that the budget did not allow.") \
	X("hedges_total", "counter", hedges, "Reads that came because another server was slow.")       \
	X("hedges_won_total", "counter", hedges_won, "Of these, where the answer came first.")         \
	X("breaker_refused_total",                                                                     \
	  "counter",                                                                                   \
	  breaker_refused,                                                                             \
	  "Attempts that the circuit breaker sent away.")                                              \
	X("breaker_opened_total", "counter", breaker_opened, "How often the circuit breaker opened.")

static void
add_families(page *p)
{
#define X(name, type, field, help)                                              \
	begin_family(p, name, type, help);                                          \
	for (place at = { 0 }; next_server(p, &at);)                                \
	{                                                                           \
		if (!HAS(&at, field))                                                   \
			continue;                                                           \
		begin_sample(p, name, &at);                                             \
		kn__buf_printf(&p->text, "} %" PRIu64 "\n", (uint64_t) at.stats.field); \
	}
	FAMILIES(X)
#undef X
}

/* A family whose samples differ in one more label. */
static void
add_labelled(page *p, const char *name, const place *at, const char *label, const char *value,
			 uint64_t number)
{
	begin_sample(p, name, at);
	kn__buf_printf(&p->text, ",%s=\"%s\"} %" PRIu64 "\n", label, value, number);
}

static void
add_states(page *p)
{
	begin_family(p, "connections", "gauge", "Connections that there are.");
	for (place at = { 0 }; next_server(p, &at);)
	{
		add_labelled(p, "connections", &at, "state", "idle", (uint64_t) at.stats.idle);
		add_labelled(p, "connections", &at, "state", "busy", (uint64_t) at.stats.busy);
		add_labelled(p, "connections", &at, "state", "opening", (uint64_t) at.stats.opening);
	}
	begin_family(p, "connections_closed_total", "counter", "Connections closed.");
	for (place at = { 0 }; next_server(p, &at);)
	{
		const char *name = "connections_closed_total";

		add_labelled(p, name, &at, "reason", "idle", at.stats.closed_idle);
		add_labelled(p, name, &at, "reason", "old", at.stats.closed_old);
		add_labelled(p, name, &at, "reason", "broken", at.stats.closed_broken);
	}
	begin_family(p, "breaker_state", "gauge", "1 for the state that the circuit breaker is in.");
	for (place at = { 0 }; next_server(p, &at);)
	{
		for (int state = KN_BREAKER_CLOSED; state <= KN_BREAKER_HALF_OPEN; state++)
			add_labelled(p,
						 "breaker_state",
						 &at,
						 "state",
						 kn_breaker_state_name(state),
						 at.stats.breaker == state ? 1 : 0);
	}
}

/* Nanoseconds as seconds, exactly, and with a point in any locale. */
static void
add_seconds(kn__buf *out, uint64_t ns)
{
	kn__buf_printf(out,
				   "%" PRIu64 ".%09" PRIu64,
				   ns / (uint64_t) KN__NS_PER_S,
				   ns % (uint64_t) KN__NS_PER_S);
}

static void
add_durations(page *p)
{
	static const struct
	{
		const char *name;
		const char *help;
		size_t at;
	} families[] = {
		{ "connections_busy_seconds_total",
		  "That connections were in use.",
		  offsetof(kn_stats, busy_ns) },
		{ "connections_opening_seconds_total",
		  "That it took to open connections.",
		  offsetof(kn_stats, open_ns) },
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
	{
		begin_family(p, families[i].name, "counter", families[i].help);
		for (place at = { 0 }; next_server(p, &at);)
		{
			uint64_t ns;

			if (at.size < families[i].at + sizeof(ns))
				continue;
			memcpy(&ns, (const char *) &at.stats + families[i].at, sizeof(ns));
			begin_sample(p, families[i].name, &at);
			kn__buf_text(&p->text, "} ");
			add_seconds(&p->text, ns);
			kn__buf_text(&p->text, "\n");
		}
	}
}

static void
add_lag(page *p)
{
	begin_family(p,
				 "replica_lag_seconds",
				 "gauge",
				 "How far a replica is behind, where it is known.");
	for (place at = { 0 }; next_server(p, &at);)
	{
		if (at.stats.lag_us < 0)
			continue;
		begin_sample(p, "replica_lag_seconds", &at);
		kn__buf_text(&p->text, "} ");
		add_seconds(&p->text, (uint64_t) at.stats.lag_us * 1000);
		kn__buf_text(&p->text, "\n");
	}
}

/* Buckets add up in this format; the last one has no upper bound. */
static void
add_waits(page *p)
{
	begin_family(p,
				 "acquire_wait_seconds",
				 "histogram",
				 "How long callers waited for the connection that they got, if they did.");
	for (place at = { 0 }; next_server(p, &at);)
	{
		uint64_t count = 0;

		for (int bucket = 0; bucket < BUCKETS; bucket++)
		{
			count += at.stats.wait_histogram[bucket];
			begin_sample(p, "acquire_wait_seconds_bucket", &at);
			kn__buf_text(&p->text, ",le=\"");
			if (bucket == BUCKETS - 1)
				kn__buf_text(&p->text, "+Inf");
			else
				add_seconds(&p->text, (UINT64_C(1) << bucket) * 1000);
			kn__buf_printf(&p->text, "\"} %" PRIu64 "\n", count);
		}
		begin_sample(p, "acquire_wait_seconds_sum", &at);
		kn__buf_text(&p->text, "} ");
		add_seconds(&p->text, at.stats.wait_ns);
		kn__buf_text(&p->text, "\n");
		begin_sample(p, "acquire_wait_seconds_count", &at);
		kn__buf_printf(&p->text, "} %" PRIu64 "\n", count);
	}
}

size_t
kn_prometheus_page(const kn_prometheus_handle *handles, int count, char *buffer, size_t capacity)
{
	page p = { .handles = handles, .count = handles == NULL ? 0 : count };
	size_t length;

	kn__buf_init(&p.text, NULL, SIZE_MAX / 2);
	add_states(&p);
	add_families(&p);
	add_durations(&p);
	add_lag(&p);
	add_waits(&p);
	length = kn__buf_copy_out(&p.text, buffer, capacity);
	kn__buf_release(&p.text);
	return length;
}

size_t
kn_prometheus(const char *name, const kn_stats *stats, int count, char *buffer, size_t capacity)
{
	const kn_prometheus_handle handle = { .name = name, .stats = stats, .count = count };

	return kn_prometheus_page(&handle, 1, buffer, capacity);
}
