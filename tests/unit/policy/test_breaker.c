/*
 * test_breaker.c - schedules of calls and results against the breaker's promises.
 */
#include "breaker_moves.h"

#include "base/random.h"

enum { PERMITS = 64 };

/* resilience4j's CircuitBreakerStateMachineTest: 20 s, 5 calls; the fifth decides, a success
 * too. */
static void the_fifth_call_of_three_failures_opens(void **state)
{
    (void)state;
    struct breaker_rule rule = BASE_RULE;
    rule.window_ms = 20000;
    rule.minimum = 5;
    PLAY(&rule, {0, '-', 0, C}, {10, '-', 0, C}, {20, '-', 0, C}, {30, '+', 0, C},
         {40, '+', 0, O}, {50, 'x', 0, O});
}

static void below_the_minimum_nothing_opens(void **state)
{
    (void)state;
    PLAY(&BASE_RULE, {0, '-', 0, C}, {1, '-', 0, C}, {2, '-', 0, C}, {3, '0', 0, C},
         {4, '0', 0, C}, {5, '-', 0, O});
}

static void calls_older_than_the_window_do_not_count(void **state)
{
    (void)state;
    PLAY(&BASE_RULE, {0, '-', 0, C}, {1, '-', 0, C}, {2, '-', 0, C}, {10000, '-', 0, C},
         {10001, '+', 0, C}, {10002, '+', 0, C}, {10003, '+', 0, C});
    PLAY(&BASE_RULE, {0, '-', 0, C}, {1, '-', 0, C}, {2, '-', 0, C}, {9999, '-', 0, O});
    PLAY(&BASE_RULE, {0, '-', 0, C}, {1, '-', 0, C}, {2, '-', 0, C}, {1000000, '-', 0, C});
}

