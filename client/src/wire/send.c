/*
 * send.c
 *		One statement with its parameters, handed to libpq.
 *
 * A statement that is used for the first time goes out as it is; from the
 * prepare_after-th time on it is prepared, along with that use, and then goes by its
 * name.  libpq copies all it is given, so what parameters look like on the wire is
 * needed only for so long.
 */
#include "wire/conn.h"

#include <string.h>

#define FEW 16 /* parameters that need no memory of their own */

/* The arrays that libpq wants, in one piece of memory. */
typedef struct Parameters
{
	const char *few_values[FEW];
	size_t few_offsets[FEW];
	Oid few_types[FEW];
	int few_lengths[FEW];
	int few_formats[FEW];
	const char **values;
	size_t *offsets; /* where they are in the buffer, until that has all of them */
	Oid *types;
	int *lengths;
	int *formats;
	void *memory;
	size_t size;
} Parameters;

#define MESSAGE_MOST   0x3FFFFFFE /* bytes that the server takes */
#define PARAMETER_HEAD 10         /* of each */
#define MESSAGE_HEAD   1000       /* its names, and more */

#define KEYS 4

/* The same for a few whole numbers. */
typedef struct Numbers
{
	const char *values[KEYS];
	int lengths[KEYS];
	int formats[KEYS];
	char bytes[KEYS][sizeof(int64_t)];
} Numbers;

static KN__HOT kn_status encode(kn__conn *conn, const kn__item *item, Parameters *parameters,
								kn__fault *fault);
static kn_status check_size(const Parameters *parameters, const kn__item *item, kn__fault *fault);
static bool is_sure(const kn__item *item);
static KN__HOT bool take_numbers(const kn__item *item, Numbers *numbers);
static KN__APART kn__plain send_encoded(kn__conn *conn, const kn__prepared *entry,
										const kn__item *item, kn__fault *fault);
static KN__HOT kn__plain send_by_name(kn__conn *conn, const kn__prepared *entry,
									  const kn__item *item, const char *const *values,
									  const int *lengths, const int *formats);
static KN__HOT kn_status end_text(kn__buf *scratch, kn__parameter *parameter, const char **why);
static KN__HOT bool init(kn__conn *conn, Parameters *parameters, int count);
static KN__HOT void release(kn__conn *conn, Parameters *parameters);
static bool send(kn__conn *conn, kn__item *item, const Parameters *parameters, bool in_pipeline,
				 kn__sent *sent);

kn_status
kn__send_check(kn__conn *conn, const kn__item *item, kn__fault *fault)
{
	Parameters parameters;
	kn_status status;

	if (is_sure(item))
		return KN_OK;
	status = encode(conn, item, &parameters, fault);
	release(conn, &parameters);
	return status;
}

/* Whatever they are, these values can be sent. */
static bool
is_sure(const kn__item *item)
{
	if (item->count > PQ_QUERY_PARAM_MAX_LIMIT)
		return false;
	for (int i = 0; i < item->count; i++)
	{
		const kn_value *value = &item->values[i];

		if (value->oid != 0 || !(value->type == KN_TYPE_NULL || value->type == KN_TYPE_BOOL ||
								 value->type == KN_TYPE_I64 || value->type == KN_TYPE_F64))
			return false;
	}
	return true;
}

uint64_t
kn__send_key(kn__item *item)
{
	uint64_t key = item->hash;

	if (KN__UNLIKELY(item->key != 0))
		return item->key;
	for (int i = 0; i < item->count; i++)
	{
		const kn_value *value = &item->values[i];
		uint32_t types[2] = { value->oid, value->type };

		if (KN__UNLIKELY(value->type == KN_TYPE_ARRAY && value->as.array != NULL))
			types[1] |= (uint32_t) value->as.array->element << 8;
		/* What is NULL has no type of its own: the server takes it for what the place asks for. */
		key = key * UINT64_C(0x9E3779B97F4A7C15) + ((uint64_t) types[0] << 32 | types[1]);
		key ^= key >> 29;
	}
	item->key = KN__UNLIKELY(key == 0) ? 1 : key;
	return item->key;
}

kn_status
kn__send_item(kn__conn *conn, kn__item *item, bool in_pipeline, kn__sent *sent, kn__fault *fault)
{
	Parameters parameters;
	kn_status status = encode(conn, item, &parameters, fault);

	if (item->is_identity)
		kn__shapes_note_role(conn, item);
	if (status == KN_OK && !send(conn, item, &parameters, in_pipeline, sent))
		status = kn__fault_of_conn(fault, conn, KN_CONN_LOST);
	release(conn, &parameters);
	return status;
}

