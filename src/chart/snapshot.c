/*
 * snapshot.c - configurations as bytes.
 *
 *   "ILS" format | machine id, version, 16 bytes of hash | status | next number | active words
 *   | remembered words | session | output | error
 *   | timers: index or 0 for a sent event, number, due, and what the event is
 *   | invocations: index or 0 for a spawned one, number, id, source, input
 *
 * Indexes are written plus one.
 */
#include "chart/snapshot.h"

#include "base/bytes.h"
#include "base/json.h"
#include "base/limits.h"

enum { FORMAT_VERSION = 2, HASH_BYTES = 16 };

static void write_value(struct text *text, struct value value)
{
    /* The length comes first and is not known yet: four bytes are kept for it. */
    size_t start = text->size;
    bytes_add_u32(text, 0);
    json_write(text, value);
    uint32_t size = (uint32_t)(text->size - start - 4);
    for (size_t i = 0; i < 4; i++)
        text->bytes[start + i] = (char)(uint8_t)(size >> (8 * i));
}

/* NO_INDEX becomes 0. */
static void write_index(struct text *text, uint32_t index)
{
    bytes_add_varint(text, (uint32_t)(index + 1));
}

static void write_timer(struct text *text, const struct armed_timer *timer)
{
    write_index(text, timer->timer);
    bytes_add_varint(text, timer->number);
    bytes_add_signed(text, timer->due);
    if (timer->timer != NO_INDEX)
        return;
    bytes_add_u8(text, timer->is_internal);
    bytes_add_span(text, timer->id);
    bytes_add_span(text, timer->type);
    bytes_add_span(text, timer->to);
    write_value(text, timer->payload);
}

static void write_invocation(struct text *text, const struct invocation *invocation)
{
    write_index(text, invocation->invoke);
    bytes_add_varint(text, invocation->number);
    bytes_add_span(text, invocation->id);
    bytes_add_span(text, invocation->src);
    write_value(text, invocation->input);
}

void snapshot_write(struct text *text, const struct configuration *configuration)
{
    const struct machine *machine = configuration->machine;
    text_add(text, SPAN("ILS"));
    bytes_add_u8(text, FORMAT_VERSION);
    bytes_add_span(text, machine->id);
    bytes_add_span(text, machine->version);
    text_add(text, span_of((const char *)machine->digest, HASH_BYTES));
    bytes_add_u8(text, (uint8_t)configuration->status);
    bytes_add_varint(text, configuration->next_number);
    bytes_add_varint(text, machine->word_count);
    for (uint32_t i = 0; i < machine->word_count; i++)
        bytes_add_u64(text, configuration->active[i]);
    bytes_add_varint(text, machine->memory_count);
    for (uint32_t i = 0; i < machine->memory_count * machine->word_count; i++)
        bytes_add_u64(text, configuration->memory[i]);
    bytes_add_span(text, configuration->session);
    write_value(text, configuration->output);
    write_value(text, configuration->error);
    bytes_add_varint(text, configuration->timer_count);
    for (uint32_t i = 0; i < configuration->timer_count; i++)
        write_timer(text, &configuration->timers[i]);
    bytes_add_varint(text, configuration->invocation_count);
    for (uint32_t i = 0; i < configuration->invocation_count; i++)
        write_invocation(text, &configuration->invocations[i]);
}

static struct value read_json(struct byte_reader *reader, struct span json, struct arena *arena)
{
    struct value value = value_null();
    struct json_error error;
    if (!reader->failed && json_read(json, arena, &value, &error) != STATUS_OK)
        reader->failed = true;
    return value;
}

static struct value read_value(struct byte_reader *reader, struct arena *arena)
{
    uint32_t size = bytes_read_u32(reader);
    if (size > (size_t)(reader->end - reader->at))
        reader->failed = true;
    if (reader->failed)
        return value_null();
    struct span json = span_of((const char *)reader->at, size);
    reader->at += size;
    return read_json(reader, json, arena);
}

/* A count of elements of at least `smallest` bytes each that can still be there. */
static uint32_t read_count(struct byte_reader *reader, size_t smallest)
{
    uint64_t count = bytes_read_varint(reader);
    if (count > (size_t)(reader->end - reader->at) / smallest) {
        reader->failed = true;
        return 0;
    }
    return (uint32_t)count;
}

static uint32_t read_index(struct byte_reader *reader, uint32_t count)
{
    uint64_t index = bytes_read_varint(reader);
    if (index <= count)
        return (uint32_t)index - 1; /* 0 is NO_INDEX */
    reader->failed = true;
    return NO_INDEX;
}

static const uint64_t *read_words(struct byte_reader *reader, size_t count, struct arena *arena)
{
    uint64_t *words = arena_get_zeroed(arena, count * sizeof *words);
    for (size_t i = 0; i < count && !reader->failed; i++)
        words[i] = bytes_read_u64(reader);
    return words;
}

