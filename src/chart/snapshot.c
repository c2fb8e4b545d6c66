/*
 * snapshot.c - configurations as bytes.
 *
 *   "ILS" format | machine id, version, 16 bytes of hash | status | next number | active words
 *   | output | error | timers: index, number, due | invocations: index, number, input
 */
#include "chart/snapshot.h"

#include "base/bytes.h"
#include "base/json.h"
#include "base/limits.h"

enum { FORMAT_VERSION = 1, HASH_BYTES = 16 };

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
    write_value(text, configuration->output);
    write_value(text, configuration->error);
    bytes_add_varint(text, configuration->timer_count);
    for (uint32_t i = 0; i < configuration->timer_count; i++) {
        bytes_add_varint(text, configuration->timers[i].timer);
        bytes_add_varint(text, configuration->timers[i].number);
        bytes_add_signed(text, configuration->timers[i].due);
    }
    bytes_add_varint(text, configuration->invocation_count);
    for (uint32_t i = 0; i < configuration->invocation_count; i++) {
        bytes_add_varint(text, configuration->invocations[i].invoke);
        bytes_add_varint(text, configuration->invocations[i].number);
        write_value(text, configuration->invocations[i].input);
    }
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
    if (index < count)
        return (uint32_t)index;
    reader->failed = true;
    return 0;
}

static void read_active(struct byte_reader *reader, struct arena *arena,
                        struct configuration *configuration)
{
    const struct machine *machine = configuration->machine;
    uint64_t *words = arena_new_array(arena, machine->word_count, uint64_t);
    configuration->active = words;
    if (bytes_read_varint(reader) != machine->word_count) {
        reader->failed = true;
        return;
    }
    for (uint32_t i = 0; i < machine->word_count; i++)
        words[i] = bytes_read_u64(reader);
}

static void read_timers(struct byte_reader *reader, struct arena *arena,
                        struct configuration *configuration)
{
    uint32_t count = read_count(reader, 3);
    struct armed_timer *timers = arena_new_array(arena, count, struct armed_timer);
    for (uint32_t i = 0; i < count; i++) {
        timers[i].timer = read_index(reader, configuration->machine->timer_count);
        timers[i].number = bytes_read_varint(reader);
        timers[i].due = bytes_read_signed(reader);
    }
    configuration->timers = timers;
    configuration->timer_count = count;
}

static void read_invocations(struct byte_reader *reader, struct arena *arena,
                             struct configuration *configuration)
{
    uint32_t count = read_count(reader, 6);
    struct invocation *invocations = arena_new_array(arena, count, struct invocation);
    for (uint32_t i = 0; i < count; i++) {
        invocations[i].invoke = read_index(reader, configuration->machine->invoke_count);
        invocations[i].number = bytes_read_varint(reader);
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
    read_active(&reader, arena, &read);
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
