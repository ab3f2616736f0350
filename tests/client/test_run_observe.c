/*
 * test_run_observe.c
 *		Events: who hears them, what they say, and what they keep to themselves.
 */
#include "run/observe.h"

#include <string.h>

#include "suite.h"

static char heard[200];

static void
hear(void *user, const kn_event *event)
{
	strcat(heard, user);
	strcat(heard, kn_event_name(event->kind));
	strcat(heard, " ");
}

static int64_t
wall(void *user)
{
	(void) user;
	return 1234567890123456789;
}

static const kn_clock clock_of_tests = { .monotonic = wall, .wall = wall };

static void
tell(const kn_hooks *hooks, kn_event_kind kind)
{
	kn_event event;

	kn__event_init(&event, kind, &clock_of_tests);
	kn__tell(hooks, &event);
}

START_TEST(nobody_listens)
{
	kn_hooks none = { .size = sizeof(none) };

	heard[0] = '\0';
	for (int kind = 0; kind < KN_EVENT_COUNT; kind++)
	{
		ck_assert(!kn__hears(NULL, (kn_event_kind) kind));
		ck_assert(!kn__hears(&none, (kn_event_kind) kind));
		tell(NULL, (kn_event_kind) kind);
		tell(&none, (kn_event_kind) kind);
	}
	ck_assert_str_eq(heard, "");
}
END_TEST