static void read_states(struct byte_reader *reader, struct arena *arena,
                        struct configuration *configuration)
{
    const struct machine *machine = configuration->machine;
    if (bytes_read_varint(reader) != machine->word_count)
        reader->failed = true;
    configuration->active = read_words(reader, machine->word_count, arena);
    if (bytes_read_varint(reader) != machine->memory_count)
        reader->failed = true;
    configuration->memory =
        read_words(reader, (size_t)machine->memory_count * machine->word_count, arena);
}

static void read_timers(struct byte_reader *reader, struct arena *arena,
                        struct configuration *configuration)
{
    uint32_t count = read_count(reader, 3);
    struct armed_timer *timers = arena_get_zeroed(arena, count * sizeof(struct armed_timer));
    for (uint32_t i = 0; i < count; i++) {
        timers[i].timer = read_index(reader, configuration->machine->timer_count);
        timers[i].number = bytes_read_varint(reader);
        timers[i].due = bytes_read_signed(reader);
        if (timers[i].timer != NO_INDEX)
            continue;
        timers[i].is_internal = bytes_read_u8(reader) != 0;
        timers[i].id = bytes_read_span(reader);
        timers[i].type = bytes_read_span(reader);
        timers[i].to = bytes_read_span(reader);
        timers[i].payload = read_value(reader, arena);
    }
    configuration->timers = timers;
    configuration->timer_count = count;
}

static void read_invocations(struct byte_reader *reader, struct arena *arena,
                             struct configuration *configuration)
{
    uint32_t count = read_count(reader, 8);
    struct invocation *invocations = arena_get_zeroed(arena, count * sizeof *invocations);
    for (uint32_t i = 0; i < count; i++) {
        invocations[i].invoke = read_index(reader, configuration->machine->invoke_count);
        invocations[i].number = bytes_read_varint(reader);
        invocations[i].id = bytes_read_span(reader);
        invocations[i].src = bytes_read_span(reader);
        invocations[i].input = read_value(reader, arena);
    }
    configuration->invocations = invocations;
    configuration->invocation_count = count;
}

static bool read_head(struct byte_reader *reader, struct span *id, struct span *version)
{
    static const char magic[] = {'I', 'L', 'S', FORMAT_VERSION};
    for (size_t i = 0; i < sizeof magic; i++)
        reader->failed = reader->failed || bytes_read_u8(reader) != (uint8_t)magic[i];
    *id = bytes_read_span(reader);
    *version = bytes_read_span(reader);
    return !reader->failed;
}

bool snapshot_machine(struct span bytes, struct span *id, struct span *version)
{
    struct byte_reader reader = byte_reader_of(bytes);
    return read_head(&reader, id, version);
}

bool snapshot_is_in(struct span bytes, const struct machine *machine, uint32_t state)
{
    struct byte_reader reader = byte_reader_of(bytes);
    struct span id;
    struct span version;
    if (!read_head(&reader, &id, &version))
        return false;
    for (size_t i = 0; i < HASH_BYTES + 1; i++)
        bytes_read_u8(&reader); /* the hash and the status */
    bytes_read_varint(&reader);
    if (bytes_read_varint(&reader) != machine->word_count)
        return false;
    uint64_t word = 0;
    for (uint32_t i = 0; i <= state / 64; i++)
        word = bytes_read_u64(&reader);
    return !reader.failed && (word >> state % 64 & 1) != 0;
}

static bool hash_fits(struct byte_reader *reader, const struct machine *machine)
{
    bool fits = true;
    for (size_t i = 0; i < HASH_BYTES; i++)
        fits = bytes_read_u8(reader) == machine->digest[i] && fits;
    return fits;
}

enum status snapshot_read(struct span bytes, struct span context, const struct machine *machine,
                          struct arena *arena, struct configuration *configuration)
{
    struct byte_reader reader = byte_reader_of(bytes);
    struct span id;
    struct span version;
    if (!read_head(&reader, &id, &version))
        return STATUS_CORRUPT;
    if (!span_equal(id, machine->id) || !span_equal(version, machine->version) ||
        !hash_fits(&reader, machine))
        return STATUS_CONFLICT;
    struct configuration read = {.machine = machine};
    read.status = (enum instance_status)bytes_read_u8(&reader);
    read.next_number = bytes_read_varint(&reader);
    read_states(&reader, arena, &read);
    read.session = bytes_read_span(&reader);
    read.output = read_value(&reader, arena);
    read.error = read_value(&reader, arena);
    read_timers(&reader, arena, &read);
    read_invocations(&reader, arena, &read);
    read.context = read_json(&reader, context, arena);
    if (reader.failed || reader.at != reader.end || !configuration_is_valid(&read))
        return STATUS_CORRUPT;
    *configuration = read;
    return STATUS_OK;
}
