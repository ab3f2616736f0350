/*
 * conninfo.c
 *		What a conninfo or URI says: our options, and those of libpq.
 *
 * Our options are cut out of the text and what is left is libpq's to parse, so
 * that its rules, whatever they are, hold for all it knows.  A value of ours is
 * handed to libpq as well, as that of an option that takes any text: so quotes
 * and percent signs mean in it what they mean elsewhere.  Where the text is
 * malformed, all from there on is left to libpq, to complain about.
 */
#include "wire/conninfo.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* An option of libpq's whose value can be any text. */
#define ANY_TEXT "application_name"

typedef struct splitter
{
	kn__arena *arena;
	kn__conninfo *out;
	kn__buf rest; /* what is libpq's */
	kn__fault *fault;
	bool is_uri;
	bool has_starved; /* libpq had no memory to look at something */
} splitter;

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Where the part of a URI behind its scheme begins; NULL: it is none. */
static const char *
uri_body(const char *text)
{
	static const char *const schemes[] = { "postgresql://", "postgres://" };

	for (int i = 0; i < 2; i++)
	{
		if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
			return text + strlen(schemes[i]);
	}
	return NULL;
}

/* What libpq gave out, in a list of its own. */
void
kn__conninfo_free(void *list)
{
	PQconninfoOption *options = list;

	for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++)
	{
		if (option->val != NULL)
			kn__wipe(option->val, strlen(option->val));
	}
	PQconninfoFree(options);
}

/* libpq says it in words only; where they are another language's, the conninfo gets the blame. */
static bool
is_no_memory(const char *error)
{
	return error == NULL || strcmp(error, "out of memory\n") == 0;
}

kn_status
kn__conninfo_refused(const char *error, kn__fault *fault)
{
	if (is_no_memory(error))
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	return kn__fail(fault, KN_CONFIG, "%.*s", (int) strcspn(error, "\n"), error);
}

/* What libpq takes a value for, in the arena; NULL: it is malformed, or there is no memory. */
static char *
decode(splitter *s, const char *raw, size_t n)
{
	PQconninfoOption *options = NULL;
	char *value = NULL;
	char *error = NULL;
	kn__buf text;

	kn__buf_init(&text, s->arena->allocator, SIZE_MAX / 2);
	/* At once, so that no copy is left behind where it has grown. */
	(void) kn__buf_room(&text, n + 40);
	kn__buf_text(&text, s->is_uri ? "postgresql://?" ANY_TEXT "=" : ANY_TEXT "=");
	kn__buf_add(&text, raw, n);
	if (!text.has_failed)
		options = PQconninfoParse(text.data, &error);
	s->has_starved |= text.has_failed || (options == NULL && is_no_memory(error));
	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
	{
		if (strcmp(o->keyword, ANY_TEXT) == 0)
			value = kn__arena_copy(s->arena,
								   o->val == NULL ? "" : o->val,
								   o->val == NULL ? 0 : strlen(o->val));
	}
	PQfreemem(error);
	kn__conninfo_free(options);
	if (text.data != NULL)
		kn__wipe(text.data, text.length);
	kn__buf_release(&text);
	return value;
}

/* Whether a keyword is one of ours; in a URI, even if percent signs hide it. */
static bool
is_ours(splitter *s, const char **keyword, size_t *n)
{
	if (s->is_uri && memchr(*keyword, '%', *n) != NULL)
	{
		const char *decoded = decode(s, *keyword, *n);

		if (decoded != NULL)
		{
			*keyword = decoded;
			*n = strlen(decoded);
		}
	}
	return *n >= strlen(KN__OPTION_PREFIX) &&
		   memcmp(*keyword, KN__OPTION_PREFIX, strlen(KN__OPTION_PREFIX)) == 0;
}

/* In a URI any bytes could stand for one, which nobody could write in another way. */
static bool
is_word(const char *keyword, size_t n)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	return strspn(keyword, bytes) >= n;
}

static kn_status
add_ours(splitter *s, const char *keyword, size_t keyword_n, const char *raw, size_t raw_n)
{
	const size_t prefix = strlen(KN__OPTION_PREFIX);
	kn__conninfo_option *option = &s->out->ours[s->out->our_count];

	if (!is_word(keyword + prefix, keyword_n - prefix))
		return kn__fail(s->fault, KN_CONFIG, "unknown option \"%.*s\"", (int) keyword_n, keyword);
	option->keyword = kn__arena_copy(s->arena, keyword + prefix, keyword_n - prefix);
	option->value = decode(s, raw, raw_n);
	if (option->keyword == NULL || s->arena->has_failed || s->has_starved)
		return kn__fail(s->fault, KN_NO_MEMORY, "out of memory");
	if (option->value == NULL)
		return kn__fail(s->fault,
						KN_CONFIG,
						"the value of option \"" KN__OPTION_PREFIX "%s\" is malformed",
						option->keyword);
	s->out->our_count++;
	return KN_OK;
}

