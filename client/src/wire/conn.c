/*
 * conn.c
 *		Opening and closing a connection, and what state it is in.
 *
 * Connecting goes step by step under the deadline.  Only the look-up of a host's
 * name is libpq's own, and blocks for as long as the resolver does; give hostaddr
 * where that matters.
 */
#include "wire/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/conninfo.h"
#include "wire/hosts.h"
#include "wire/words.h"

#define MOST_RECORDS 16 /* that are looked at before one is handed out */

static kn_status connect_to(kn__conn *conn, const kn__conn_options *options, const kn__wait *wait,
							kn__fault *fault);
static kn_status check_encoding(kn__conn *conn, kn__fault *fault);
static kn_status connect_to_one(kn__conn *conn, kn__hosts *hosts, const kn__wait *wait,
								kn__fault *fault);
static kn_status poll_connect(kn__conn *conn, kn__hosts *hosts, const kn__wait *wait,
							  bool *is_silent, kn__fault *fault);
static kn_status fail_connect(kn__conn *conn, kn__waited waited, kn__fault *fault);
static kn_status settle(kn__conn *conn, const kn__wait *wait, kn__fault *fault);
static void take_notice(void *user, const PGresult *result);

/* Literals of dates and intervals come as text where a statement has a column without a codec. */
static const char *const settings[KN__SETTLED][3] = {
	{ "DateStyle", "ISO,", "SET DateStyle = ISO" },
	{ "IntervalStyle", "postgres", "SET IntervalStyle = postgres" },
	{ "standard_conforming_strings", "on", "SET standard_conforming_strings = on" },
};

kn_status
kn__conn_open(kn__conn **out, const kn__conn_options *options, const kn__wait *wait,
			  kn__fault *fault)
{
	kn__conn *conn = kn__allocate_zero(options->allocator, 1, sizeof(kn__conn));
	kn_status status;

	*out = NULL;
	if (conn == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	conn->allocator = options->allocator;
	conn->clock = options->clock;
	conn->shapes = options->shapes;
	conn->known = options->known;
	conn->prepare_after = options->prepare_after;
	conn->cancel_ns = options->cancel_ns;
	conn->give_up_at = KN__NEVER;
	conn->cancels = options->cancels;
	conn->notice = options->notice;
	conn->user = options->user;
	conn->never_prepares = options->cache_count <= 0;
	conn->borrows_wake = options->wake != NULL;
	conn->wake[0] = options->wake == NULL ? -1 : options->wake[0];
	conn->wake[1] = options->wake == NULL ? -1 : options->wake[1];
	conn->watch = -1;
	conn->alarm = NULL;
	kn__buf_init(&conn->scratch, conn->allocator, SIZE_MAX / 2);
	if (!kn__prepared_init(&conn->cache,
						   conn->allocator,
						   options->cache_count,
						   options->cache_bytes))
		status = kn__fail(fault, KN_NO_MEMORY, "out of memory");
	else if (!conn->borrows_wake && !kn__wake_open(conn->wake))
		status = kn__fail(fault, KN_UNAVAILABLE, "out of file descriptors");
	else
		status = connect_to(conn, options, wait, fault);
	if (status != KN_OK)
	{
		kn__conn_close(conn);
		return status;
	}
	*out = conn;
	return KN_OK;
}

static kn_status
connect_to(kn__conn *conn, const kn__conn_options *options, const kn__wait *wait, kn__fault *fault)
{
	kn__hosts hosts;
	kn_status status;

	if (kn__hosts_init(&hosts, conn->allocator, options->keywords, options->values))
		status = connect_to_one(conn, &hosts, wait, fault);
	else
		status = kn__fail(fault, KN_NO_MEMORY, "out of memory");
	kn__hosts_release(&hosts);
	if (status != KN_OK)
		return status;
	status = check_encoding(conn, fault);
	if (status != KN_OK)
		return status;
	/* What is in the rows is not to be found in what libpq says of itself. */
	(void) PQsetErrorVerbosity(conn->pg, PQERRORS_SQLSTATE);
	if (PQsetnonblocking(conn->pg, 1) != 0)
		return kn__fault_of_conn(fault, conn, KN_CONN_LOST);
	kn__wait_watch(conn);
	/* A byte in a pipe that is borrowed would mean something to its owner. */
	if (conn->watch >= 0 && options->alarm != NULL && !conn->borrows_wake)
	{
		conn->alarm = options->alarm;
		kn__alarm_add(conn->alarm, &conn->bell, conn->wake[1]);
	}
	return settle(conn, wait, fault);
}

/* It was asked for, but what is between need not have heeded that. */
static kn_status
check_encoding(kn__conn *conn, kn__fault *fault)
{
	const char *encoding = PQparameterStatus(conn->pg, "client_encoding");

	conn->encoding = PQclientEncoding(conn->pg);
	if (encoding == NULL || strcmp(encoding, KN__ENCODING) == 0 ||
		strcmp(encoding, "SQL_ASCII") == 0)
		return KN_OK;
	return kn__fail(fault,
					KN_CONFIG,
					"the session's client_encoding is %s, but has to be " KN__ENCODING
					" or SQL_ASCII",
					encoding);
}

/* The first of them that will do; what is silent for too long is passed over. */
static kn_status
connect_to_one(kn__conn *conn, kn__hosts *hosts, const kn__wait *wait, kn__fault *fault)
{
	bool is_silent;
	kn_status status;

	do
	{
		PQfinish(conn->pg);
		conn->pg = kn__hosts_start(hosts);
		if (conn->pg == NULL)
			return kn__fail(fault, KN_NO_MEMORY, "out of memory");
		(void) PQsetNoticeReceiver(conn->pg, take_notice, conn);
		/* Verbose errors have the SQLSTATE in them: libpq does not tell it here otherwise. */
		(void) PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE);
		status = poll_connect(conn, hosts, wait, &is_silent, fault);
	} while (is_silent && kn__hosts_drop(hosts));
	if (status != KN_OK && hosts->silent != NULL)
		kn__fault_text(fault, &fault->error.detail, hosts->silent);
	return status;
}