static void business_refusals_never_open(void **state)
{
    (void)state;
    struct breaker breaker;
    struct breaker_permit permit;
    breaker_init(&breaker, 0);
    for (int i = 0; i < 1000; i++) {
        assert_true(breaker_allow(&breaker, &BASE_RULE, i, LEASE_MS, &permit));
        breaker_record(&breaker, &BASE_RULE, i, &permit,
                       breaker_result_of(&BASE_RULE, ERROR_KIND_REJECTED));
    }
    assert_int_equal(breaker_state(&breaker, 1000), BREAKER_CLOSED);
    static const struct {
        enum error_kind kind;
        enum breaker_result result;
    } ROWS[] = {
        {ERROR_KIND_TIMEOUT, BREAKER_FAILURE},     {ERROR_KIND_TRANSPORT, BREAKER_FAILURE},
        {ERROR_KIND_UNAVAILABLE, BREAKER_FAILURE}, {ERROR_KIND_THROTTLED, BREAKER_FAILURE},
        {ERROR_KIND_CRASHED, BREAKER_FAILURE},     {ERROR_KIND_REJECTED, BREAKER_NEUTRAL},
        {ERROR_KIND_CANCELLED, BREAKER_NEUTRAL},   {ERROR_KIND_INVALID, BREAKER_NEUTRAL},
        {ERROR_KIND_EXPIRED, BREAKER_NEUTRAL},     {ERROR_KIND_BREAKER_OPEN, BREAKER_NEUTRAL},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_int_equal(breaker_result_of(&BASE_RULE, ROWS[i].kind), ROWS[i].result);
}

/* clang-format off */
#define TRIP {0, '-', 0, C}, {0, '-', 0, C}, {0, '-', 0, C}, {0, '-', 0, O}
/* clang-format on */

static void as_many_probes_as_the_rule_says_and_no_more(void **state)
{
    (void)state;
    PLAY(&BASE_RULE, TRIP, {1999, 'x', 0, O}, {2000, 't', 1, H}, {2000, 't', 2, H},
         {2000, 't', 3, H}, {2000, 'x', 0, H}, {2100, 's', 1, H}, {2100, 'x', 0, H},
         {2200, 's', 2, H}, {2300, 's', 3, C}, {2300, '+', 0, C});
}

static void it_opens_again_when_the_share_cannot_be_met(void **state)
{
    (void)state;
    struct breaker_rule rule = BASE_RULE;
    rule.probes = 4; /* 2 of 4 are 50 % */
    PLAY(&rule, TRIP, {2000, '-', 0, H}, {2000, '+', 0, H}, {2000, '+', 0, H},
         {2000, '+', 0, C});
    PLAY(&rule, TRIP, {2000, '-', 0, H}, {2000, '+', 0, H}, {2000, '-', 0, O},
         {5999, 'x', 0, O}, {6000, '+', 0, H});
    rule.failures_percent = 100;
    PLAY(&rule, TRIP, {2000, '-', 0, H}, {2000, '-', 0, H}, {2000, '-', 0, H},
         {2000, '+', 0, C});
}

static void neutral_probes_give_their_place_back(void **state)
{
    (void)state;
    PLAY(&BASE_RULE, TRIP, {2000, 't', 1, H}, {2000, 't', 2, H}, {2000, 't', 3, H},
         {2001, 'x', 0, H}, {2002, 'n', 2, H}, {2003, 't', 2, H}, {2003, 'x', 0, H},
         {2004, 's', 1, H}, {2004, 's', 2, H}, {2004, 's', 3, C});
}

static void lost_probes_give_their_place_back_when_their_lease_ends(void **state)
{
    (void)state;
    PLAY(&BASE_RULE, TRIP, {2000, 't', 1, H}, {2000, 't', 2, H}, {2100, 't', 3, H},
         {2999, 'x', 0, H}, {3000, 't', 4, H}, {3000, 't', 5, H}, {3000, 'x', 0, H},
         {3001, 'f', 1, H} /* their leases have ended */, {3001, 'f', 2, H}, {3001, 's', 3, H},
         {3001, 'x', 0, H}, {3002, 's', 4, H}, {3003, 's', 5, C});
    PLAY(&BASE_RULE, TRIP, {2000, 't', 1, H}, {3000, 'f', 1, H}, {3001, '-', 0, H},
         {3002, '-', 0, O});
}

static void results_of_an_earlier_state_are_dropped(void **state)
{
    (void)state;
    struct breaker_rule rule = BASE_RULE;
    rule.probes = 1;
    /* a call from before, reported while half-open and after */
    PLAY(&rule, {0, 't', 1, C}, {0, 't', 2, C}, {0, 't', 3, C}, TRIP, {1, 'f', 1, O},
         {2000, 't', 4, H}, {2001, 's', 2, H}, {2002, 's', 4, C}, {2003, 'f', 3, C});
    /* a probe from the first round, reported in the second */
    PLAY(&rule, TRIP, {2000, 't', 1, H}, {3000, '-', 0, O}, {7000, 't', 2, H},
         {7000, 's', 1, H}, {7001, 'f', 1, H}, {7002, 's', 2, C});
    /* reported twice */
    rule.probes = 2;
    PLAY(&rule, TRIP, {2000, 't', 1, H}, {2001, 's', 1, H}, {2002, 's', 1, H},
         {2003, '+', 0, C});
}

static void the_open_time_doubles_up_to_its_maximum(void **state)
{
    (void)state;
    static const duration_ms OPEN_MS[] = {2000, 4000, 8000, 16000, 30000, 30000, 30000};
    struct breaker_rule rule = BASE_RULE;
    rule.probes = 1;
    struct breaker breaker;
    struct breaker_permit permit;
    instant_ms now = 5;
    breaker_init(&breaker, now);
    for (int i = 0; i < 4; i++) {
        assert_true(breaker_allow(&breaker, &rule, now, LEASE_MS, &permit));
        breaker_record(&breaker, &rule, now, &permit, BREAKER_FAILURE);
    }
    for (size_t i = 0; i < sizeof OPEN_MS / sizeof *OPEN_MS; i++) {
        assert_int_equal(breaker_next(&breaker, &rule, now), now + OPEN_MS[i]);
        assert_false(breaker_allow(&breaker, &rule, now + OPEN_MS[i] - 1, LEASE_MS, &permit));
        now += OPEN_MS[i];
        assert_int_equal(breaker_next(&breaker, &rule, now), now);
        assert_true(breaker_allow(&breaker, &rule, now, LEASE_MS, &permit));
        breaker_record(&breaker, &rule, now, &permit, BREAKER_FAILURE);
    }
    rule.open_ms = rule.open_max_ms = INT64_MAX / 2;
    for (int i = 0; i < 300; i++) { /* further than its counter counts */
        now = breaker_next(&breaker, &rule, now);
        rule.open_max_ms = 10;
        rule.open_ms = 10;
        assert_true(breaker_allow(&breaker, &rule, now, LEASE_MS, &permit));
        breaker_record(&breaker, &rule, now, &permit, BREAKER_FAILURE);
        assert_int_equal(breaker_state(&breaker, now), BREAKER_OPEN);
    }
}

static void failing_while_it_ramps_goes_on_doubling(void **state)
{
    (void)state;
    struct breaker_rule rule = BASE_RULE;
    rule.probes = 1;
    rule.minimum = 1;
    rule.ramp_ms = 1000;
    PLAY(&rule, {0, '-', 0, O}, {2000, '+', 0, C}, {2001, '-', 0, O}, {6000, 'x', 0, O},
         {6001, '+', 0, C}, {7001, '-', 0, O} /* recovered before */, {9000, 'x', 0, O},
         {9001, '+', 0, C});
}

/* Of every 100 asked at each tenth of the ramp, its share goes: 10 % at first, as in Envoy. */
static void after_closing_a_growing_share_goes(void **state)
{
    (void)state;
    static const uint32_t SHARES[] = {10, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 100};
    struct breaker_rule rule = BASE_RULE;
    rule.probes = 1;
    rule.minimum = 1;
    rule.ramp_ms = 5000;
    struct breaker breaker;
    struct breaker_permit permit;
    breaker_init(&breaker, 0);
    assert_true(breaker_allow(&breaker, &rule, 0, LEASE_MS, &permit));
    assert_int_equal(breaker_share_percent(&breaker, &rule, 0), 100);
    breaker_record(&breaker, &rule, 0, &permit, BREAKER_FAILURE);
    assert_int_equal(breaker_share_percent(&breaker, &rule, 1), 0);
    assert_true(breaker_allow(&breaker, &rule, 2000, LEASE_MS, &permit));
    breaker_record(&breaker, &rule, 2000, &permit, BREAKER_SUCCESS);
    for (size_t i = 0; i < sizeof SHARES / sizeof *SHARES; i++) {
        instant_ms now = 2000 + (instant_ms)i * 500;
        uint32_t gone = 0;
        assert_int_equal(breaker_share_percent(&breaker, &rule, now), SHARES[i]);
        assert_true((breaker_next(&breaker, &rule, now) == now) == (SHARES[i] == 100));
        for (int asked = 0; asked < 100; asked++) {
            bool allowed = breaker_allow(&breaker, &rule, now, LEASE_MS, &permit);
            assert_true(allowed || i > 0 || asked > 0); /* the first goes */
            gone += allowed ? 1 : 0;
        }
        assert_int_equal(gone, SHARES[i]);
    }
}

static void what_is_shown_is_what_opened_it(void **state)
{
    (void)state;
    struct breaker_rule rule = BASE_RULE;
    rule.minimum = 118;
    struct breaker breaker;
    struct breaker_permit permit;
    breaker_init(&breaker, 100);
    for (int i = 0; i < 118; i++) {
        assert_true(breaker_allow(&breaker, &rule, 200, LEASE_MS, &permit));
        breaker_record(&breaker, &rule, 200 + i, &permit,
                       i < 73 ? BREAKER_FAILURE : BREAKER_SUCCESS);
    }
    struct breaker_view view = breaker_view(&breaker, &rule, 2000);
    assert_int_equal(view.state, BREAKER_OPEN);
    assert_int_equal(view.calls, 118);
    assert_int_equal(view.failures, 73);
    assert_int_equal(view.failures_percent, 61);
    assert_int_equal(view.window_ms, 10000);
    assert_int_equal(view.since, 317);
    assert_int_equal(view.next, 2317);
    assert_int_equal(view.admitted_percent, 0);
    assert_true(breaker_allow(&breaker, &rule, 2317, LEASE_MS, &permit));
    assert_true(breaker_allow(&breaker, &rule, 2317, LEASE_MS, &permit));
    breaker_record(&breaker, &rule, 2318, &permit, BREAKER_SUCCESS);
    view = breaker_view(&breaker, &rule, 2318);
    assert_int_equal(view.state, BREAKER_HALF_OPEN);
    assert_int_equal(view.calls, 118);
    assert_int_equal(view.probes_out, 1);
    assert_int_equal(view.probes_judged, 1);
    assert_int_equal(breaker_free_probes(&breaker, &rule, 2318), 1);
}

static void looking_changes_nothing(void **state)
{
    (void)state;
    struct breaker breaker;
    struct breaker_permit permit;
    breaker_init(&breaker, 0);
    for (int i = 0; i < 3; i++) {
        assert_true(breaker_allow(&breaker, &BASE_RULE, 0, LEASE_MS, &permit));
        breaker_record(&breaker, &BASE_RULE, 0, &permit, BREAKER_FAILURE);
    }
    struct breaker before = breaker;
    assert_int_equal(breaker_view(&breaker, &BASE_RULE, 9000).failures, 3);
    assert_int_equal(breaker_view(&breaker, &BASE_RULE, 10000).failures, 0);
    assert_int_equal(breaker_view(&breaker, &BASE_RULE, 10000).failures_percent, 0);
    (void)breaker_next(&breaker, &BASE_RULE, 10000);
    assert_memory_equal(&before, &breaker, sizeof before);
}

static void time_that_steps_back_neither_frees_nor_holds(void **state)
{
    (void)state;
    /* an hour back while open: it waits the rest of its two seconds, no hour */
    PLAY(&BASE_RULE, {3600000, '-', 0, C}, {3600000, '-', 0, C}, {3600000, '-', 0, C},
         {3600000, '-', 0, O}, {3600500, 'x', 0, O}, {500, 'x', 0, O}, {1999, 'x', 0, O},
         {2000, '+', 0, H});
    /* an hour back while probes are out: their leases end in time */
    PLAY(&BASE_RULE, {3600000, '-', 0, C}, {3600000, '-', 0, C}, {3600000, '-', 0, C},
         {3600000, '-', 0, O}, {3602000, 't', 1, H}, {3602000, 't', 2, H}, {3602000, 't', 3, H},
         {2000, 'x', 0, H}, {2999, 'x', 0, H}, {3000, '+', 0, H});
    /* a little back: counted as now */
    PLAY(&BASE_RULE, {5000, '-', 0, C}, {4990, '-', 0, C}, {5000, '-', 0, C}, {4700, '-', 0, O},
         {6700, 'x', 0, O}, {6999, 'x', 0, O}, {7000, '+', 0, H});
    /* an hour back while closed: the window goes along */
    PLAY(&BASE_RULE, {3600000, '-', 0, C}, {3600000, '-', 0, C}, {3600000, '-', 0, C},
         {11, '-', 0, O});
    PLAY(&BASE_RULE, {3600000, '-', 0, C}, {3600000, '-', 0, C}, {3600000, '-', 0, C},
         {11, '0', 0, C}, {10011, '-', 0, C});
}

static void a_revised_rule_cannot_hold_a_round_for_ever(void **state)
{
    (void)state;
    struct breaker breaker;
    struct breaker_permit permit;
    struct breaker_rule rule = BASE_RULE;
    breaker_init(&breaker, 0);
    for (int i = 0; i < 4; i++) {
        assert_true(breaker_allow(&breaker, &rule, 0, LEASE_MS, &permit));
        breaker_record(&breaker, &rule, 0, &permit, BREAKER_FAILURE);
    }
    for (int i = 0; i < 2; i++) {
        assert_true(breaker_allow(&breaker, &rule, 2000, LEASE_MS, &permit));
        breaker_record(&breaker, &rule, 2000, &permit, BREAKER_SUCCESS);
    }
    rule.probes = 1;
    assert_int_equal(breaker_next(&breaker, &rule, 2001), 2001);
    assert_true(breaker_allow(&breaker, &rule, 2001, LEASE_MS, &permit));
    assert_int_equal(breaker_state(&breaker, 2001), BREAKER_CLOSED);
}

static void a_round_of_years_still_ends(void **state)
{
    (void)state;
    const instant_ms year = (instant_ms)365 * 24 * 3600 * 1000;
    PLAY(&BASE_RULE, TRIP, {2000, 't', 1, H}, {year, 't', 2, H}, {year, 't', 3, H},
         {year, 't', 4, H}, {year, 'x', 0, H}, {year + 999, 'x', 0, H}, {year + 999, 's', 2, H},
         {year + 1000, '+', 0, H}, {7 * year, '+', 0, C});
}

/* All rounds of up to eight probes in every order of results, at several shares. */
static void every_round_ends_as_its_share_says(void **state)
{
    (void)state;
    static const uint32_t PERCENTS[] = {1, 25, 34, 50, 51, 75, 99, 100};
    for (uint32_t p = 0; p < 8 * 8 * 256; p++) {
        struct breaker_rule rule = BASE_RULE;
        rule.failures_percent = PERCENTS[p % 8];
        rule.probes = p / 8 % 8 + 1;
        rule.minimum = 1;
        struct breaker breaker;
        struct breaker_permit permit;
        breaker_init(&breaker, 0);
        assert_true(breaker_allow(&breaker, &rule, 0, LEASE_MS, &permit));
        breaker_record(&breaker, &rule, 0, &permit, BREAKER_FAILURE);
        uint32_t failures = 0;
        for (uint32_t i = 0; i < rule.probes; i++) {
            bool fails = (p / 64 >> i & 1) != 0;
            assert_int_equal(breaker_state(&breaker, 2000), BREAKER_HALF_OPEN);
            assert_true(breaker_allow(&breaker, &rule, 2000, LEASE_MS, &permit));
            breaker_record(&breaker, &rule, 2000, &permit,
                           fails ? BREAKER_FAILURE : BREAKER_SUCCESS);
            failures += fails ? 1 : 0;
            if (failures * 100 >= rule.failures_percent * rule.probes)
                break;
        }
        bool opens = failures * 100 >= rule.failures_percent * rule.probes;
        assert_int_equal(breaker_state(&breaker, 2000), opens ? BREAKER_OPEN : BREAKER_CLOSED);
    }
}

/* The window against a list of all calls: a bucket is counted while it is one of the last ten.
 */
static void the_window_counts_what_a_list_would(void **state)
{
    (void)state;
    enum { CALLS = 3000 };
    static struct {
        instant_ms at;
        bool failed;
    } calls[CALLS];
    struct breaker_rule rule = BASE_RULE;
    rule.minimum = INT32_MAX;
    rule.window_ms = 1000;
    struct random random = {7};
    struct breaker breaker;
    struct breaker_permit permit;
    instant_ms now = 0;
    breaker_init(&breaker, 0);
    for (size_t i = 0; i < CALLS; i++) {
        now += (instant_ms)(random_up_to(&random, 30) == 0 ? random_up_to(&random, 1500)
                                                           : random_up_to(&random, 20));
        calls[i].at = now;
        calls[i].failed = random_up_to(&random, 2) == 0;
        assert_true(breaker_allow(&breaker, &rule, now, LEASE_MS, &permit));
        breaker_record(&breaker, &rule, now, &permit,
                       calls[i].failed ? BREAKER_FAILURE : BREAKER_SUCCESS);
        uint32_t count = 0;
        uint32_t failures = 0;
        for (size_t j = 0; j <= i; j++) {
            bool counts = calls[j].at / 100 > now / 100 - 10;
            count += counts ? 1 : 0;
            failures += counts && calls[j].failed ? 1 : 0;
        }
        struct breaker_view view = breaker_view(&breaker, &rule, now);
        assert_int_equal(view.calls, count);
        assert_int_equal(view.failures, failures);
    }
}

/* A world of callers: calls go out, come back late, twice or never, and time does as it likes.
 */
struct world {
    struct breaker breaker;
    struct breaker_rule rule;
    struct random random;
    instant_ms now;
    struct breaker_permit permits[PERMITS];
    instant_ms until[PERMITS]; /* the lease's end; 0: nothing is out */
    size_t out;
};

static void move_time(struct world *world)
{
    uint64_t dice = random_up_to(&world->random, 99);
    if (dice < 60)
        world->now += (instant_ms)random_up_to(&world->random, 20);
    else if (dice < 63)
        world->now += (instant_ms)random_up_to(&world->random, 5000);
}

static void ask(struct world *world)
{
    struct breaker_permit permit = {0};
    enum breaker_state before = breaker_state(&world->breaker, world->now);
    uint32_t free_probes = breaker_free_probes(&world->breaker, &world->rule, world->now);
    bool allowed = breaker_allow(&world->breaker, &world->rule, world->now, LEASE_MS, &permit);
    if (before == BREAKER_OPEN)
        assert_false(allowed);
    if (before == BREAKER_HALF_OPEN)
        assert_true(allowed == (free_probes > 0));
    if (allowed && world->out < PERMITS) {
        world->until[world->out] = world->now + LEASE_MS;
        world->permits[world->out++] = permit;
    }
}

static void report(struct world *world)
{
    if (world->out == 0)
        return;
    size_t i = (size_t)random_up_to(&world->random, world->out - 1);
    struct breaker_permit permit = world->permits[i];
    struct breaker before = world->breaker;
    bool is_late = permit.generation != world->breaker.generation;
    uint64_t dice = random_up_to(&world->random, 99);
    breaker_record(&world->breaker, &world->rule, world->now, &permit,
                   dice < 45   ? BREAKER_FAILURE
                   : dice < 90 ? BREAKER_SUCCESS
                               : BREAKER_NEUTRAL);
    before.latest = world->breaker.latest; /* time is noted all the same */
    before.since = world->breaker.since;
    before.bucket_from = world->breaker.bucket_from;
    if (is_late)
        assert_memory_equal(&before, &world->breaker, sizeof before);
    if (random_up_to(&world->random, 9) == 0)
        return; /* will be reported again */
    world->permits[i] = world->permits[--world->out];
    world->until[i] = world->until[world->out];
}

/* Never more probes out than the rule says, by the callers' own books. */
static void check_probes(const struct world *world)
{
    uint32_t out = 0;
    if (world->breaker.state != BREAKER_HALF_OPEN)
        return;
    for (size_t i = 0; i < world->out; i++) {
        const struct breaker_permit *permit = &world->permits[i];
        bool is_probe = permit->generation == world->breaker.generation;
        bool is_held = is_probe && permit->place < BREAKER_PROBES_MAX &&
                       world->breaker.lease_ends[permit->place] != 0 &&
                       world->breaker.lease_serials[permit->place] == permit->serial &&
                       world->breaker.lease_ends[permit->place] == permit->lease_end;
        out += is_held && world->until[i] > world->now ? 1 : 0;
    }
    assert_true(out <= world->rule.probes);
    struct breaker_view view = breaker_view(&world->breaker, &world->rule, world->now);
    assert_true(view.probes_out + view.probes_judged <= world->rule.probes);
    assert_true(out <= view.probes_out); /* the world forgets some: those are lost */
}

/* From wherever it is: whoever waits until breaker_next() each time gets through, and when all
 * is well it closes. */
static void check_progress(const struct world *world)
{
    struct breaker breaker = world->breaker;
    struct breaker_permit permit;
    instant_ms now = world->now;
    for (int i = 0; i < 300; i++) {
        instant_ms next = breaker_next(&breaker, &world->rule, now);
        assert_true(next >= now && next - now <= world->rule.open_max_ms + 1000);
        now = next;
        bool allowed = breaker_allow(&breaker, &world->rule, now, LEASE_MS, &permit);
        assert_true(allowed || breaker.state == BREAKER_CLOSED);
        if (allowed)
            breaker_record(&breaker, &world->rule, now, &permit, BREAKER_SUCCESS);
        if (allowed && breaker.state == BREAKER_CLOSED &&
            breaker_share_percent(&breaker, &world->rule, now) == 100)
            return;
    }
    fail_msg("it never closes");
}

static void no_schedule_breaks_a_promise(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct world world = {.rule = BASE_RULE, .random = {seed}};
        world.rule.probes = (uint32_t)random_up_to(&world.random, BREAKER_PROBES_MAX - 1) + 1;
        world.rule.failures_percent = (uint32_t)random_up_to(&world.random, 99) + 1;
        world.rule.ramp_ms = (duration_ms)random_up_to(&world.random, 1) * 3000;
        breaker_init(&world.breaker, 0);
        for (int i = 0; i < 1500; i++) {
            move_time(&world);
            if (random_up_to(&world.random, 2) == 0)
                report(&world);
            else
                ask(&world);
            check_probes(&world);
            if (i % 16 == 0)
                check_progress(&world);
        }
    }
}