/* From a value's beginning to behind it, as libpq goes; NULL: it does not end. */
static const char *
skip_value(const char *at)
{
	bool is_quoted = *at == '\'';

	for (at += is_quoted ? 1 : 0; *at != '\0'; at++)
	{
		if (is_quoted ? *at == '\'' : is_space(*at))
			return is_quoted ? at + 1 : at;
		if (*at == '\\' && at[1] != '\0')
			at++;
	}
	return is_quoted ? NULL : at;
}

/* One setting, "keyword = value", and where its parts are. */
typedef struct setting
{
	const char *keyword;
	size_t n;
	const char *value; /* NULL: there is none */
	const char *end;   /* NULL: it does not end */
} setting;

static setting
read_setting(const char *at)
{
	setting found = { .keyword = at };

	while (*at != '\0' && *at != '=' && !is_space(*at))
		at++;
	found.n = (size_t) (at - found.keyword);
	while (is_space(*at))
		at++;
	if (*at++ != '=')
		return found;
	while (is_space(*at))
		at++;
	found.value = at;
	found.end = skip_value(at);
	return found;
}

static kn_status
split_keywords(splitter *s, const char *at)
{
	for (;;)
	{
		const char *begin;
		setting found;

		while (is_space(*at))
			at++;
		if (*at == '\0')
			return KN_OK;
		begin = at;
		found = read_setting(at);
		if (found.value != NULL && is_ours(s, &found.keyword, &found.n))
		{
			/* One that does not end is malformed for libpq too. */
			size_t n = found.end == NULL ? strlen(found.value) : (size_t) (found.end - found.value);
			kn_status status = add_ours(s, found.keyword, found.n, found.value, n);

			if (status != KN_OK)
				return status;
			at = found.end != NULL ? found.end : found.value + n;
			continue;
		}
		at = found.end != NULL ? found.end : begin + strlen(begin);
		kn__buf_text(&s->rest, " "); /* before the first too, so that it never looks like a URI */
		kn__buf_add(&s->rest, begin, (size_t) (at - begin));
	}
}

/* Where libpq sees the question mark: in a password it is an ordinary character. */
static const char *
find_query(const char *body)
{
	const char *user_end = body + strcspn(body, "@/");

	return strchr(*user_end == '@' ? user_end : body, '?');
}

/* scheme://...?keyword=value&keyword=value */
static kn_status
split_uri(splitter *s, const char *text, const char *body)
{
	const char *at = find_query(body);
	char separator = '?';

	if (at == NULL)
	{
		kn__buf_text(&s->rest, text);
		return KN_OK;
	}
	kn__buf_add(&s->rest, text, (size_t) (at - text));
	do
	{
		const char *begin = ++at;
		const char *equals;
		const char *keyword = begin;
		size_t n;

		at += strcspn(at, "&");
		equals = memchr(begin, '=', (size_t) (at - begin));
		n = equals == NULL ? 0 : (size_t) (equals - begin);
		if (is_ours(s, &keyword, &n))
		{
			kn_status status = add_ours(s, keyword, n, equals + 1, (size_t) (at - equals - 1));

			if (status != KN_OK)
				return status;
			continue;
		}
		kn__buf_add(&s->rest, &separator, 1);
		kn__buf_add(&s->rest, begin, (size_t) (at - begin));
		separator = '&';
	} while (*at == '&');
	return KN_OK;
}

/* How much stands before anything that looks like the name of a password. */
static size_t
before_pass(const char *text)
{
	static const char *const names[] = { "pass", "pwd" };
	size_t least = strlen(text);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		const char *found = kn__find_folded(text, names[i]);

		if (found != NULL && (size_t) (found - text) < least)
			least = (size_t) (found - text);
	}
	return least;
}

/* Of a URI: behind a colon that no port follows, or before an "@". */
static bool
may_have_password(const char *uri)
{
	const char *begin = strstr(uri, "//");
	const char *colon = begin == NULL ? NULL : strchr(begin, ':');

	return strchr(uri, '@') != NULL ||
		   (colon != NULL && colon < begin + 2 + strcspn(begin + 2, "/?") &&
			(colon[1] < '0' || colon[1] > '9'));
}

/*
 * Whether what libpq quotes may be told: it is a sign, or stands before anything that may be of a
 * password.
 */
static bool
is_public(const splitter *s, const char *quoted, size_t n)
{
	const char *text = s->rest.data == NULL ? "" : s->rest.data;
	const char *secret = s->is_uri && may_have_password(text) ? text : text + before_pass(text);

	if (n <= 1 || *secret == '\0')
		return true;
	for (const char *at = text; at + n <= secret; at++)
	{
		if (memcmp(at, quoted, n) == 0)
			return true;
	}
	return false;
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
	{
		if (((unsigned char) *text & 0x80) != 0 || *text == '\'')
			return false;
	}
	return true;
}