/* What most calls are, and no more is looked at than tells that it is one. */
kn__plain
kn__send_plain(kn__conn *conn, kn__item *item, kn__begun *begun, kn__fault *fault)
{
	const kn__prepared *entry;
	Numbers numbers;

	if (KN__UNLIKELY(conn->never_prepares || item->never_prepare || item->count > FEW))
		return KN__PLAIN_NOT;
	entry = kn__prepared_get(&conn->cache, kn__send_key(item), item->sql, item->length);
	if (KN__UNLIKELY(entry == NULL || !entry->is_prepared || (item->wants_rows && !entry->is_fit)))
		return KN__PLAIN_NOT;
	begun->key = entry->key;
	begun->is_fit = entry->is_fit;
	if (!take_numbers(item, &numbers))
		return send_encoded(conn, entry, item, fault);
	return send_by_name(conn, entry, item, numbers.values, numbers.lengths, numbers.formats);
}

/* What no more is done for than it takes: whole numbers, as keys are.  False: there are others. */
static bool
take_numbers(const kn__item *item, Numbers *numbers)
{
	if (item->count > KEYS)
		return false;
	for (int i = 0; i < item->count; i++)
	{
		const kn_value *value = &item->values[i];

		if (value->type != KN_TYPE_I64 || value->oid != 0)
			return false;
		kn__store_u64(numbers->bytes[i], (uint64_t) value->as.i);
		numbers->values[i] = numbers->bytes[i];
		numbers->lengths[i] = sizeof(int64_t);
		numbers->formats[i] = 1;
	}
	return true;
}

/* No more than FEW parameters. */
static kn__plain
send_encoded(kn__conn *conn, const kn__prepared *entry, const kn__item *item, kn__fault *fault)
{
	Parameters parameters;

	if (encode(conn, item, &parameters, fault) != KN_OK)
		return KN__PLAIN_NOT;
	return send_by_name(conn,
						entry,
						item,
						parameters.values,
						parameters.lengths,
						parameters.formats);
}

static kn__plain
send_by_name(kn__conn *conn, const kn__prepared *entry, const kn__item *item,
			 const char *const *values, const int *lengths, const int *formats)
{
	int is_sent = PQsendQueryPrepared(conn->pg,
									  entry->name,
									  item->count,
									  values,
									  lengths,
									  formats,
									  item->wants_rows);

	return is_sent ? KN__PLAIN_SENT : KN__PLAIN_LOST;
}

kn_status
kn__send_describe(kn__conn *conn, kn__item *item, kn__sent *sent, kn__fault *fault)
{
	Parameters parameters = { .types = NULL };
	kn_status status = encode(conn, item, &parameters, fault);

	memset(sent, 0, sizeof(*sent));
	sent->key = kn__send_key(item);
	if (status == KN_OK &&
		(!PQsendPrepare(conn->pg, "", item->sql, item->count, parameters.types) ||
		 !PQsendDescribePrepared(conn->pg, "")))
		status = kn__fault_of_conn(fault, conn, KN_CONN_LOST);
	sent->is_described = status == KN_OK;
	release(conn, &parameters);
	return status;
}

static kn_status
encode(kn__conn *conn, const kn__item *item, Parameters *parameters, kn__fault *fault)
{
	parameters->memory = NULL;
	if (item->count < 0 || item->count > UINT16_MAX)
		return kn__fail(fault, KN_USAGE, "a statement cannot have %d parameters", item->count);
	if (!init(conn, parameters, item->count))
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	kn__buf_clear(&conn->scratch);
	for (int i = 0; i < item->count; i++)
	{
		const char *why = "";
		kn__parameter parameter;
		kn_status status = kn__encode(&conn->scratch, &item->values[i], &parameter, &why);

		if (status == KN_OK && parameter.format == 0)
			status = end_text(&conn->scratch, &parameter, &why);
		if (status != KN_OK)
		{
			(void) kn__fail(fault, status, "parameter $%d: %s", i + 1, why);
			kn__fault_text(fault, &fault->error.sql, item->sql);
			return status;
		}
		parameters->types[i] = parameter.oid;
		parameters->formats[i] = parameter.format;
		parameters->lengths[i] = parameter.length;
		parameters->values[i] = parameter.data;
		parameters->offsets[i] = parameter.offset;
	}
	/* It may have moved as it grew. */
	for (int i = 0; i < item->count; i++)
	{
		if (parameters->lengths[i] < 0)
			parameters->values[i] = NULL;
		else if (parameters->values[i] == NULL)
			parameters->values[i] = conn->scratch.data + parameters->offsets[i];
	}
	return check_size(parameters, item, fault);
}

