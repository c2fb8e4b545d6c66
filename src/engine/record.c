/*
 * record.c - log records as bytes.
 */
#include "engine/record.h"

#include "base/bytes.h"
#include "base/ensure.h"

enum {
    FLAG_LATE = 1,
    FLAG_CONTEXT = 2,
    FLAG_GAVE_UP = 4,
    FLAG_LETTER = 8,
    FLAG_RESTLESS = 16,
    FLAG_SPIN = 32
};

static bool is_letter(const struct record *record)
{
    return record->sender.size + record->invoke_id.size + record->origin.size +
               record->send_id.size + record->session.size >
           0;
}

static uint8_t give_up_flag(enum giving_up gave_up)
{
    switch (gave_up) {
    case GIVING_UP_NOT:
        return 0;
    case GIVING_UP_ROOM:
        return FLAG_GAVE_UP;
    case GIVING_UP_REST:
        return FLAG_RESTLESS;
    case GIVING_UP_SPIN:
        return FLAG_SPIN;
    }
    never();
}

static enum giving_up read_giving_up(uint8_t flags)
{
    if ((flags & FLAG_RESTLESS) != 0)
        return GIVING_UP_REST;
    if ((flags & FLAG_SPIN) != 0)
        return GIVING_UP_SPIN;
    return (flags & FLAG_GAVE_UP) != 0 ? GIVING_UP_ROOM : GIVING_UP_NOT;
}

static void write_event(struct text *text, const struct record *record)
{
    bytes_add_u8(text, SEMANTICS_VERSION);
    bytes_add_varint(text, record->seq);
    bytes_add_u8(text, (uint8_t)record->event_kind);
    bytes_add_span(text, record->type);
    bytes_add_varint(text, record->number);
    bytes_add_span(text, record->payload);
    bytes_add_u8(text, (uint8_t)record->outcome);
    bytes_add_u8(text,
                 (uint8_t)((record->late ? FLAG_LATE : 0) | give_up_flag(record->gave_up) |
                           (is_letter(record) ? FLAG_LETTER : 0) |
                           (record->has_context ? FLAG_CONTEXT : 0)));
    bytes_add_span(text, record->errors);
    bytes_add_span(text, record->snapshot);
    if (record->has_context)
        bytes_add_span(text, record->context);
    if (!is_letter(record))
        return;
    bytes_add_span(text, record->sender);
    bytes_add_span(text, record->invoke_id);
    bytes_add_span(text, record->origin);
    bytes_add_span(text, record->send_id);
    bytes_add_span(text, record->session);
}

void record_write(struct text *text, const struct record *record, const struct request *request)
{
    size_t start = text->size;
    bytes_add_u32(text, 0); /* the size, known at the end */
    bytes_add_u8(text, (uint8_t)record->kind);
    bytes_add_span(text, record->instance);
    bytes_add_varint(text, record->previous_lsn);
    bytes_add_varint(text, record->previous_offset);
    bytes_add_signed(text, record->now);
    if (record->kind == RECORD_EVENT) {
        write_event(text, record);
    } else {
        ensure(record->kind == RECORD_PROGRESS && request != NULL);
        bytes_add_varint(text, request->number);
        request_write_progress(text, request);
    }
    uint32_t size = (uint32_t)(text->size - start - 4);
    for (size_t i = 0; i < 4; i++)
        text->bytes[start + i] = (char)(uint8_t)(size >> (8 * i));
}

static void read_event(struct byte_reader *reader, struct record *record)
{
    bool known = bytes_read_u8(reader) == SEMANTICS_VERSION;
    record->seq = bytes_read_varint(reader);
    uint8_t event_kind = bytes_read_u8(reader);
    record->type = bytes_read_span(reader);
    record->number = bytes_read_varint(reader);
    record->payload = bytes_read_span(reader);
    uint8_t outcome = bytes_read_u8(reader);
    uint8_t flags = bytes_read_u8(reader);
    record->errors = bytes_read_span(reader);
    record->snapshot = bytes_read_span(reader);
    record->late = (flags & FLAG_LATE) != 0;
    record->gave_up = read_giving_up(flags);
    record->has_context = (flags & FLAG_CONTEXT) != 0;
    if (record->has_context)
        record->context = bytes_read_span(reader);
    if ((flags & FLAG_LETTER) != 0) {
        record->sender = bytes_read_span(reader);
        record->invoke_id = bytes_read_span(reader);
        record->origin = bytes_read_span(reader);
        record->send_id = bytes_read_span(reader);
        record->session = bytes_read_span(reader);
    }
    if (!known || event_kind > EVENT_STOP || outcome >= OUTCOME_COUNT)
        reader->failed = true;
    record->event_kind = (enum event_kind)event_kind;
    record->outcome = (enum outcome)outcome;
}

bool record_read(struct span records, size_t *offset, struct record *record)
{
    *record = (struct record){0};
    if (*offset > records.size)
        return false;
    struct byte_reader frame = byte_reader_of(span_slice(records, *offset, records.size));
    uint32_t size = bytes_read_u32(&frame);
    if (frame.failed || size > (size_t)(frame.end - frame.at))
        return false;
    struct byte_reader reader = byte_reader_of(span_of((const char *)frame.at, size));
    uint8_t kind = bytes_read_u8(&reader);
    record->kind = (enum record_kind)kind;
    record->instance = bytes_read_span(&reader);
    record->previous_lsn = bytes_read_varint(&reader);
    record->previous_offset = (uint32_t)bytes_read_varint(&reader);
    record->now = bytes_read_signed(&reader);
    if (kind == RECORD_EVENT) {
        read_event(&reader, record);
    } else {
        record->number = bytes_read_varint(&reader);
        if (kind != RECORD_PROGRESS || !request_read_progress(&reader, &record->progress))
            return false;
    }
    *offset += 4 + (size_t)size;
    return !reader.failed && reader.at == reader.end;
}