/* What libpq has against it, without what it quotes of a password. */
static kn_status
refuse(splitter *s, const char *error)
{
	kn_status status;
	kn__buf text;

	if (is_no_memory(error))
		return kn__fail(s->fault, KN_NO_MEMORY, "out of memory");
	/* In another language, it has other marks around what it quotes. */
	if (!is_ascii(error))
		return kn__fail(s->fault, KN_CONFIG, "the connection string is malformed");
	kn__buf_init(&text, s->arena->allocator, SIZE_MAX / 2);
	/* At once, so that no copy is left behind where it has grown. */
	(void) kn__buf_room(&text, strlen(error) + 4);
	for (const char *at = error; *at != '\0' && *at != '\n';)
	{
		const char *begin = strchr(at, '"');
		const char *end = begin == NULL ? NULL : strchr(begin + 1, '"');

		/* The text itself may have such signs in it: up to the last of them all is its own. */
		if (end != NULL && !is_public(s, begin + 1, (size_t) (end - begin - 1)))
		{
			end = strrchr(begin, '"');
			kn__buf_add(&text, at, (size_t) (begin - at));
			kn__buf_text(&text, "\"...\"");
			at = end + 1;
			continue;
		}
		end = end == NULL ? at + strcspn(at, "\n") : end + 1;
		kn__buf_add(&text, at, (size_t) (end - at));
		at = end;
	}
	kn__buf_add(&text, "", 1);
	status = text.has_failed ? kn__fail(s->fault, KN_NO_MEMORY, "out of memory")
							 : kn__fail(s->fault, KN_CONFIG, "%s", text.data);
	kn__buf_release(&text);
	return status;
}

static kn_status
parse_rest(splitter *s)
{
	char *error = NULL;
	PQconninfoOption *options = NULL;
	int count = 0;

	if (s->rest.has_failed || s->has_starved)
		return kn__fail(s->fault, KN_NO_MEMORY, "out of memory");
	options = PQconninfoParse(s->rest.data == NULL ? "" : s->rest.data, &error);
	if (options == NULL)
	{
		kn_status status = refuse(s, error);

		if (error != NULL)
			kn__wipe(error, strlen(error));
		PQfreemem(error);
		return status;
	}
	for (PQconninfoOption *o = options; o->keyword != NULL; o++)
		count += o->val != NULL ? 1 : 0;
	s->out->theirs = kn__arena_get_zero(s->arena, (size_t) count + 1, sizeof(kn__conninfo_option));
	for (PQconninfoOption *o = options; s->out->theirs != NULL && o->keyword != NULL; o++)
	{
		if (o->val == NULL)
			continue;
		s->out->theirs[s->out->their_count++] = (kn__conninfo_option){
			.keyword = kn__arena_copy(s->arena, o->keyword, strlen(o->keyword)),
			.value = kn__arena_copy(s->arena, o->val, strlen(o->val)),
		};
	}
	kn__conninfo_free(options);
	return s->arena->has_failed ? kn__fail(s->fault, KN_NO_MEMORY, "out of memory") : KN_OK;
}

kn_status
kn__conninfo_parse(kn__conninfo *out, kn__arena *arena, const char *text, kn__fault *fault)
{
	splitter s = { .arena = arena, .out = out, .fault = fault };
	size_t most = 1;
	const char *body;
	kn_status status;

	*out = (kn__conninfo){ 0 };
	if (text == NULL)
		text = "";
	for (const char *p = text; *p != '\0'; p++)
		most += *p == '=' ? 1 : 0;
	out->ours = kn__arena_get_zero(arena, most, sizeof(kn__conninfo_option));
	if (out->ours == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	kn__buf_init(&s.rest, arena->allocator, SIZE_MAX / 2);
	(void) kn__buf_room(&s.rest, 2 * strlen(text) + 2); /* as with decode() */
	body = uri_body(text);
	s.is_uri = body != NULL;
	status = s.is_uri ? split_uri(&s, text, body) : split_keywords(&s, text);
	if (status == KN_OK)
		status = parse_rest(&s);
	if (s.rest.data != NULL)
		kn__wipe(s.rest.data, s.rest.length);
	kn__buf_release(&s.rest);
	if (status != KN_OK)
		kn__conninfo_wipe(out);
	return status;
}

const char *
kn__conninfo_find(const kn__conninfo *conninfo, const char *keyword)
{
	for (int i = 0; i < conninfo->their_count; i++)
	{
		if (strcmp(conninfo->theirs[i].keyword, keyword) == 0)
			return conninfo->theirs[i].value;
	}
	return NULL;
}

void
kn__conninfo_wipe(kn__conninfo *conninfo)
{
	for (int i = 0; i < conninfo->their_count; i++)
	{
		if (conninfo->theirs[i].value != NULL)
			kn__wipe(conninfo->theirs[i].value, strlen(conninfo->theirs[i].value));
	}
	conninfo->their_count = 0;
}