/* To a message that is larger the server says nothing, and hangs up. */
static kn_status
check_size(const Parameters *parameters, const kn__item *item, kn__fault *fault)
{
	int64_t room = MESSAGE_MOST - MESSAGE_HEAD;

	for (int i = 0; i < item->count; i++)
	{
		room -= PARAMETER_HEAD + (parameters->lengths[i] > 0 ? parameters->lengths[i] : 0);
		if (room >= 0)
			continue;
		(void) kn__fail(
			fault,
			KN_DATA,
			"parameter $%d: with those before it, it is more than one message to the server takes",
			i + 1);
		kn__fault_text(fault, &fault->error.sql, item->sql);
		return KN_DATA;
	}
	return KN_OK;
}

/* libpq takes text up to a NUL, so it gets a copy that has one, and none before the end. */
static kn_status
end_text(kn__buf *scratch, kn__parameter *parameter, const char **why)
{
	const char *text = parameter->data;

	if (parameter->length < 0 || text == NULL)
		return KN_OK;
	if (memchr(text, '\0', (size_t) parameter->length) != NULL)
	{
		*why = "text must not have a NUL in it";
		return KN_DATA;
	}
	parameter->offset = scratch->length;
	parameter->data = NULL;
	kn__buf_add(scratch, text, (size_t) parameter->length);
	kn__buf_add(scratch, "", 1);
	*why = "out of memory";
	return scratch->has_failed ? KN_NO_MEMORY : KN_OK;
}

static bool
init(kn__conn *conn, Parameters *parameters, int count)
{
	size_t n = (size_t) count;
	char *at;

	parameters->values = parameters->few_values;
	parameters->offsets = parameters->few_offsets;
	parameters->types = parameters->few_types;
	parameters->lengths = parameters->few_lengths;
	parameters->formats = parameters->few_formats;
	if (count <= FEW)
		return true;
	parameters->size = n * (sizeof(char *) + sizeof(size_t) + sizeof(Oid) + 2 * sizeof(int));
	parameters->memory = kn__allocate(conn->allocator, parameters->size);
	if (parameters->memory == NULL)
		return false;
	at = parameters->memory;
	parameters->values = (const char **) (void *) at;
	at += n * sizeof(char *);
	parameters->offsets = (size_t *) (void *) at;
	at += n * sizeof(size_t);
	parameters->types = (Oid *) (void *) at;
	at += n * sizeof(Oid);
	parameters->lengths = (int *) (void *) at;
	at += n * sizeof(int);
	parameters->formats = (int *) (void *) at;
	return true;
}

static void
release(kn__conn *conn, Parameters *parameters)
{
	if (parameters->memory != NULL)
		kn__release(conn->allocator, parameters->memory, parameters->size);
}

static bool
send(kn__conn *conn, kn__item *item, const Parameters *parameters, bool in_pipeline, kn__sent *sent)
{
	bool may_prepare = !conn->never_prepares && !item->never_prepare;
	bool must_prepare;
	int format;
	kn__prepared *entry;

	memset(sent, 0, sizeof(*sent));
	sent->key = kn__send_key(item);
	format = item->wants_rows && kn__memo_find(conn->shapes, sent->key) == KN__SHAPE_BINARY;
	entry =
		!may_prepare
			? NULL
			: kn__prepared_find(&conn->cache, conn->allocator, sent->key, item->sql, item->length);
	/* Parse and Execute at a time take a pipeline; alone, it has to be prepared by now. */
	must_prepare = entry != NULL && !entry->is_prepared && entry->uses >= conn->prepare_after;
	sent->is_due = must_prepare && !in_pipeline;
	if (sent->is_due)
		return true;
	if (must_prepare)
	{
		if (!PQsendPrepare(conn->pg, entry->name, item->sql, item->count, parameters->types))
			return false;
		sent->is_prepare = true;
		entry->is_prepared = true;
	}
	if (entry != NULL)
		entry->uses++;
	if (entry != NULL && entry->is_prepared)
	{
		sent->is_by_name = true;
		sent->is_fit = entry->is_fit;
		return PQsendQueryPrepared(conn->pg,
								   entry->name,
								   item->count,
								   parameters->values,
								   parameters->lengths,
								   parameters->formats,
								   format) != 0;
	}
	return PQsendQueryParams(conn->pg,
							 item->sql,
							 item->count,
							 parameters->types,
							 parameters->values,
							 parameters->lengths,
							 parameters->formats,
							 format) != 0;
}
