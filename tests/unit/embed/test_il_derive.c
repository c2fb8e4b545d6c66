/*
 * States from data as a program outside uses them: whatever way the data lie, the same answer.
 */
#include <interlock.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char told[512];

static void remember(void *context, const il_diagnostic *diagnostic)
{
    (void)context;
    snprintf(told, sizeof told, "%s %s", diagnostic->code, diagnostic->message);
}

static const char order_status[] =
    "{\"id\":\"order-status\",\"record\":{\"as\":\"o\",\"defaults\":{\"itemsAdded\":false,"
    "\"paymentReceived\":false,\"approved\":false,\"shipped\":false,\"delivered\":false}},"
    "\"initial\":\"DRAFT\",\"transitions\":{\"DRAFT\":[\"AWAITING_PAYMENT\"],"
    "\"AWAITING_PAYMENT\":[\"AWAITING_APPROVAL\"],\"AWAITING_APPROVAL\":[\"READY_TO_SHIP\"],"
    "\"READY_TO_SHIP\":[\"SHIPPED\"],\"SHIPPED\":[\"COMPLETED\"],\"COMPLETED\":[]},"
    "\"validators\":{\"DRAFT\":\"!o.itemsAdded\","
    "\"AWAITING_PAYMENT\":\"o.itemsAdded && !o.paymentReceived\","
    "\"AWAITING_APPROVAL\":\"o.paymentReceived && !o.approved\","
    "\"READY_TO_SHIP\":\"o.approved && !o.shipped\",\"SHIPPED\":\"o.shipped && !o.delivered\","
    "\"COMPLETED\":\"o.delivered\"}}";

/* Numbers, words, presence and a field that is read in a way of its own. */
static const char parcel[] =
    "{\"id\":\"parcel\",\"record\":{\"as\":\"p\",\"defaults\":{\"weight\":0}},"
    "\"initial\":\"NEW\",\"transitions\":{\"NEW\":[\"LIGHT\",\"HEAVY\"],\"LIGHT\":[\"GONE\"],"
    "\"HEAVY\":[\"GONE\"],\"GONE\":[]},\"validators\":{\"NEW\":\"p.weight <= 0\","
    "\"LIGHT\":\"p.weight > 0 && p.weight < 10.5\",\"HEAVY\":\"p.weight >= 10.5 || p.class == "
    "'bulky'\",\"GONE\":\"has(p.sent) && p.note.startsWith('ok')\"}}";

static il_derivation *load(const char *text)
{
    il_derivation *derivation = NULL;
    il_status status = il_derive_load(text, strlen(text), NULL, remember, NULL, &derivation);
    if (status != IL_OK)
        fail_msg("%s", told);
    return derivation;
}

static il_derived derive_json(const il_derivation *derivation, uint32_t from, const char *json)
{
    il_derived derived;
    assert_int_equal(il_derive_json(derivation, from, json, strlen(json), &derived), IL_OK);
    return derived;
}

static const char lamp[] =
    "{\"type\":\"parallel\",\"record\":{\"as\":\"o\",\"defaults\":{\"on\":false,\"n\":0}},"
    "\"states\":{\"LIGHT\":{\"initial\":\"off\",\"states\":{"
    "\"off\":{\"validator\":\"!o.on\",\"transitions\":[\"on\"]},"
    "\"on\":{\"validator\":\"o.on\",\"transitions\":[\"off\"]}}},"
    "\"SIZE\":{\"initial\":\"small\",\"states\":{"
    "\"small\":{\"validator\":\"o.n < 5\",\"transitions\":[\"large\"]},"
    "\"large\":{\"validator\":\"o.n >= 5\"}}}}}";

/* Each from its own beginning, one record or columns of them. */
static void regions_are_derived_apart(void **state)
{
    (void)state;
    il_derivation *derivation = load(lamp);
    static const char record[] = "{\"on\":true,\"n\":7}";
    uint32_t light = il_derive_initial(derivation, 0);
    uint32_t size = il_derive_initial(derivation, 1);
    assert_int_equal(il_derive_region_count(derivation), 2);
    assert_int_equal(il_derive_initial(derivation, 2), IL_NO_STATE);
    assert_int_equal(il_derive_find_state(derivation, "SIZE.small"), size);
    il_derived lit = derive_json(derivation, IL_NO_STATE, record);
    il_derived sized = derive_json(derivation, size, record);
    assert_string_equal(il_derive_state(derivation, lit.state), "LIGHT.on");
    assert_string_equal(il_derive_state(derivation, sized.state), "SIZE.large");
    assert_int_equal(derive_json(derivation, light, record).state, lit.state);

    bool is_on[] = {false, true, true};
    int32_t numbers[] = {9, 1, 5};
    uint32_t from[] = {size, size, light};
    uint16_t states[3];
    bool is_flag_first = strcmp(il_derive_field(derivation, 0), "on") == 0;
    const il_column flag = {.kind = IL_COLUMN_BOOL, .data = is_on};
    const il_column number = {.kind = IL_COLUMN_INT32, .data = numbers};
    const il_column columns[] = {is_flag_first ? flag : number, is_flag_first ? number : flag};
    assert_int_equal(il_derive_columns(derivation, columns, 3, from, states, NULL, NULL),
                     IL_OK);
    assert_int_equal(states[0], sized.state);
    assert_int_equal(states[1], size);
    assert_int_equal(states[2], lit.state);
    uint8_t bytes[3];
    const uint8_t *flags[] = {bytes, bytes};
    assert_int_equal(il_derive_flags(derivation, flags, 3, bytes), IL_INVALID);
    il_derive_close(derivation);
}