/* is_silent: the host that is being asked has had its share of the time, and there is more. */
static kn_status
poll_connect(kn__conn *conn, kn__hosts *hosts, const kn__wait *wait, bool *is_silent,
			 kn__fault *fault)
{
	kn__wait share = *wait;

	*is_silent = false;
	if (PQstatus(conn->pg) == CONNECTION_BAD)
		return fail_connect(conn, KN__WAITED_ERROR, fault);
	for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;)
	{
		kn__waited waited;

		/* The socket may be another one at each step, for a host may have several addresses. */
		share.deadline = kn__hosts_until(hosts, conn->pg, kn__now(conn->clock), wait->deadline);
		waited = kn__wait_connect(conn, next == PGRES_POLLING_WRITING, &share);
		*is_silent = waited == KN__WAITED_TIMEOUT && share.deadline < wait->deadline;
		if (waited == KN__WAITED_ERROR)
			return kn__fail(fault, KN_CONN_LOST, "given up while connecting");
		if (waited != KN__WAITED_READY)
			return fail_connect(conn, waited, fault);
		next = PQconnectPoll(conn->pg);
		if (next == PGRES_POLLING_FAILED)
			return fail_connect(conn, KN__WAITED_ERROR, fault);
	}
	return KN_OK;
}

static kn_status
fail_connect(kn__conn *conn, kn__waited waited, kn__fault *fault)
{
	const char *host = PQhost(conn->pg);

	if (waited == KN__WAITED_CANCELED)
		return kn__fail(fault, KN_CANCELED, "cancelled while connecting");
	if (waited == KN__WAITED_TIMEOUT)
		return kn__fail(fault,
						KN_CONN_LOST,
						"connecting to server \"%s\" took too long",
						host == NULL ? "" : host);
	return kn__fault_of_connect(fault,
								PQerrorMessage(conn->pg),
								PQconnectionNeedsPassword(conn->pg) != 0);
}

/* Whether a setting has that value; one that ends in a comma is the first of a list. */
static bool
is_of(const char *now, const char *value)
{
	size_t length = strlen(value);

	return strncmp(now, value, length) == 0 && (now[length] == '\0' || value[length - 1] == ',');
}

/* A server whose defaults print dates or read strings otherwise is told how; most need no round
 * trip for that. */
static kn_status
settle(kn__conn *conn, const kn__wait *wait, kn__fault *fault)
{
	for (size_t i = 0; i < KN__SETTLED; i++)
	{
		const char *now = PQparameterStatus(conn->pg, settings[i][0]);
		kn__item item = { .sql = settings[i][2], .never_prepare = true };
		kn__outcome outcome;
		kn_status status;

		if (now == NULL || is_of(now, settings[i][1]))
			continue;
		item.length = strlen(item.sql);
		conn->settled[i] = item.sql;
		status = kn__flight(conn, &item, 1, wait, &outcome, fault);
		if (status != KN_OK)
			return status;
	}
	return KN_OK;
}

void
kn__conn_close(kn__conn *conn)
{
	if (conn == NULL)
		return;
	kn__stream_forget(conn);
	kn__copy_forget(conn);
	if (conn->alarm != NULL)
		kn__alarm_remove(conn->alarm, &conn->bell);
	if (conn->pg != NULL)
		PQfinish(conn->pg);
	for (int i = 0; i < 2; i++)
	{
		if (conn->wake[i] >= 0 && !conn->borrows_wake)
			(void) close(conn->wake[i]);
	}
	if (conn->watch >= 0)
		(void) close(conn->watch);
	kn__prepared_release(&conn->cache, conn->allocator);
	kn__buf_release(&conn->scratch);
	kn__release(conn->allocator, conn, sizeof(kn__conn));
}

