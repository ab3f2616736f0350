/*
 * json_log.c
 *		Events as lines of JSON.
 *
 * A line is made as a whole and then written by one write(), past the buffer of the
 * FILE, which is flushed first; the FILE is locked meanwhile.  JSON is UTF-8: of text
 * that is not, each byte that does not fit becomes the replacement character.
 */
#include "kints/observe.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run/observe.h"

#define MAX_NESTING 8

static void
add_escaped(kn__buf *out, unsigned char c)
{
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (size_t i = 0; i < sizeof(letters) - 1; i += 2)
	{
		if ((unsigned char) letters[i] == c)
		{
			const char escape[2] = { '\\', letters[i + 1] };

			kn__buf_add(out, escape, 2);
			return;
		}
	}
	kn__buf_printf(out, "\\u%04x", c);
}

static void
add_string(kn__buf *out, const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *) text;

	kn__buf_text(out, "\"");
	for (size_t i = 0; i < n;)
	{
		size_t plain = i;
		size_t length;

		while (plain < n && p[plain] >= 0x20 && p[plain] < 0x7F && p[plain] != '"' &&
			   p[plain] != '\\')
			plain++;
		kn__buf_add(out, text + i, plain - i);
		i = plain;
		if (i == n)
			break;
		length = kn__utf8_length(text + i, n - i);
		if (length == 0)
			kn__buf_text(out, KN__UTF8_REPLACEMENT);
		else if (length == 1)
			add_escaped(out, p[i]);
		else
			kn__buf_add(out, text + i, length);
		i += length == 0 ? 1 : length;
	}
	kn__buf_text(out, "\"");
}

/* The shortest of two forms that comes back as the same number; its point is one in any locale. */
static void
add_double(kn__buf *out, double value, bool is_single)
{
	char text[40];

	if (!isfinite(value))
	{
		kn__buf_text(out, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
		return;
	}
	(void) snprintf(text, sizeof(text), "%.*g", is_single ? 6 : 15, value);
	if (is_single ? strtof(text, NULL) != (float) value : strtod(text, NULL) != value)
		(void) snprintf(text, sizeof(text), "%.*g", is_single ? 9 : 17, value);
	for (char *p = text; *p != '\0'; p++)
	{
		if (strchr("0123456789+-e", *p) != NULL)
			kn__buf_add(out, p, 1);
		else if (p == text || strchr("0123456789", p[-1]) != NULL)
			kn__buf_text(out, "."); /* of a longer one the first byte */
	}
}

static void
add_bytes(kn__buf *out, const unsigned char *bytes, size_t n)
{
	kn__buf_text(out, "\"\\\\x");
	for (size_t i = 0; i < n; i++)
		kn__buf_printf(out, "%02x", bytes[i]);
	kn__buf_text(out, "\"");
}

static void
add_uuid(kn__buf *out, const kn_uuid *uuid)
{
	kn__buf_text(out, "\"");
	for (int i = 0; i < 16; i++)
		kn__buf_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid->b[i]);
	kn__buf_text(out, "\"");
}

static void add_array(kn__buf *out, const kn_value *value, int nesting);

static void
add_value(kn__buf *out, const kn_value *value, int nesting)
{
	switch ((kn_type) value->type)
	{
		case KN_TYPE_BOOL:
			kn__buf_text(out, value->as.b ? "true" : "false");
			break;
		case KN_TYPE_I16:
		case KN_TYPE_I32:
		case KN_TYPE_I64:
		case KN_TYPE_DATE:
		case KN_TYPE_TIME:
		case KN_TYPE_TIMESTAMP:
		case KN_TYPE_TIMESTAMPTZ:
			kn__buf_printf(out, "%" PRId64, value->as.i);
			break;
		case KN_TYPE_F32:
		case KN_TYPE_F64:
			add_double(out, value->as.d, value->type == KN_TYPE_F32);
			break;
		case KN_TYPE_TEXT:
		case KN_TYPE_NUMERIC:
		case KN_TYPE_JSON:
		case KN_TYPE_INET:
			add_string(out, value->as.p, value->n);
			break;
		case KN_TYPE_BYTES:
			add_bytes(out, value->as.p, value->n);
			break;
		case KN_TYPE_UUID:
			add_uuid(out, &value->as.uuid);
			break;
		case KN_TYPE_INTERVAL:
			kn__buf_printf(out,
						   "[%" PRId32 ",%" PRId32 ",%" PRId64 "]",
						   value->as.interval.months,
						   value->as.interval.days,
						   value->as.interval.usec);
			break;
		case KN_TYPE_ARRAY:
			add_array(out, value, nesting);
			break;
		default:
			kn__buf_text(out, "null");
			break;
	}
}