/* Time jumps both ways; what must hold without looking at moments. */
static void no_clock_breaks_it(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct world world = {.rule = BASE_RULE, .random = {seed}, .now = 1000000000};
        breaker_init(&world.breaker, world.now);
        for (int i = 0; i < 1500; i++) {
            uint64_t dice = random_up_to(&world.random, 99);
            if (dice < 50)
                move_time(&world);
            else if (dice < 55)
                world.now -= (instant_ms)random_up_to(&world.random, 50);
            else if (dice < 57)
                world.now = (instant_ms)random_up_to(&world.random, (uint64_t)1 << 40);
            if (world.now < 0)
                world.now = 0;
            struct breaker_permit permit;
            if (random_up_to(&world.random, 1) == 0 && world.out > 0)
                report(&world);
            else if (breaker_allow(&world.breaker, &world.rule, world.now, LEASE_MS, &permit) &&
                     world.out < PERMITS)
                world.permits[world.out++] = permit;
            struct breaker_view view = breaker_view(&world.breaker, &world.rule, world.now);
            assert_true(view.probes_out + view.probes_judged <= world.rule.probes);
            assert_true(view.failures <= view.calls);
            check_progress(&world);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fifth_call_of_three_failures_opens),
        cmocka_unit_test(below_the_minimum_nothing_opens),
        cmocka_unit_test(calls_older_than_the_window_do_not_count),
        cmocka_unit_test(business_refusals_never_open),
        cmocka_unit_test(as_many_probes_as_the_rule_says_and_no_more),
        cmocka_unit_test(it_opens_again_when_the_share_cannot_be_met),
        cmocka_unit_test(neutral_probes_give_their_place_back),
        cmocka_unit_test(lost_probes_give_their_place_back_when_their_lease_ends),
        cmocka_unit_test(results_of_an_earlier_state_are_dropped),
        cmocka_unit_test(the_open_time_doubles_up_to_its_maximum),
        cmocka_unit_test(failing_while_it_ramps_goes_on_doubling),
        cmocka_unit_test(after_closing_a_growing_share_goes),
        cmocka_unit_test(what_is_shown_is_what_opened_it),
        cmocka_unit_test(looking_changes_nothing),
        cmocka_unit_test(time_that_steps_back_neither_frees_nor_holds),
        cmocka_unit_test(a_revised_rule_cannot_hold_a_round_for_ever),
        cmocka_unit_test(a_round_of_years_still_ends),
        cmocka_unit_test(every_round_ends_as_its_share_says),
        cmocka_unit_test(the_window_counts_what_a_list_would),
        cmocka_unit_test(no_schedule_breaks_a_promise),
        cmocka_unit_test(no_clock_breaks_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
