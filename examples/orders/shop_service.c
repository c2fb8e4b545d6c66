/*
 * shop_service.c - how long one service takes, how much it can bear, and how it fails.
 *
 * A job's length and fate are thrown when a server takes it, so a change of settings is
 * felt at once by everybody who still waits.
 *
 * Always: busy is a heap by due; a job waits only while all servers are busy.
 */
#include "shop_service.h"

#include "base/ensure.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

#define SETTING_ROW(name, initial, max) \
    {#name, offsetof(struct shop_settings, name), initial, max},
static const struct {
    const char *name;
    size_t offset;
    double initial;
    double max;
} setting_rows[] = {SHOP_SETTING_LIST(SETTING_ROW)};
#undef SETTING_ROW

enum { SETTING_COUNT = sizeof setting_rows / sizeof setting_rows[0] };

static double *setting_at(struct shop_settings *settings, int index)
{
    return (double *)(void *)((char *)settings + setting_rows[index].offset);
}

void shop_service_init(struct shop_service *service, uint64_t seed)
{
    *service = (struct shop_service){.outage_from = MOMENT_NEVER, .outage_to = MOMENT_NEVER};
    service->dice.state = seed;
    service->end = &service->first;
    for (int i = 0; i < SETTING_COUNT; i++)
        *setting_at(&service->settings, i) = setting_rows[i].initial;
}

void shop_service_fini(struct shop_service *service)
{
    memory_release(service->busy);
}

/* Settings */

static bool read_number(struct span text, double *number)
{
    char copy[32];
    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    memcpy(copy, text.text, text.size);
    copy[text.size] = '\0';
    char *end = NULL;
    *number = strtod(copy, &end);
    if (*end == '%' && end[1] == '\0') {
        *number /= 100;
        end++;
    }
    return end != copy && *end == '\0' && isfinite(*number) && *number >= 0;
}

static bool is_named(struct span name, const char *setting)
{
    struct span whole = span_from_text(setting);
    if (span_equal(name, whole))
        return true;
    return span_ends_with(whole, SPAN("_ms")) &&
           span_equal(name, span_slice(whole, 0, whole.size - 3));
}

bool shop_service_set(struct shop_service *service, struct span name, struct span value)
{
    double number = 0;
    if (!read_number(value, &number))
        return false;
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (!is_named(name, setting_rows[i].name))
            continue;
        if (number > setting_rows[i].max)
            return false;
        *setting_at(&service->settings, i) = number;
        return true;
    }
    return false;
}

/* outage=1000+2000: from one second on, for two. */
static bool set_outage(struct shop_service *service, struct span value)
{
    size_t plus = span_find(value, SPAN("+"), 0);
    if (plus == SIZE_MAX)
        return shop_service_set(service, SPAN("outage_ms"), value);
    return shop_service_set(service, SPAN("outage_after"), span_slice(value, 0, plus)) &&
           shop_service_set(service, SPAN("outage_ms"),
                            span_slice(value, plus + 1, value.size));
}

static bool set_pair(struct shop_service *service, struct span pair)
{
    size_t equals = span_find(pair, SPAN("="), 0);
    if (equals == SIZE_MAX)
        return false;
    struct span name = span_slice(pair, 0, equals);
    struct span value = span_slice(pair, equals + 1, pair.size);
    if (span_is(name, "outage"))
        return set_outage(service, value);
    return shop_service_set(service, name, value);
}

bool shop_service_set_all(struct shop_service *service, struct span settings)
{
    size_t from = 0;
    for (size_t to; (to = span_find(settings, SPAN(","), from)) != SIZE_MAX; from = to + 1)
        if (!set_pair(service, span_slice(settings, from, to)))
            return false;
    return set_pair(service, span_slice(settings, from, settings.size));
}

/* Outages */

void shop_service_begin_outage(struct shop_service *service, moment_us now)
{
    service->outage_from = now + (moment_us)(service->settings.outage_after_ms * 1000);
    service->outage_to = service->outage_from + (moment_us)(service->settings.outage_ms * 1000);
}

bool shop_service_is_out(const struct shop_service *service, moment_us now)
{
    return now >= service->outage_from && now < service->outage_to;
}

/* Servers: a binary heap by due */

static void swap_jobs(struct shop_job **a, struct shop_job **b)
{
    struct shop_job *job = *a;
    *a = *b;
    *b = job;
}