START_TEST(each_hook_hears_its_kind)
{
	char mark[] = "!";
	kn_hooks hooks = { .size = sizeof(hooks), .user = mark };

	heard[0] = '\0';
#define X(name, hook, text)                                                              \
	hooks.hook = hear;                                                                   \
	for (int kind = 0; kind < KN_EVENT_COUNT; kind++)                                    \
	{                                                                                    \
		ck_assert(kn__hears(&hooks, (kn_event_kind) kind) == (kind == KN_EVENT_##name)); \
		tell(&hooks, (kn_event_kind) kind);                                              \
	}                                                                                    \
	hooks.hook = NULL;
	KN_EVENTS(X)
#undef X
	ck_assert_str_eq(heard, "!query !slow_query !pool !breaker !retry !audit !notice ");
}
END_TEST

START_TEST(several_may_listen)
{
	char a[] = "a:", b[] = "b:";
	kn_hooks second = { .size = sizeof(second), .user = b, .retry = hear, .notice = hear };
	kn_hooks first = { .size = sizeof(first),
					   .user = a,
					   .next = &second,
					   .retry = hear,
					   .pool = hear };

	heard[0] = '\0';
	ck_assert(kn__hears(&first, KN_EVENT_NOTICE));
	ck_assert(!kn__hears(&first, KN_EVENT_QUERY));
	tell(&first, KN_EVENT_RETRY);
	tell(&first, KN_EVENT_NOTICE);
	tell(&first, KN_EVENT_POOL);
	ck_assert_str_eq(heard, "a:retry b:retry b:notice a:pool ");
}
END_TEST

/* A program that was compiled when there were fewer hooks. */
START_TEST(hooks_may_be_smaller)
{
	char mark[] = "";
	kn_hooks hooks = { .size = offsetof(kn_hooks, audit),
					   .user = mark,
					   .retry = hear,
					   .audit = hear };

	heard[0] = '\0';
	ck_assert(kn__hears(&hooks, KN_EVENT_RETRY));
	ck_assert(!kn__hears(&hooks, KN_EVENT_AUDIT));
	tell(&hooks, KN_EVENT_RETRY);
	tell(&hooks, KN_EVENT_AUDIT);
	ck_assert_str_eq(heard, "retry ");
}
END_TEST

static int
count_fields(const kn_event *event)
{
	kn_field field;
	int count = 0;

	for (int at = 0; kn_event_field(event, &at, &field);)
		count++;
	return count;
}

START_TEST(fields_are_those_that_say_something)
{
	kn_event event;
	kn_field field;
	int at = 0;

	kn__event_init(&event, KN_EVENT_QUERY, &clock_of_tests);
	ck_assert_int_eq(event.wall_ns, 1234567890123456789);
	ck_assert_int_eq(event.status, KN_OK);
	ck_assert_int_eq(count_fields(&event), 0);
	event.sql = "SELECT 1";
	event.line = 0;
	event.host = "h";
	ck_assert(kn_event_field(&event, &at, &field));
	ck_assert_str_eq(field.attribute, "server.address");
	ck_assert_str_eq(field.text, "h");
	ck_assert(kn_event_field(&event, &at, &field));
	ck_assert_str_eq(field.attribute, "db.query.text");
	ck_assert_str_eq(field.text, "SELECT 1");
	ck_assert(kn_event_field(&event, &at, &field));
	ck_assert_str_eq(field.attribute, "code.line.number");
	ck_assert_ptr_null(field.text);
	ck_assert_int_eq(field.number, 0);
	ck_assert(!kn_event_field(&event, &at, &field));
	ck_assert(!kn_event_field(&event, &at, &field));
}
END_TEST

/* What stands in each field is told by this name. */
START_TEST(fields_have_their_attributes)
{
	static const kn_field expected[] = {
		{ .attribute = "kints.event.what", .text = "1" },
		{ .attribute = "db.client.connection.pool.name", .text = "2" },
		{ .attribute = "server.address", .text = "3" },
		{ .attribute = "server.port", .number = 4 },
		{ .attribute = "db.namespace", .text = "5" },
		{ .attribute = "db.operation.name", .text = "6" },
		{ .attribute = "db.query.summary", .text = "7" },
		{ .attribute = "db.query.text", .text = "8" },
		{ .attribute = "db.operation.batch.size", .number = 9 },
		{ .attribute = "db.response.returned_rows", .number = 10 },
		{ .attribute = "kints.affected_rows", .number = 11 },
		{ .attribute = "db.response.status_code", .text = "12" },
		{ .attribute = "error.type", .text = "13" },
		{ .attribute = "error.message", .text = "14" },
		{ .attribute = "kints.correlation_id", .text = "15" },
		{ .attribute = "enduser.id", .text = "16" },
		{ .attribute = "kints.duration_ns", .number = 17 },
		{ .attribute = "kints.attempts", .number = 18 },
		{ .attribute = "kints.pause_ns", .number = 19 },
		{ .attribute = "kints.server.pid", .number = 20 },
		{ .attribute = "code.file.path", .text = "21" },
		{ .attribute = "code.line.number", .number = 22 },
		{ .attribute = "kints.reason", .text = "23" },
		{ .attribute = "kints.savepoint", .number = 24 },
	};
	const kn_event event = { .what = "1",
							 .db_name = "2",
							 .host = "3",
							 .port = 4,
							 .database = "5",
							 .operation = "6",
							 .summary = "7",
							 .sql = "8",
							 .batch_size = 9,
							 .rows = 10,
							 .affected = 11,
							 .sqlstate = "12",
							 .error = "13",
							 .message = "14",
							 .trace_id = "15",
							 .actor = "16",
							 .duration_ns = 17,
							 .attempts = 18,
							 .pause_ns = 19,
							 .connection_pid = 20,
							 .file = "21",
							 .line = 22,
							 .reason = "23",
							 .savepoint = 24 };
	kn_field field;
	int at = 0;

	for (int i = 0; i < COUNT(expected); i++)
	{
		ck_assert(kn_event_field(&event, &at, &field));
		ck_assert_str_eq(field.attribute, expected[i].attribute);
		ck_assert_pstr_eq(field.text, expected[i].text);
		ck_assert_int_eq(field.number, expected[i].number);
	}
	ck_assert(!kn_event_field(&event, &at, &field));
}
END_TEST

/* No two fields have the same attribute. */
START_TEST(attributes_are_different)
{
	static const char *const attributes[] = {
#define X(type, field, attribute) attribute,
		KN_EVENT_FIELDS(X)
#undef X
	};

	for (int i = 0; i < COUNT(attributes); i++)
	{
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(attributes[i], attributes[j]);
	}
	ck_assert_int_eq(COUNT(attributes), 24);
}
END_TEST

static const struct
{
	kn_status status;
	const char *sqlstate;
	bool may_quote;
	bool show;
	const char *message; /* NULL: left out */
} faults[] = {
	{ KN_DUPLICATE, "23505", false, false, "the message" },
	{ KN_DUPLICATE, "23505", true, false, NULL },
	{ KN_DUPLICATE, "23505", true, true, "the message" },
	{ KN_DATA, "22P02", false, false, NULL },
	{ KN_DATA, "22P02", true, true, "the message" },
	{ KN_DATA, "", false, false, NULL }, /* the library's own, of a value */
	{ KN_CONN_LOST, "", false, false, "the message" },
	{ KN_UNAVAILABLE, "57P01", false, false, "the message" },
	{ KN_SERVER, "P0001", true, false, NULL },
};

START_TEST(what_went_wrong)
{
	kn__fault fault;
	kn_event event;

	(void) kn__fail(&fault, faults[_i].status, "the message");
	strcpy(fault.error.sqlstate, faults[_i].sqlstate);
	fault.may_quote = faults[_i].may_quote;
	kn__event_init(&event, KN_EVENT_QUERY, &clock_of_tests);
	kn__event_fault(&event, &fault, faults[_i].show);
	ck_assert_int_eq(event.status, faults[_i].status);
	ck_assert_str_eq(event.error, kn_status_name(faults[_i].status));
	ck_assert_pstr_eq(event.message, faults[_i].message);
	if (faults[_i].sqlstate[0] == '\0')
		ck_assert_ptr_null(event.sqlstate);
	else
		ck_assert_str_eq(event.sqlstate, faults[_i].sqlstate);
}
END_TEST

START_TEST(nothing_went_wrong)
{
	kn__fault fault;
	kn_event event;

	kn__fault_clear(&fault);
	kn__event_init(&event, KN_EVENT_QUERY, &clock_of_tests);
	kn__event_fault(&event, &fault, true);
	ck_assert_int_eq(count_fields(&event), 0);
}
END_TEST

START_TEST(parameters_are_masked)
{
	const kn_value values[2] = { { .type = KN_TYPE_I32 }, { .type = KN_TYPE_I32 } };
	kn_event event;

	kn__event_init(&event, KN_EVENT_QUERY, &clock_of_tests);
	kn__event_parameters(&event, values, 2, false);
	ck_assert_int_eq(event.parameter_count, 2);
	ck_assert_ptr_null(event.parameters);
	kn__event_parameters(&event, values, 2, true);
	ck_assert_ptr_eq(event.parameters, values);
	kn__event_parameters(&event, values, 0, true);
	ck_assert_ptr_null(event.parameters);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(kn_event_name(KN_EVENT_SLOW_QUERY), "slow_query");
	ck_assert_str_eq(kn_event_name(KN_EVENT_COUNT), "unknown");
	ck_assert_str_eq(kn_event_name((kn_event_kind) -1), "unknown");
	ck_assert_str_eq(kn_breaker_state_name(KN_BREAKER_CLOSED), "closed");
	ck_assert_str_eq(kn_breaker_state_name(KN_BREAKER_HALF_OPEN), "half_open");
	ck_assert_str_eq(kn_breaker_state_name(3), "unknown");
	ck_assert_str_eq(kn_breaker_state_name(-1), "unknown");
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, nobody_listens);
	tcase_add_test(tcase, each_hook_hears_its_kind);
	tcase_add_test(tcase, several_may_listen);
	tcase_add_test(tcase, hooks_may_be_smaller);
	tcase_add_test(tcase, fields_are_those_that_say_something);
	tcase_add_test(tcase, fields_have_their_attributes);
	tcase_add_test(tcase, attributes_are_different);
	LOOP(tcase, what_went_wrong, faults);
	tcase_add_test(tcase, nothing_went_wrong);
	tcase_add_test(tcase, parameters_are_masked);
	tcase_add_test(tcase, names);
}

int
main(void)
{
	return suite_run("run_observe", fill);
}