static void one_record_from_json(void **state)
{
    (void)state;
    il_derivation *derivation = load(order_status);
    static const char jump[] =
        "{\"itemsAdded\":true,\"paymentReceived\":true,\"approved\":true,\"other\":[1]}";
    il_derived derived = derive_json(derivation, IL_NO_STATE, jump);
    assert_string_equal(il_derive_state(derivation, derived.state), "READY_TO_SHIP");
    assert_true(derived.holds);
    assert_int_equal(derived.level, 3);
    uint32_t shipped = il_derive_find_state(derivation, "SHIPPED");
    derived = derive_json(derivation, shipped, jump);
    assert_int_equal(derived.state, shipped);
    assert_false(derived.holds);
    assert_int_equal(derive_json(derivation, IL_NO_STATE, "{\"itemsAdded\":7}").errors, 2);
    assert_int_equal(il_derive_json(derivation, IL_NO_STATE, "[]", 2, &derived), IL_INVALID);
    assert_int_equal(il_derive_json(derivation, 99, "{}", 2, &derived), IL_MISUSE);
    assert_int_equal(il_derive_find_state(derivation, "LOST"), IL_NO_STATE);
    assert_null(il_derive_state(derivation, 6));
    il_derive_close(derivation);
}

static void wrong_and_unstable_definitions_are_told(void **state)
{
    (void)state;
    il_derivation *derivation = NULL;
    assert_int_equal(
        il_derive_load("{\"initial\":\"A\"}", 15, NULL, remember, NULL, &derivation),
        IL_INVALID);
    assert_non_null(strstr(told, "IL0103"));
    assert_int_equal(il_derive_load(NULL, 0, NULL, NULL, NULL, &derivation), IL_MISUSE);
    derivation =
        load("{\"record\":{\"as\":\"o\"},\"initial\":\"A\",\"transitions\":{\"A\":[\"B\"],"
             "\"B\":[\"A\"]},\"validators\":{\"A\":\"o.a\",\"B\":\"o.b\"}}");
    told[0] = '\0';
    assert_int_equal(il_derive_check(derivation, remember, NULL), IL_INVALID);
    il_derive_close(derivation);
    derivation = load(order_status);
    assert_int_equal(il_derive_check(derivation, remember, NULL), IL_OK);
    il_derive_close(derivation);
    il_derive_close(NULL);
}

/* Parcels at random, the same data in every form. */

enum { ROWS = 2000 };

struct parcel {
    double weight;
    int64_t sent;
    char class_text[8];
};

struct parcels {
    struct parcel rows[ROWS];
    uint8_t has_weight[ROWS / 8];
    uint8_t has_sent[ROWS / 8];
    int32_t class_offsets[ROWS + 1];
    char class_text[8 * ROWS];
    int32_t note_offsets[ROWS + 1];
    char note_text[8 * ROWS];
    uint32_t from[ROWS];
};

static unsigned dice(unsigned *seed, unsigned bound)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 16) % bound;
}

static void fill(struct parcels *parcels)
{
    static const char *const classes[] = {"", "bulky", "bulk", "small"};
    static const char *const notes[] = {"ok", "okay", "no", ""};
    static const double weights[] = {-1, 0, 3, 10, 10.5, 11};
    unsigned seed = 7;
    memset(parcels, 0, sizeof *parcels);
    for (int i = 0; i < ROWS; i++) {
        struct parcel *row = &parcels->rows[i];
        row->weight = weights[dice(&seed, 6)];
        row->sent = dice(&seed, 3);
        if (dice(&seed, 4) > 0)
            parcels->has_weight[i / 8] |= (uint8_t)(1u << i % 8);
        if (dice(&seed, 2) > 0)
            parcels->has_sent[i / 8] |= (uint8_t)(1u << i % 8);
        const char *class_text = classes[dice(&seed, 4)];
        const char *note = notes[dice(&seed, 4)];
        snprintf(row->class_text, sizeof row->class_text, "%s", class_text);
        memcpy(parcels->class_text + parcels->class_offsets[i], class_text, strlen(class_text));
        parcels->class_offsets[i + 1] = parcels->class_offsets[i] + (int32_t)strlen(class_text);
        memcpy(parcels->note_text + parcels->note_offsets[i], note, strlen(note));
        parcels->note_offsets[i + 1] = parcels->note_offsets[i] + (int32_t)strlen(note);
        parcels->from[i] = dice(&seed, 5) == 0 ? IL_NO_STATE : dice(&seed, 4);
    }
}

