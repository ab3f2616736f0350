/*
 * tags.c
 *		The tag string of one field, read into a KnTags.
 *
 * The language is described in tags.h, with the lists that this file works
 * from.  Text is cut at its commas, each piece gets its rule, the tags that
 * open keys are read, and then those that go to a key or to the column.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "catalog/pg_collation.h"
#include "desired/tags.h"
#include "mb/pg_wchar.h"
#include "parser/scansup.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

typedef struct Tag Tag;

/* What a tag is: one line of KN_TAGS. */
typedef struct Rule
{
	const char *word;
	const char *(*read)(const Tag *tag); /* NULL: a flag */
	Size offset;                         /* in KnTags or KnTagKey */
	KnTagNeed need;
	int kinds; /* of the keys it can belong to; 0: to the column */
} Rule;

/* One tag as written. */
struct Tag
{
	const Rule *rule;
	const char *value; /* NULL: none */
	KnTagPlace place;
};

static const char *
describe(const KnTagPlace *place)
{
	return psprintf("tag \"%s\" at character %d of field \"%s\" of model \"%s\"",
					place->tag,
					place->position,
					place->field,
					place->model);
}

/* Refuses a tag; problem goes on from its name: "is given twice". */
void
tags_refuse(const KnTagPlace *place, const char *problem)
{
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("%s %s", describe(place), problem));
}

/* A copy of what is between start and end, without the spaces around it. */
static const char *
trim(const char *start, const char *end)
{
	while (start < end && scanner_isspace(*start))
		start++;
	while (end > start && scanner_isspace(end[-1]))
		end--;
	return pnstrdup(start, end - start);
}

bool
tags_match(const char *text, const char *pattern)
{
	return DatumGetBool(DirectFunctionCall2Coll(textregexeq,
												C_COLLATION_OID,
												CStringGetTextDatum(text),
												CStringGetTextDatum(pattern)));
}

/* The quote that closes the one at quote; NULL: there is none. */
static const char *
quote_end(const char *quote)
{
	for (const char *p = quote + 1; *p != '\0'; p++)
	{
		if (*p != *quote)
			continue;
		if (p[1] != *quote)
			return p;
		p++;
	}
	return NULL;
}

/*
 * Where the tag that starts at start ends: at a comma, or with the text.
 * Parentheses and brackets are counted apart, which is enough to be sure that
 * a value cannot close what is put around it.
 */
static const char *
find_end(const KnTagPlace *place, const char *start)
{
	int round = 0;
	int square = 0;
	const char *p;

	for (p = start; *p != '\0' && (*p != ',' || round > 0 || square > 0); p++)
	{
		round += (*p == '(') - (*p == ')');
		square += (*p == '[') - (*p == ']');
		if (round < 0 || square < 0)
			tags_refuse(place, psprintf("has a \"%c\" that closes nothing", *p));
		if (*p == '\'' || *p == '"')
			p = quote_end(p);
		if (p == NULL)
			tags_refuse(place, "has an unterminated quote");
	}
	if (round > 0 || square > 0)
		tags_refuse(place, psprintf("has a \"%c\" that nothing closes", round > 0 ? '(' : '['));
	return p;
}

/* A value without its quotes, if it is quoted as a whole. */
static const char *
unquote(const char *value)
{
	StringInfoData text;
	const char *end = *value == '\'' || *value == '"' ? quote_end(value) : NULL;

	if (end == NULL || end[1] != '\0')
		return value;
	initStringInfo(&text);
	for (const char *p = value + 1; p < end; p++)
	{
		appendStringInfoChar(&text, *p);
		p += *p == *value;
	}
	return text.data;
}

/* The names between separators that stand outside quotes. */
static List *
split_names(const Tag *tag, const char *value, const char *separators)
{
	List *names = NIL;
	const char *start = value;

	for (const char *p = value;; p++)
	{
		if (*p == '\'' || *p == '"')
			p = quote_end(p);
		else if (strchr(separators, *p) != NULL)
		{
			const char *name = unquote(trim(start, p));

			if (name[0] == '\0')
				tags_refuse(&tag->place, "has an empty name");
			if (strlen(name) >= NAMEDATALEN)
				tags_refuse(&tag->place, psprintf("has a name over %d bytes", NAMEDATALEN - 1));
			names = lappend(names, (char *) name);
			start = p + 1;
		}
		if (*p == '\0')
			return names;
	}
}

static const char *
read_name(const Tag *tag)
{
	return linitial(split_names(tag, tag->value, ""));
}

/* name|name, to SQL. */
static const char *
read_names(const Tag *tag)
{
	List *names = split_names(tag, tag->value, "|");
	ListCell *cell;

	foreach(cell, names)
		lfirst(cell) = (char *) sqltext_identifier(lfirst(cell));
	return sqltext_join(names, ", ");
}

/* [schema.]name, to SQL. */
static const char *
read_qualified(const Tag *tag)
{
	List *names = split_names(tag, tag->value, ".");

	if (list_length(names) > 2)
		tags_refuse(&tag->place, "has a name with more than one dot outside quotes");
	return sqltext_qualified(list_length(names) == 2 ? linitial(names) : NULL, llast(names));
}

