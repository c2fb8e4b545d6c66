/*
 * instance.c - instances as bytes, and their requests.
 */
#include "engine/instance.h"

#include <string.h>

#include "base/bytes.h"
#include "base/ensure.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/memory.h"
#include "engine/kin.h"
#include "engine/seal.h"

enum status instance_decode(const struct instance *instance, struct arena *arena,
                            struct configuration *configuration)
{
    return snapshot_read(span_of(instance->snapshot, instance->snapshot_size),
                         span_of(instance->context, instance->context_size),
                         instance->deployed->definition->machine, arena, configuration);
}

struct request *instance_find_request(const struct instance *instance, uint64_t number)
{
    struct request *request = instance->requests;
    while (request != NULL && request->number != number)
        request = request->next;
    return request;
}

/* Children are instances of their own. */
static void add_request(struct instance *instance, const struct invocation *invocation,
                        instant_ms now)
{
    const struct definition *definition = instance->deployed->definition;
    if (definition_is_child(definition, invocation))
        return;
    uint32_t step = definition->invoke_steps[invocation->invoke];
    struct request **end = &instance->requests;
    while (*end != NULL)
        end = &(*end)->next;
    *end = memory_get(sizeof **end);
    (*end)->instance = instance;
    (*end)->number = invocation->number;
    (*end)->invoke = invocation->invoke;
    (*end)->progress.since = now;
    (*end)->progress.left_ms = definition->steps[step].rules.deadline_ms;
}

static struct request *sync_requests(struct instance *instance,
                                     const struct configuration *configuration, instant_ms now)
{
    struct request *gone = NULL;
    struct request **at = &instance->requests;
    while (*at != NULL) {
        struct request *request = *at;
        if (configuration_find_invocation(configuration, request->number) != NULL) {
            at = &request->next;
            continue;
        }
        *at = request->next;
        request->next = gone;
        gone = request;
    }
    for (uint32_t i = 0; i < configuration->invocation_count; i++) {
        if (instance_find_request(instance, configuration->invocations[i].number) == NULL)
            add_request(instance, &configuration->invocations[i], now);
    }
    return gone;
}

static void replace_bytes(char **bytes, uint32_t *size, struct span with)
{
    if (*size != with.size || *bytes == NULL)
        *bytes = memory_resize(*bytes, with.size);
    memcpy(*bytes, with.text, with.size);
    *size = (uint32_t)with.size;
}

/* Where the instance is, for those who look at many. */
static void set_place(struct instance *instance, const struct configuration *configuration)
{
    struct text path;
    instance->leaf = configuration_leaf(configuration);
    if (!configuration->machine->has_parallel)
        return;
    text_init(&path, NULL);
    configuration_write_path(configuration, &path);
    replace_bytes(&instance->path, &instance->path_size, text_span(&path));
    text_fini(&path);
}

struct span instance_path(const struct instance *instance)
{
    const struct machine *machine = instance->deployed->definition->machine;
    if (instance->path != NULL)
        return span_of(instance->path, instance->path_size);
    return instance->leaf == 0 ? machine->id : machine->states[instance->leaf].path;
}

bool instance_is_in(const struct instance *instance, uint32_t state)
{
    const struct machine *machine = instance->deployed->definition->machine;
    if (machine->has_parallel)
        return snapshot_is_in(span_of(instance->snapshot, instance->snapshot_size), machine,
                              state);
    return instance->leaf == state || machine_is_within(machine, instance->leaf, state);
}

/* Without regions the active states are the leaf and what it is in: no other is looked at. */
uint32_t instance_state_after(const struct instance *instance, uint32_t state)
{
    const struct machine *machine = instance->deployed->definition->machine;
    uint32_t next = state + 1;
    if (machine->has_parallel) {
        while (next < machine->state_count && !instance_is_in(instance, next))
            next++;
        return next < machine->state_count ? next : NO_INDEX;
    }
    if (instance->leaf == state)
        return NO_INDEX;
    next = instance->leaf;
    while (machine->states[next].parent != state)
        next = machine->states[next].parent;
    return next;
}