static void push_busy(struct shop_service *service, struct shop_job *job)
{
    memory_reserve(service->busy, service->busy_count, service->busy_capacity);
    struct shop_job **heap = service->busy;
    size_t i = service->busy_count++;
    heap[i] = job;
    for (; i > 0 && heap[i]->due < heap[(i - 1) / 2]->due; i = (i - 1) / 2)
        swap_jobs(&heap[i], &heap[(i - 1) / 2]);
}

static struct shop_job *pop_busy(struct shop_service *service)
{
    ensure(service->busy_count > 0);
    struct shop_job **heap = service->busy;
    struct shop_job *job = heap[0];
    size_t count = --service->busy_count;
    heap[0] = heap[count];
    for (size_t i = 0, child = 1; child < count; child = 2 * i + 1) {
        if (child + 1 < count && heap[child + 1]->due < heap[child]->due)
            child++;
        if (heap[i]->due <= heap[child]->due)
            break;
        swap_jobs(&heap[i], &heap[child]);
        i = child;
    }
    return job;
}

/* Normally distributed around 0 by the polar method of Marsaglia, of which one of two is used.
 */
static double throw_normal(struct random *dice)
{
    double x = 0;
    double square = 0;
    do {
        x = 2 * random_unit(dice) - 1;
        double y = 2 * random_unit(dice) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square <= 0);
    return x * sqrt(-2 * log(square) / square);
}

static moment_us throw_length(struct shop_service *service)
{
    const struct shop_settings *settings = &service->settings;
    double length = settings->service_ms;
    if (settings->sigma > 0)
        length *= exp(settings->sigma * throw_normal(&service->dice));
    length += (2 * random_unit(&service->dice) - 1) * settings->jitter_ms;
    return length > 0 ? (moment_us)(length * 1000) : 0;
}

static enum shop_fate throw_fate(struct shop_service *service)
{
    const struct shop_settings *settings = &service->settings;
    double thrown = random_unit(&service->dice);
    if (thrown < settings->errors)
        return thrown < settings->errors / 2 ? SHOP_FATE_FAIL : SHOP_FATE_ACT_FAIL;
    thrown -= settings->errors;
    if (thrown < settings->hangs)
        return thrown < settings->hangs / 2 ? SHOP_FATE_HANG : SHOP_FATE_ACT_HANG;
    return SHOP_FATE_ANSWER;
}

static void fill_servers(struct shop_service *service, moment_us now)
{
    while (service->first != NULL && (double)service->busy_count < service->settings.servers) {
        struct shop_job *job = service->first;
        service->first = job->next;
        if (service->first == NULL)
            service->end = &service->first;
        service->waiting--;
        job->fate = throw_fate(service);
        job->due = now + throw_length(service);
        push_busy(service, job);
    }
}

enum shop_admission shop_service_offer(struct shop_service *service, struct shop_job *job,
                                       moment_us now)
{
    if (service->outage_from == MOMENT_NEVER)
        shop_service_begin_outage(service, now);
    if (shop_service_is_out(service, now))
        return SHOP_REFUSED_OUTAGE;
    bool is_server_free = (double)service->busy_count < service->settings.servers;
    if (!is_server_free && (double)service->waiting >= service->settings.queue)
        return SHOP_REFUSED_FULL;
    job->next = NULL;
    job->is_through = false;
    job->is_held = false;
    *service->end = job;
    service->end = &job->next;
    service->waiting++;
    fill_servers(service, now);
    return SHOP_ADMITTED;
}

static bool is_hang(enum shop_fate fate)
{
    return fate == SHOP_FATE_HANG || fate == SHOP_FATE_ACT_HANG;
}

struct shop_job *shop_service_take(struct shop_service *service, moment_us now)
{
    fill_servers(service, now); /* there may be more servers than there were */
    if (service->busy_count == 0 || service->busy[0]->due > now)
        return NULL;
    struct shop_job *job = pop_busy(service);
    job->is_through = job->is_held || !is_hang(job->fate);
    if (!job->is_through) {
        job->is_held = true;
        job->due = now + (moment_us)(service->settings.hang_ms * 1000);
        push_busy(service, job);
    }
    fill_servers(service, now);
    return job;
}

moment_us shop_service_due(const struct shop_service *service)
{
    return service->busy_count == 0 ? MOMENT_NEVER : service->busy[0]->due;
}
