/*
 * admission.c - three reasons to refuse, and what softens them.
 *
 * An interval in which nobody asked says nothing of the delay, and neither does one that began
 * so long ago: then nothing stands.
 */
#include "policy/admission.h"

#include "base/ensure.h"

enum { EXEMPT_INTERVALS = 10, SECOND_MS = 1000, RETRY_MIN_MS = 100, RETRY_MAX_MS = 10000 };

const char *admission_answer_name(enum admission_answer answer)
{
#define ANSWER_NAME(name, text) [ADMISSION_##name] = text,
    static const char *const names[] = {ADMISSION_ANSWER_LIST(ANSWER_NAME)};
#undef ANSWER_NAME
    ensure(answer < ADMISSION_ANSWER_COUNT);
    return names[answer];
}

struct admission_rule admission_rule_default(void)
{
    return (struct admission_rule){
        .interval_ms = 100,
        .throttle = {.window_ms = 10000, .rejects_percent = 95},
    };
}

static void note_delay(struct admission *admission, const struct admission_rule *rule,
                       instant_ms now, duration_ms delay_ms)
{
    duration_ms passed = now - admission->interval_from;
    if (passed >= rule->interval_ms || passed < 0) {
        bool is_recent = passed >= 0 && passed < 2 * rule->interval_ms;
        admission->is_standing =
            is_recent && admission->is_seen && admission->least_ms > rule->target_ms;
        admission->interval_from = now;
        admission->is_seen = false;
    }
    if (!admission->is_seen || delay_ms < admission->least_ms)
        admission->least_ms = delay_ms;
    admission->is_seen = true;
}

static bool is_too_slow(const struct admission *admission, const struct admission_rule *rule,
                        duration_ms delay_ms, enum priority priority)
{
    static const int32_t TARGETS[PRIORITY_COUNT] = {[PRIORITY_NORMAL] = 4, [PRIORITY_LOW] = 2};
    return rule->target_ms > 0 && admission->is_standing && priority != PRIORITY_HIGH &&
           delay_ms > TARGETS[priority] * rule->target_ms;
}

/* How many of the places a class may find taken. */
static uint32_t places_of(const struct admission_rule *rule, enum priority priority)
{
    static const uint32_t KEPT_PARTS[PRIORITY_COUNT] = {
        [PRIORITY_NORMAL] = 20, [PRIORITY_LOW] = 5};
    uint32_t parts = KEPT_PARTS[priority];
    return rule->working - (parts == 0 ? 0 : rule->working / parts);
}

static bool is_exempt(struct admission *admission, const struct admission_rule *rule,
                      instant_ms now, enum priority priority)
{
    instant_ms last = admission->exempt_at[priority];
    if (now >= last && now - last < EXEMPT_INTERVALS * rule->interval_ms)
        return false;
    admission->exempt_at[priority] = now;
    return true;
}

enum admission_answer admission_enter(struct admission *admission,
                                      const struct admission_rule *rule, instant_ms now,
                                      const struct admission_load *load, enum priority priority,
                                      struct random *random)
{
    enum admission_answer answer = ADMISSION_GO;
    note_delay(admission, rule, now, load->delay_ms);
    if (!admission->is_standing || load->delay_ms <= rule->target_ms)
        throttle_accept(&admission->throttle, &rule->throttle, now);
    if (!throttle_allow(&admission->throttle, &rule->throttle, now, priority, random))
        answer = ADMISSION_THROTTLED;
    if (is_too_slow(admission, rule, load->delay_ms, priority))
        answer = ADMISSION_SLOW;
    if (rule->working > 0 && load->working >= places_of(rule, priority))
        answer = ADMISSION_FULL;
    bool has_place = rule->working == 0 || load->working < rule->working;
    if (answer != ADMISSION_GO && has_place && is_exempt(admission, rule, now, priority))
        return ADMISSION_GO;
    return answer;
}

static void move_second(struct admission *admission, instant_ms now)
{
    duration_ms passed = now - admission->second_from;
    if (passed >= 0 && passed < SECOND_MS)
        return;
    admission->done_before =
        passed >= SECOND_MS && passed < (duration_ms)2 * SECOND_MS ? admission->done : 0;
    admission->done = 0;
    admission->second_from = now;
}

void admission_done(struct admission *admission, instant_ms now)
{
    move_second(admission, now);
    admission->done++;
}

/* In the time that a tenth of the places takes to come free, at the pace of the last second. */
static duration_ms until_places_ms(const struct admission *admission,
                                   const struct admission_rule *rule)
{
    uint32_t pace =
        admission->done_before > admission->done ? admission->done_before : admission->done;
    int64_t wanted = rule->working / 10 + 1;
    return pace == 0 ? RETRY_MAX_MS : wanted * SECOND_MS / pace;
}

duration_ms admission_retry_ms(const struct admission *admission,
                               const struct admission_rule *rule, enum admission_answer answer)
{
    duration_ms retry_ms = rule->interval_ms;
    if (answer == ADMISSION_SLOW && admission->least_ms > retry_ms)
        retry_ms = admission->least_ms;
    if (answer == ADMISSION_THROTTLED)
        retry_ms = rule->throttle.window_ms / THROTTLE_BUCKETS;
    if (answer == ADMISSION_FULL)
        retry_ms = until_places_ms(admission, rule);
    if (retry_ms < RETRY_MIN_MS)
        return RETRY_MIN_MS;
    return retry_ms < RETRY_MAX_MS ? retry_ms : RETRY_MAX_MS;
}