struct request *instance_take(struct instance *instance,
                              const struct configuration *configuration, struct span snapshot,
                              struct span context, instant_ms now)
{
    const struct armed_timer *timer = configuration_next_timer(configuration);
    replace_bytes(&instance->snapshot, &instance->snapshot_size, snapshot);
    if (context.text != NULL)
        replace_bytes(&instance->context, &instance->context_size, context);
    instance->status = configuration->status;
    set_place(instance, configuration);
    instance->next_timer = timer == NULL ? INSTANT_NEVER : timer->due;
    instance->updated = now;
    return sync_requests(instance, configuration, now);
}

/* The upper bits of a progress' flags: the fallbacks, or that both numbers follow. */
enum { NUMBERS_FOLLOW = 63 };

void request_write_progress(struct text *text, const struct request *request)
{
    const struct request_progress *progress = &request->progress;
    bytes_add_u8(text, (uint8_t)progress->phase);
    bytes_add_varint(text, progress->attempts);
    bytes_add_varint(text, progress->interrupted);
    bytes_add_signed(text, progress->since);
    bytes_add_signed(text, progress->next_at);
    bytes_add_signed(text, progress->left_ms);
    bool is_short = progress->undone == 0 && progress->fallbacks < NUMBERS_FOLLOW;
    uint32_t upper = is_short ? progress->fallbacks : NUMBERS_FOLLOW;
    bytes_add_u8(text, (uint8_t)((unsigned)progress->has_error |
                                 (unsigned)progress->may_have_acted << 1 | upper << 2));
    if (!is_short) {
        bytes_add_varint(text, progress->fallbacks);
        bytes_add_varint(text, progress->undone);
    }
    if (progress->has_error) {
        bytes_add_u8(text, (uint8_t)progress->error);
        bytes_add_signed(text, progress->error_code);
        bytes_add_span(text, span_from_text(progress->error_message));
    }
}

bool request_read_progress(struct byte_reader *reader, struct request_progress *progress)
{
    *progress = (struct request_progress){0};
    uint8_t phase = bytes_read_u8(reader);
    progress->phase = (enum request_phase)phase;
    progress->attempts = (uint32_t)bytes_read_varint(reader);
    progress->interrupted = (uint32_t)bytes_read_varint(reader);
    progress->since = bytes_read_signed(reader);
    progress->next_at = bytes_read_signed(reader);
    progress->left_ms = bytes_read_signed(reader);
    uint8_t flags = bytes_read_u8(reader);
    progress->has_error = (flags & 1) != 0;
    progress->may_have_acted = (flags & 2) != 0;
    progress->fallbacks = flags >> 2;
    if (progress->fallbacks == NUMBERS_FOLLOW) {
        progress->fallbacks = (uint32_t)bytes_read_varint(reader);
        progress->undone = (uint32_t)bytes_read_varint(reader);
    }
    if (progress->has_error) {
        uint8_t kind = bytes_read_u8(reader);
        progress->error = (enum error_kind)kind;
        progress->error_code = (int32_t)bytes_read_signed(reader);
        request_set_message(progress, bytes_read_span(reader));
        if (kind >= ERROR_KIND_COUNT)
            return false;
    }
    return !reader->failed && phase < REQUEST_PHASE_COUNT;
}

void request_set_message(struct request_progress *progress, struct span message)
{
    size_t size = message.size;
    if (size >= sizeof progress->error_message) {
        size = sizeof progress->error_message - 1;
        while (size > 0 && ((unsigned char)message.text[size] & 0xC0) == 0x80)
            size--; /* not in the middle of a character */
    }
    if (size > 0)
        memcpy(progress->error_message, message.text, size);
    progress->error_message[size] = '\0';
}