static const char *
read_text(const Tag *tag)
{
	return unquote(tag->value);
}

static const char *
read_type(const Tag *tag)
{
	if (!tags_match(tag->value, KN_ANY_TYPE) && !tags_match(tag->value, KN_KNOWN_TYPE))
		tags_refuse(&tag->place, psprintf("has a value that is not a type: \"%s\"", tag->value));
	tagsql_check(&tag->place, "CREATE DOMAIN d AS %s", tag->value);
	return tag->value;
}

/* SQL: balanced already; see tags.h. */
static const char *
read_sql(const Tag *tag)
{
	if (strstr(tag->value, "\\'") != NULL)
		tags_refuse(&tag->place, "has a backslash before a quote; double the quote instead");
	for (const char *p = tag->value; *p != '\0'; p++)
	{
		if (*p == '\'' || *p == '"')
			p = quote_end(p);
		else if (*p == ';' || *p == '$')
			tags_refuse(&tag->place, psprintf("has a \"%c\" outside quotes", *p));
		else if (strncmp(p, "--", 2) == 0 || strncmp(p, "/*", 2) == 0)
			tags_refuse(&tag->place, "has a comment in its value");
	}
	tagsql_check(&tag->place, "SELECT (%s)", tag->value);
	return tag->value;
}

/* Words of SQL that match pattern, in upper case, with spaces for underscores. */
static const char *
read_keywords(const Tag *tag, const char *pattern, const char *problem)
{
	char *words = pstrdup(tag->value);

	if (!tags_match(words, pattern))
		tags_refuse(&tag->place, problem);
	for (char *p = words; *p != '\0'; p++)
		*p = *p == '_' ? ' ' : pg_ascii_toupper((unsigned char) *p);
	return words;
}

static const char *
read_action(const Tag *tag)
{
	return read_keywords(tag,
						 "(?i)^(cascade|restrict|no[_ ]action|set[_ ]null|set[_ ]default)$",
						 "must be cascade, restrict, no_action, set_null or set_default");
}

static const char *
read_identity(const Tag *tag)
{
	if (tag->value == NULL)
		return tag->rule->need == KN_NO_VALUE ? "BY DEFAULT" : "ALWAYS";
	return read_keywords(tag, "(?i)^(always|by[_ ]default)$", "must be always or by_default");
}

#define X(word, need, read, owner, member, kinds) \
	{ word, read, offsetof(owner, member), need, kinds },
static const Rule rules[] = { KN_TAG_ALIASES(X) KN_TAGS(X) };
#undef X

#define X(word, ...) word ", "
static const char known_words[] = KN_TAGS(X);
#undef X

static const Rule *
find_rule(const char *word)
{
	for (int i = 0; i < (int) lengthof(rules); i++)
	{
		if (pg_strcasecmp(rules[i].word, word) == 0)
			return &rules[i];
	}
	return NULL;
}

/* Gives a tag its rule and, where the text has one, its value. */
static void
read_tag(Tag *tag, const char *text)
{
	const char *colon = strchr(text, ':');

	tag->rule = find_rule(tag->place.tag);
	if (colon != NULL)
		tag->value = trim(colon + 1, text + strlen(text));
	else if (tag->rule == NULL && tags_match(text, KN_KNOWN_TYPE))
	{
		tag->rule = find_rule("type");
		tag->value = text;
	}
	if (tag->rule == NULL && text[0] == '\0')
		tags_refuse(&tag->place, "is empty");
	if (tag->rule == NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("unknown %s", describe(&tag->place)),
				errhint("Known tags: %sand well-known types. "
						"Other types need \"type:\", commas in a value need quotes.",
						known_words));
	if (tag->value != NULL && tag->rule->need == KN_NO_VALUE)
		tags_refuse(&tag->place, "takes no value");
	if (tag->value != NULL ? tag->value[0] == '\0' : tag->rule->need == KN_NEEDS_VALUE)
		tags_refuse(&tag->place, "has no value");
}

/* The tags of a tag string, as written: Tag *. */
static List *
split_tags(const char *text, const char *model, const char *field)
{
	List *tags = NIL;
	const char *end;

	for (const char *start = text;; start = end + 1)
	{
		Tag *tag = palloc0(sizeof(Tag));

		start += strspn(start, " \t\n\r\f\v");
		if (tags == NIL && *start == '\0')
			return NIL;
		tag->place.model = model;
		tag->place.field = field;
		tag->place.tag = trim(start, start + strcspn(start, ":,"));
		tag->place.position = pg_mbstrlen_with_len(text, start - text) + 1;
		end = find_end(&tag->place, start);
		if (memchr(start, ':', end - start) == NULL)
			tag->place.tag = trim(start, end);
		read_tag(tag, trim(start, end));
		tags = lappend(tags, tag);
		if (*end == '\0')
			return tags;
	}
}