/*
 * PQfinish() would say good-bye to the server, and end the session of the parent, whose
 * socket it is as well.  So libpq's part is left behind, but for the descriptor.
 */
void
kn__conn_forget(kn__conn *conn)
{
	if (conn == NULL)
		return;
	if (conn->pg != NULL && PQsocket(conn->pg) >= 0)
		(void) close(PQsocket(conn->pg));
	conn->pg = NULL;
	/* A thread of the parent's may have its lock for ever. */
	conn->alarm = NULL;
	kn__conn_close(conn);
}

bool
kn__conn_is_alive(kn__conn *conn)
{
	char byte;
	ssize_t length;

	if (KN__UNLIKELY(conn->is_broken))
		return false;
	if (KN__LIKELY(kn__wait_is_quiet(conn)))
		return true;
	length = recv(PQsocket(conn->pg), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (length < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
	if (length == 0)
		return false;
	/* An error to nobody in particular is the server's good-bye; TLS hides which byte it is. */
	if (byte == 'E' && !PQsslInUse(conn->pg))
		return false;
	/* One record of TLS at a time: the last one may say that there will be no more. */
	for (int i = 0; i < MOST_RECORDS && length > 0; i++)
	{
		if (!PQconsumeInput(conn->pg))
			return false;
		(void) PQisBusy(conn->pg); /* takes in notices, settings and notifications */
		if (conn->is_broken || PQstatus(conn->pg) != CONNECTION_OK)
			return false;
		length = recv(PQsocket(conn->pg), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	}
	return length != 0;
}

int64_t
kn__conn_gives_up_at(const kn__conn *conn)
{
	return conn->give_up_at;
}

bool
kn__conn_is_silent(const kn__conn *conn)
{
	return conn->is_silent;
}

bool
kn__conn_is_deaf(const kn__conn *conn)
{
	return conn->is_silent && conn->was_heard;
}

bool
kn__conn_is_clean(const kn__conn *conn)
{
	/* What is not connected any more is not idle either. */
	return !conn->is_broken && !conn->is_soiled && conn->stream == NULL && conn->copy == NULL &&
		   PQtransactionStatus(conn->pg) == PQTRANS_IDLE &&
		   PQpipelineStatus(conn->pg) == PQ_PIPELINE_OFF &&
		   PQclientEncoding(conn->pg) == conn->encoding;
}

bool
kn__conn_in_transaction(const kn__conn *conn)
{
	PGTransactionStatusType status = PQtransactionStatus(conn->pg);

	return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

bool
kn__conn_in_failed_transaction(const kn__conn *conn)
{
	return PQtransactionStatus(conn->pg) == PQTRANS_INERROR;
}

void
kn__conn_soil(kn__conn *conn)
{
	conn->is_soiled = true;
}

void
kn__conn_wake(kn__conn *conn)
{
	kn__wake_send(conn->wake[1]);
}

const char *
kn__conn_setting(const kn__conn *conn, const char *name)
{
	return PQparameterStatus(conn->pg, name);
}

int
kn__conn_server_version(const kn__conn *conn)
{
	return PQserverVersion(conn->pg);
}

int
kn__conn_pid(const kn__conn *conn)
{
	return PQbackendPID(conn->pg);
}

void
kn__conn_never_prepare(kn__conn *conn)
{
	conn->never_prepares = true;
	kn__prepared_forget_all(&conn->cache, false);
}

bool
kn__conn_has_to_close(const kn__conn *conn)
{
	return conn->cache.closing.length > 0;
}

bool
kn__conn_has_given_up(const kn__conn *conn)
{
	return conn->has_given_up;
}

bool
kn__conn_uses_tls(const kn__conn *conn)
{
	return PQsslInUse(conn->pg) != 0;
}

/*
 * Nothing is ever printed: whoever wants to know of a notice has said so.  While nothing is under
 * way, the server's good-bye is a notice to libpq.
 */
static void
take_notice(void *user, const PGresult *result)
{
	kn__conn *conn = user;
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const kn__words words = kn__words_of(result);

	if (severity == NULL)
		severity = PQresultErrorField(result, PG_DIAG_SEVERITY);
	if (severity != NULL && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0))
		conn->is_broken = true;
	/* A request to cancel, or to end the session, has come when it had committed, but no standby
	 * had. */
	if (words.routine != NULL && strcmp(words.routine, "SyncRepWaitForLSN") == 0)
		conn->is_unreplicated = true;
	if (conn->notice != NULL)
		conn->notice(conn->user,
					 severity == NULL ? "NOTICE" : severity,
					 message == NULL ? PQresultErrorMessage(result) : message,
					 kn__words_notice_may_quote(&words));
}