void instance_write(struct text *text, const struct instance *instance)
{
    uint32_t request_count = 0;
    for (const struct request *request = instance->requests; request != NULL;
         request = request->next)
        request_count++;
    bytes_add_varint(text, instance->seq);
    bytes_add_varint(text, instance->previous_lsn);
    bytes_add_varint(text, instance->previous_offset);
    bytes_add_signed(text, instance->created);
    bytes_add_signed(text, instance->updated);
    text_add(text, span_of((const char *)instance->input_hash, sizeof instance->input_hash));
    bytes_add_span(text, span_of(instance->snapshot, instance->snapshot_size));
    bytes_add_span(text, span_of(instance->context, instance->context_size));
    bytes_add_varint(text, request_count);
    for (const struct request *request = instance->requests; request != NULL;
         request = request->next) {
        bytes_add_varint(text, request->number);
        request_write_progress(text, request);
    }
    bytes_add_signed(text, instance->seen);
    kin_write(text, instance);
    seal_add(text, instance_id(instance), instance->lsn);
}

/* Reads the requests' progress; the requests themselves follow from the snapshot. */
static bool read_requests(struct byte_reader *reader, struct instance *instance)
{
    uint64_t count = bytes_read_varint(reader);
    for (uint64_t i = 0; i < count && !reader->failed; i++) {
        uint64_t number = bytes_read_varint(reader);
        struct request *request = instance_find_request(instance, number);
        struct request_progress progress;
        if (!request_read_progress(reader, &progress) || request == NULL)
            return false;
        request->progress = progress;
    }
    return !reader->failed;
}

enum status instance_read(struct instance *instance, struct span bytes, struct arena *arena)
{
    if (!seal_take(&bytes, instance_id(instance), instance->lsn))
        return STATUS_CORRUPT;
    struct byte_reader reader = byte_reader_of(bytes);
    struct configuration configuration;
    instance->seq = bytes_read_varint(&reader);
    instance->previous_lsn = bytes_read_varint(&reader);
    instance->previous_offset = (uint32_t)bytes_read_varint(&reader);
    instance->created = bytes_read_signed(&reader);
    instant_ms updated = bytes_read_signed(&reader);
    for (size_t i = 0; i < sizeof instance->input_hash; i++)
        instance->input_hash[i] = bytes_read_u8(&reader);
    struct span snapshot = bytes_read_span(&reader);
    struct span context = bytes_read_span(&reader);
    if (reader.failed)
        return STATUS_CORRUPT;
    enum status status = snapshot_read(
        snapshot, context, instance->deployed->definition->machine, arena, &configuration);
    if (status != STATUS_OK)
        return status;
    struct request *gone = instance_take(instance, &configuration, snapshot, context, updated);
    ensure(gone == NULL);
    if (!read_requests(&reader, instance))
        return STATUS_CORRUPT;
    bool is_older = reader.at == reader.end; /* a row of a program that did not know of it */
    instance->seen = is_older ? updated : bytes_read_signed(&reader);
    if (reader.at < reader.end)
        kin_read(&reader, instance);
    return !reader.failed && reader.at == reader.end ? STATUS_OK : STATUS_CORRUPT;
}

void instance_invocation_key(const struct instance *instance, uint64_t number,
                             const char *incarnation, char key[33])
{
    struct sha256 hash;
    uint8_t digest[32];
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    sha256_init(&hash);
    sha256_add(&hash, incarnation, strlen(incarnation));
    sha256_add(&hash, bytes, sizeof bytes);
    sha256_add(&hash, instance->id, instance->id_size);
    sha256_end(&hash, digest);
    hash_to_hex(digest, 16, key);
}

void instance_close(struct instance *instance)
{
    while (instance->requests != NULL) {
        struct request *request = instance->requests;
        ensure(request->live == NULL);
        instance->requests = request->next;
        memory_release(request);
    }
    kin_release(instance);
    memory_release(instance->snapshot);
    memory_release(instance->context);
    memory_release(instance->path);
    memory_release(instance->id);
    memory_release(instance);
}

const char *request_phase_name(enum request_phase phase)
{
#define PHASE_NAME(name, text) [REQUEST_##name] = text,
    static const char *const names[] = {REQUEST_PHASE_LIST(PHASE_NAME)};
#undef PHASE_NAME
    ensure(phase < REQUEST_PHASE_COUNT);
    return names[phase];
}