static void
refuse_contradictions(const List *tags)
{
	static const char *const pairs[][2] = { KN_TAG_CONTRADICTIONS };
	ListCell *a;
	ListCell *b;

	foreach(a, tags)
	{
		for (int i = 0; i < (int) lengthof(pairs); i++)
		{
			if (strcmp(((const Tag *) lfirst(a))->rule->word, pairs[i][0]) != 0)
				continue;
			foreach(b, tags)
			{
				const Tag *other = lfirst(b);

				if (strcmp(other->rule->word, pairs[i][1]) == 0)
					tags_refuse(&other->place, psprintf("contradicts \"%s\"", pairs[i][0]));
			}
		}
	}
}

static void
read_reference(const Tag *tag, KnTagKey *key)
{
	Size length = strlen(tag->value);
	List *names;

	if (!tags_match(tag->value, KN_REFERENCE))
		tags_refuse(&tag->place, "must have a value like table(column) or schema.table(column)");
	length -= tag->value[length - 1] == ')';
	names = split_names(tag, pnstrdup(tag->value, length), ".(");
	key->ref_column = llast(names);
	key->ref_table = list_nth(names, list_length(names) - 2);
	key->ref_schema = list_length(names) == 3 ? linitial(names) : NULL;
}

static bool
opens_key(const Rule *rule)
{
	return rule->kinds != 0 && rule->offset == offsetof(KnTagKey, group);
}

static void
open_key(KnTags *tags, const Tag *tag)
{
	KnTagKey *key = palloc0(sizeof(KnTagKey));
	ListCell *cell;

	key->kind = tag->rule->kinds;
	key->place = tag->place;
	key->value = tag->value;
	if (key->kind == KN_KEY_FOREIGN)
		read_reference(tag, key);
	else if (tag->value != NULL)
		key->group = read_name(tag);
	if (key->kind == KN_KEY_INDEX)
		key->name = key->group;
	foreach(cell, tags->keys)
	{
		const KnTagKey *other = lfirst(cell);

		if (other->kind == key->kind && sqltext_equal(other->value, key->value))
			tags_refuse(&tag->place, "is given twice");
	}
	tags->keys = lappend(tags->keys, key);
}

/* The key of one of these kinds that the field has without a group, or NULL. */
static KnTagKey *
find_bare_key(const KnTags *tags, int kinds)
{
	ListCell *cell;

	foreach(cell, tags->keys)
	{
		KnTagKey *key = lfirst(cell);

		if ((key->kind & kinds) != 0 && key->group == NULL)
			return key;
	}
	return NULL;
}

/* The key that a tag belongs to. */
static KnTagKey *
find_key(const KnTags *tags, const Tag *tag)
{
	int kinds = tag->rule->kinds;
	KnTagKey *found = NULL;
	ListCell *cell;

	if ((kinds & KN_KEY_INDEX) != 0 && find_bare_key(tags, KN_KEY_INDEX) != NULL &&
		find_bare_key(tags, KN_KEY_UNIQUE) != NULL)
		tags_refuse(&tag->place,
					"could belong to \"unique\" or to \"index\"; name the index, or drop it");
	if ((kinds & KN_KEY_FOREIGN) != 0 && find_bare_key(tags, KN_KEY_FOREIGN) != NULL)
		kinds = KN_KEY_FOREIGN;
	foreach(cell, tags->keys)
	{
		KnTagKey *key = lfirst(cell);

		if ((key->kind & kinds) != 0 &&
			(found == NULL || key->place.position < tag->place.position))
			found = key;
	}
	for (int i = (int) lengthof(rules) - 1; found == NULL && i >= 0; i--)
	{
		if (opens_key(&rules[i]) && (rules[i].kinds & kinds) != 0)
			tags_refuse(&tag->place,
						psprintf("needs a tag like \"%s\" to belong to", rules[i].word));
	}
	return found;
}

/* Puts a tag where it belongs: owner is the column's KnTags or a KnTagKey. */
static void
store(void *owner, const Tag *tag)
{
	void *member = (char *) owner + tag->rule->offset;
	bool *flag = member;
	const char **value = member;

	if (tag->rule->read != NULL ? *value != NULL : *flag)
		tags_refuse(&tag->place, psprintf("is a second \"%s\"", tag->rule->word));
	if (tag->rule->read != NULL)
		*value = tag->rule->read(tag);
	else
		*flag = true;
}

/*
 * Reads the tag string of a field; model and field are named in errors.  An
 * empty string is no tags.
 */
KnTags *
tags_read(const char *text, const char *model, const char *field)
{
	KnTags *tags = palloc0(sizeof(KnTags));
	List *written = split_tags(text, model, field);
	ListCell *cell;

	refuse_contradictions(written);
	foreach(cell, written)
	{
		const Tag *tag = lfirst(cell);

		if (opens_key(tag->rule))
			open_key(tags, tag);
	}
	foreach(cell, written)
	{
		const Tag *tag = lfirst(cell);

		if (opens_key(tag->rule))
			continue;
		store(tag->rule->kinds != 0 ? (void *) find_key(tags, tag) : (void *) tags, tag);
		if (tags->integer_place == NULL && (tags->identity != NULL || tags->is_version))
			tags->integer_place = &tag->place;
		if (tags->behaviour_place == NULL && KN_HAS_BEHAVIOUR(tags))
			tags->behaviour_place = &tag->place;
	}
	return tags;
}
