/*
 * kill_bytes.c
 *		Calls whose connection is lost after any number of bytes, in either direction.
 *
 * Nobody knows what the bytes mean: they may be in the middle of a message or of a record of TLS.
 * Where they end is drawn by lot; KN_TEST_SEED repeats it.
 */
#include "gate.h"
#include "kill.h"

#define DRAWS       3 /* for each deed, direction and loss */
#define PATIENCE_MS 80
#define CANCEL_MS   30

static uint64_t seed;

static int64_t
draw(int64_t most)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int64_t) ((seed >> 33) % (uint64_t) most);
}

/* What a deed is done with: a gate, and a handle that is connected through it. */
typedef struct stage
{
	gate gate;
	scene scene;
	kn_db *db;
	kn_ctx *cx;
} stage;

static void
stage_begin(stage *s, const deed *d, loss by)
{
	char conninfo[160];

	scene_begin(&s->scene);
	gate_start(&s->gate);
	s->gate.cut_by = by;
	(void) snprintf(conninfo,
					sizeof(conninfo),
					"host=127.0.0.1 port=%d application_name=kn_kill",
					s->gate.port);
	OPEN(s->db,
		 .conninfo = conninfo,
		 .max_connections = 2,
		 .stable_functions = "kn_pause",
		 .cancel_ms = by == LOSS_SILENCE ? CANCEL_MS : 1000,
		 .allocator = &s->scene.allocator,
		 .cache = &s->scene.cache);
	s->cx = kn_begin(s->db, .claims = claims_of(d), .timeout_ms = 20000);
	EXPECT_OK(s->cx, kn_exec(s->cx, "SELECT 0"));
}

static void
stage_end(stage *s)
{
	kn_end(s->cx);
	close_even(s->db);
	gate_end(&s->gate);
	scene_end(&s->scene);
}

/* How many bytes pass while it is done. */
static void
measure(const deed *d, int64_t bytes[2])
{
	stage s;

	stage_begin(&s, d, LOSS_CLOSE);
	gate_set_both(&s.gate, FLOW_PASS, 0);
	EXPECT(s.cx, d->act(&s.scene, s.cx), d->kind == DEED_ROLLS_BACK ? KN_CONFLICT : KN_OK);
	bytes[TO_SERVER] = gate_passed(&s.gate, TO_SERVER);
	bytes[TO_CLIENT] = gate_passed(&s.gate, TO_CLIENT);
	stage_end(&s);
}

static bool
is_expected(const deed *d, loss by, kn_status status)
{
	/* What is wanted, and nothing else that has an end. */
	if (status == KN_OK || status == KN_CONFLICT)
		return (status == KN_CONFLICT) == (d->kind == DEED_ROLLS_BACK);
	if (status == KN_OUTCOME_UNKNOWN)
		return d->kind == DEED_WRITES ||
			   (by == LOSS_SILENCE && !only_reads(d) && d->kind != DEED_ROLLS_BACK);
	/* Rows have been handed out by then, or what is lost is the COMMIT of what has only read. */
	if (status == KN_CONN_LOST)
		return only_reads(d) && (d->streams || (by == LOSS_SILENCE && d->kind == DEED_IN_A_BODY));
	return status == KN_TIMEOUT && by == LOSS_SILENCE;
}

static void
play(const deed *d, direction to, loss by, int64_t after)
{
	stage s;
	kn_status status;
	bool is_cut;

	mark_point();
	stage_begin(&s, d, by);
	if (by == LOSS_SILENCE)
		kn_set_timeout(s.cx, PATIENCE_MS);
	gate_set(&s.gate, to, FLOW_CUT, after);
	status = d->act(&s.scene, s.cx);
	is_cut = !gate_is_whole(&s.gate, to);
	gate_open(&s.gate);
	ck_assert_int_eq(stats_of(s.db).busy, 0);
	check_truth(&s.scene, s.cx, d, status);
	ck_assert_msg(is_expected(d, by, status),
				  "%s, %d bytes to the %s: %s [%s] %s",
				  d->name,
				  (int) after,
				  to == TO_SERVER ? "server" : "client",
				  kn_status_name(status),
				  kn_last_error(s.cx)->sqlstate,
				  kn_last_error(s.cx)->message);
	/* And all goes on. */
	kn_set_timeout(s.cx, 20000);
	EXPECT_OK(s.cx, kn_exec(s.cx, "SELECT 1"));
	stage_end(&s);
	*combinations += is_cut;
}

START_TEST(is_lost)
{
	const deed *d = &deeds[_i];
	int before = *combinations;
	int64_t bytes[2];

	measure(d, bytes);
	for (int by = 0; by < LOSS_COUNT; by++)
	{
		for (int i = 0; i < (by == LOSS_SILENCE ? 1 : DRAWS); i++)
		{
			play(d, TO_SERVER, (loss) by, draw(bytes[TO_SERVER]));
			play(d, TO_CLIENT, (loss) by, draw(bytes[TO_CLIENT]));
		}
	}
	/* Under a deadline some are over before. */
	ck_assert_int_ge(*combinations - before, 2 * DRAWS);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up_kill, NULL);
	LOOP(tcase, is_lost, deeds);
}

int
main(void)
{
	const char *given = getenv("KN_TEST_SEED");
	int status;

	seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t) time(NULL);
	(void) printf("KN_TEST_SEED=%llu\n", (unsigned long long) seed);
	(void) fflush(stdout);
	combinations_begin();
	status = suite_run("kill_bytes", fill);
	(void) printf("%d connections lost, of %d calls\n", *combinations, COUNT(deeds));
	return status;
}