static bool has(const uint8_t *bits, int row)
{
    return bits[row / 8] >> row % 8 & 1;
}

/* The value of a field by its name. */
static il_value value_of(const struct parcels *parcels, const char *field, int row)
{
    const struct parcel *parcel_row = &parcels->rows[row];
    if (strcmp(field, "weight") == 0)
        return (il_value){.kind =
                              has(parcels->has_weight, row) ? IL_KIND_DOUBLE : IL_KIND_MISSING,
                          .real = parcel_row->weight};
    if (strcmp(field, "sent") == 0)
        return (il_value){.kind = has(parcels->has_sent, row) ? IL_KIND_INT : IL_KIND_MISSING,
                          .integer = parcel_row->sent};
    const int32_t *offsets =
        strcmp(field, "class") == 0 ? parcels->class_offsets : parcels->note_offsets;
    const char *text = strcmp(field, "class") == 0 ? parcels->class_text : parcels->note_text;
    return (il_value){.kind = IL_KIND_TEXT,
                      .text = text + offsets[row],
                      .size = (size_t)(offsets[row + 1] - offsets[row])};
}

static il_column column_of(const struct parcels *parcels, const char *field)
{
    if (strcmp(field, "weight") == 0)
        return (il_column){.kind = IL_COLUMN_DOUBLE,
                           .data = &parcels->rows[0].weight,
                           .stride = sizeof(struct parcel),
                           .valid = parcels->has_weight};
    if (strcmp(field, "sent") == 0)
        return (il_column){.kind = IL_COLUMN_INT64,
                           .data = &parcels->rows[0].sent,
                           .stride = sizeof(struct parcel),
                           .valid = parcels->has_sent};
    bool is_class = strcmp(field, "class") == 0;
    return (il_column){.kind = IL_COLUMN_TEXT,
                       .data = is_class ? parcels->class_text : parcels->note_text,
                       .offsets = is_class ? parcels->class_offsets : parcels->note_offsets};
}

static void columns_and_values_say_the_same(void **state)
{
    (void)state;
    static struct parcels parcels;
    static uint16_t states[ROWS];
    static uint8_t holds[ROWS];
    il_derivation *derivation = load(parcel);
    il_column columns[8];
    uint64_t errors;
    uint64_t expected = 0;
    fill(&parcels);
    assert_int_equal(il_derive_field_count(derivation), 4);
    for (uint32_t i = 0; i < 4; i++)
        columns[i] = column_of(&parcels, il_derive_field(derivation, i));
    assert_int_equal(
        il_derive_columns(derivation, columns, ROWS, parcels.from, states, holds, &errors),
        IL_OK);
    for (int row = 0; row < ROWS; row++) {
        il_value values[8];
        il_derived derived;
        for (uint32_t i = 0; i < 4; i++)
            values[i] = value_of(&parcels, il_derive_field(derivation, i), row);
        assert_int_equal(il_derive_values(derivation, parcels.from[row], values, &derived),
                         IL_OK);
        assert_int_equal(derived.state, states[row]);
        assert_int_equal(derived.holds, holds[row]);
        expected += derived.errors;
    }
    assert_int_equal(errors, expected);
    columns[0].kind = (il_column_kind)99;
    assert_int_equal(il_derive_columns(derivation, columns, ROWS, NULL, states, holds, NULL),
                     IL_MISUSE);
    il_derive_close(derivation);
}

/* As Arrow's specification lays them out. */
struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