/* The elements, however many dimensions they have, as one list. */
static void
add_array(kn__buf *out, const kn_value *value, int nesting)
{
	if (nesting == MAX_NESTING ||
		(value->n > 0 && (value->as.array == NULL || value->as.array->items == NULL)))
	{
		kn__buf_text(out, "null");
		return;
	}
	kn__buf_text(out, "[");
	for (uint32_t i = 0; i < value->n; i++)
	{
		kn__buf_text(out, i > 0 ? "," : "");
		add_value(out, &value->as.array->items[i], nesting + 1);
	}
	kn__buf_text(out, "]");
}

/* As RFC 3339 has it, in UTC. */
static void
add_time(kn__buf *out, int64_t wall_ns)
{
	time_t seconds = (time_t) (wall_ns / KN__NS_PER_S);
	long rest = (long) (wall_ns % KN__NS_PER_S);
	struct tm t;
	char text[40];

	if (rest < 0)
	{
		rest += (long) KN__NS_PER_S;
		seconds--;
	}
	if (gmtime_r(&seconds, &t) == NULL ||
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &t) == 0)
		text[0] = '\0';
	kn__buf_printf(out, "\"%s.%09ldZ\"", text, rest);
}

static void
make_line(kn__buf *out, const kn_event *event)
{
	kn_field field;

	kn__buf_text(out, "{\"time\":");
	add_time(out, event->wall_ns);
	kn__buf_printf(out,
				   ",\"event\":\"%s\",\"db.system.name\":\"postgresql\"",
				   kn_event_name(event->kind));
	for (int at = 0; kn_event_field(event, &at, &field);)
	{
		kn__buf_printf(out, ",\"%s\":", field.attribute);
		if (field.text != NULL)
			add_string(out, field.text, strlen(field.text));
		else
			kn__buf_printf(out, "%" PRId64, field.number);
	}
	if (event->parameter_count > 0)
		kn__buf_printf(out, ",\"kints.parameter_count\":%d", event->parameter_count);
	for (int i = 0; event->parameters != NULL && i < event->parameter_count; i++)
	{
		kn__buf_printf(out, ",\"db.query.parameter.%d\":", i);
		add_value(out, &event->parameters[i], 0);
	}
	kn__buf_text(out, "}\n");
}

/* All of it, and in one go if the system lets us; how much was written. */
static size_t
write_all(int fd, const char *bytes, size_t n)
{
	size_t done = 0;

	while (done < n)
	{
		ssize_t written = write(fd, bytes + done, n - done);

		if (written < 0 && errno != EINTR)
			break;
		done += written > 0 ? (size_t) written : 0;
	}
	return done;
}

/* The file's own lock is one that tools do not know for what it is. */
static _Atomic(bool) *
is_cut(kn_json_log *log)
{
	return (_Atomic(bool) *) &log->is_cut;
}

/* False: not as a whole.  What has been written of it is then a line of its own, and no JSON. */
static bool
write_bytes(kn_json_log *log, const char *bytes, size_t n)
{
	int fd = fileno(log->file);
	size_t done;

	if (fd >= 0)
		done = fflush(log->file) == 0 ? write_all(fd, bytes, n) : 0;
	else
		done = fwrite(bytes, 1, n, log->file);
	if (done > 0)
		atomic_store_explicit(is_cut(log), done < n, memory_order_relaxed);
	return done == n && (fd >= 0 || fflush(log->file) == 0);
}

static void
write_line(void *user, const kn_event *event)
{
	kn_json_log *log = user;
	int before = errno;
	bool is_written = false;
	kn__buf line;

	kn__buf_init(&line, NULL, SIZE_MAX / 2);
	make_line(&line, event);
	flockfile(log->file);
	if (!line.has_failed &&
		(!atomic_load_explicit(is_cut(log), memory_order_relaxed) || write_bytes(log, "\n", 1)))
		is_written = write_bytes(log, line.data, line.length);
	if (!is_written)
		log->lost++;
	funlockfile(log->file);
	kn__buf_release(&line);
	errno = before;
}

void
kn_json_log_init(kn_json_log *log, FILE *file, bool with_queries)
{
	if (log == NULL)
		return;
	*log = (kn_json_log){
		.hooks = { .size = sizeof(kn_hooks),
				   .user = log,
#define X(name, hook, text) .hook = write_line,
				   KN_EVENTS(X)
#undef X
		},
		.file = file,
	};
	if (!with_queries)
		log->hooks.query = NULL;
}

size_t
kn_event_json(const kn_event *event, char *buffer, size_t capacity)
{
	kn__buf line;
	size_t length;

	kn__buf_init(&line, NULL, SIZE_MAX / 2);
	if (event != NULL)
		make_line(&line, event);
	length = kn__buf_copy_out(&line, buffer, capacity);
	kn__buf_release(&line);
	return length;
}