static void arrow_arrays_are_taken_as_they_are(void **state)
{
    (void)state;
    il_derivation *derivation = load(order_status);
    /* rows 1 to 5 of a longer array; `approved` begins one further on */
    const uint8_t items[] = {0x3e};
    const uint8_t paid[] = {0x1c};
    const uint8_t approved[] = {0x20};
    const uint8_t paid_is_there[] = {0x14};
    struct ArrowSchema schemas[] = {{.format = "b", .name = "itemsAdded"},
                                    {.format = "b", .name = "paymentReceived"},
                                    {.format = "b", .name = "approved"},
                                    {.format = "tdD", .name = "some date"}};
    const void *buffers[][2] = {{NULL, items}, {paid_is_there, paid}, {NULL, approved}, {0}};
    struct ArrowArray arrays[4];
    struct ArrowSchema *schema_children[4];
    struct ArrowArray *array_children[4];
    for (int i = 0; i < 4; i++) {
        arrays[i] = (struct ArrowArray){
            .length = 8, .n_buffers = 2, .buffers = buffers[i], .null_count = -1};
        schema_children[i] = &schemas[i];
        array_children[i] = &arrays[i];
    }
    arrays[2].offset = 1;
    struct ArrowSchema schema = {.format = "+s", .n_children = 4, .children = schema_children};
    struct ArrowArray array = {
        .length = 5, .offset = 1, .n_children = 4, .children = array_children};
    uint16_t states[5];
    uint8_t holds[5];
    uint64_t errors;
    assert_int_equal(il_derive_arrow(derivation, &schema, &array, states, holds, &errors),
                     IL_OK);
    static const char *const wanted[] = {"AWAITING_PAYMENT", "AWAITING_APPROVAL",
                                         "AWAITING_PAYMENT", "READY_TO_SHIP",
                                         "AWAITING_PAYMENT"};
    for (int i = 0; i < 5; i++)
        assert_string_equal(il_derive_state(derivation, states[i]), wanted[i]);
    assert_int_equal(errors, 0);
    schemas[0].format = "tdD";
    assert_int_equal(il_derive_arrow(derivation, &schema, &array, states, holds, NULL),
                     IL_INVALID);
    il_derive_close(derivation);
}

enum { FLAG_ROWS = 64 * 133 + 0, FLAGS = 5 };

static void flags_in_bytes_and_bits_say_the_same_as_columns(void **state)
{
    (void)state;
    static uint8_t bytes[FLAGS][FLAG_ROWS];
    static uint64_t bits[FLAGS][FLAG_ROWS / 64];
    static uint64_t planes[3][FLAG_ROWS / 64];
    static uint64_t bit_holds[FLAG_ROWS / 64];
    static uint16_t states[FLAG_ROWS];
    static uint8_t holds[FLAG_ROWS];
    static uint8_t found[FLAG_ROWS];
    il_derivation *derivation = load(order_status);
    const uint8_t *byte_fields[FLAGS];
    const uint64_t *bit_fields[FLAGS];
    uint64_t *plane_list[] = {planes[0], planes[1], planes[2]};
    il_column columns[FLAGS];
    unsigned seed = 3;
    for (int f = 0; f < FLAGS; f++) {
        for (int i = 0; i < FLAG_ROWS; i++) {
            bytes[f][i] = (uint8_t)dice(&seed, 2);
            bits[f][i / 64] |= (uint64_t)bytes[f][i] << i % 64;
        }
        byte_fields[f] = bytes[f];
        bit_fields[f] = bits[f];
        columns[f] = (il_column){.kind = IL_COLUMN_BOOL, .data = bytes[f]};
    }
    assert_int_equal(il_derive_planes(derivation), 3);
    assert_int_equal(
        il_derive_columns(derivation, columns, FLAG_ROWS, NULL, states, holds, NULL), IL_OK);
    assert_int_equal(il_derive_flags(derivation, byte_fields, FLAG_ROWS - 3, found), IL_OK);
    assert_int_equal(
        il_derive_bits(derivation, bit_fields, FLAG_ROWS / 64, plane_list, bit_holds), IL_OK);
    for (int i = 0; i < FLAG_ROWS; i++) {
        unsigned by_bits = 0;
        for (unsigned p = 0; p < 3; p++)
            by_bits |= (unsigned)(planes[p][i / 64] >> i % 64 & 1) << p;
        assert_int_equal(by_bits, states[i]);
        assert_int_equal(bit_holds[i / 64] >> i % 64 & 1, holds[i]);
        if (i < FLAG_ROWS - 3)
            assert_int_equal(found[i], states[i] | (holds[i] ? 0 : 0x80));
    }
    il_derive_close(derivation);
    derivation = load(parcel);
    assert_int_equal(il_derive_planes(NULL), 0);
    il_derive_close(derivation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_record_from_json),
        cmocka_unit_test(regions_are_derived_apart),
        cmocka_unit_test(wrong_and_unstable_definitions_are_told),
        cmocka_unit_test(columns_and_values_say_the_same),
        cmocka_unit_test(arrow_arrays_are_taken_as_they_are),
        cmocka_unit_test(flags_in_bytes_and_bits_say_the_same_as_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
