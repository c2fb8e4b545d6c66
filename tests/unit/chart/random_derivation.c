/*
 * random_derivation.c - see random_derivation.h.
 */
#include "random_derivation.h"

#include <string.h>

static const char *const texts[] = {"a", "b", "c"};

static int up_to(struct random *random, int bound)
{
    return (int)random_up_to(random, (uint64_t)bound);
}

/* Machines */

static int make_formula(struct reference *reference, struct random *random, int levels)
{
    int index = reference->formula_count++;
    enum formula_kind kind = (enum formula_kind)up_to(random, FORMULA_KINDS - 1);
    bool is_full = reference->formula_count > REFERENCE_NODES_MAX - 8;
    if ((levels == 0 || is_full) &&
        (kind == FORMULA_NOT || kind == FORMULA_AND || kind == FORMULA_OR))
        kind = FORMULA_FIELD;
    if (kind == FORMULA_CONSTANT && up_to(random, 3) > 0)
        kind = FORMULA_FIELD;
    struct formula formula = {.kind = kind,
                              .field = up_to(random, reference->field_count - 1),
                              .number = up_to(random, 2)};
    if (kind == FORMULA_NOT || kind == FORMULA_AND || kind == FORMULA_OR)
        formula.left = make_formula(reference, random, levels - 1);
    if (kind == FORMULA_AND || kind == FORMULA_OR)
        formula.right = make_formula(reference, random, levels - 1);
    reference->formulas[index] = formula;
    return index;
}

static struct reference_value make_value(struct random *random, bool may_miss)
{
    int kind = up_to(random, 9);
    if (kind < 5)
        return (struct reference_value){VALUE_IS_BOOL, up_to(random, 1)};
    if (kind == 5)
        return (struct reference_value){VALUE_IS_INT, up_to(random, 3)};
    if (kind == 6)
        return (struct reference_value){VALUE_IS_TEXT, up_to(random, 2)};
    if (kind == 7)
        return (struct reference_value){VALUE_IS_NULL, 0};
    return (struct reference_value){may_miss ? VALUE_IS_MISSING : VALUE_IS_BOOL, 0};
}

static void add_state(struct reference *reference, struct random *random, int parent)
{
    int index = reference->state_count++;
    struct reference_state *state = &reference->states[index];
    *state = (struct reference_state){.parent = parent, .initial = -1, .formula = -1};
    if (up_to(random, 7) > 0)
        state->formula = make_formula(reference, random, 2);
    if (parent >= 0 && reference->states[parent].initial < 0)
        reference->states[parent].initial = index;
}

static void add_targets(struct reference *reference, struct random *random)
{
    for (int i = 0; i < reference->state_count; i++) {
        struct reference_state *state = &reference->states[i];
        state->target_count = up_to(random, state->initial < 0 ? 3 : 1);
        for (int k = 0; k < state->target_count; k++)
            state->targets[k] = up_to(random, reference->state_count - 1);
    }
}

void reference_make(struct reference *reference, struct random *random)
{
    *reference = (struct reference){.field_count = 1 + up_to(random, REFERENCE_FIELDS_MAX - 1)};
    int tops = 1 + up_to(random, 5);
    bool is_nested = up_to(random, 2) == 0;
    for (int i = 0; i < tops; i++) {
        add_state(reference, random, -1);
        int parent = reference->state_count - 1;
        int children = is_nested && reference->state_count < 11 ? up_to(random, 2) : 0;
        for (int k = 0; k < children; k++)
            add_state(reference, random, parent);
    }
    do
        reference->initial = up_to(random, reference->state_count - 1);
    while (reference->states[reference->initial].parent >= 0);
    add_targets(reference, random);
    for (int i = 0; i < reference->field_count; i++) {
        reference->presets[i] = make_value(random, true);
        if (reference->presets[i].kind == VALUE_IS_NULL)
            reference->presets[i].kind = VALUE_IS_MISSING;
    }
}

/* As text */

static void write_value(struct text *text, struct reference_value value)
{
    switch (value.kind) {
    case VALUE_IS_MISSING:
    case VALUE_IS_NULL:
        text_format(text, "null");
        return;
    case VALUE_IS_BOOL:
        text_format(text, value.number ? "true" : "false");
        return;
    case VALUE_IS_INT:
        text_format(text, "%d", value.number);
        return;
    case VALUE_IS_TEXT:
        text_format(text, "\"%s\"", texts[value.number]);
        return;
    }
}

/* In a JSON string, so quotes in it are CEL's other ones. */
static void write_formula(const struct reference *reference, int index, struct text *text)
{
    const struct formula *formula = &reference->formulas[index];
    switch (formula->kind) {
    case FORMULA_FIELD:
        text_format(text, "o.f%d", formula->field);
        return;
    case FORMULA_HAS:
        text_format(text, "has(o.f%d)", formula->field);
        return;
    case FORMULA_LESS:
        text_format(text, "o.f%d < %d", formula->field, formula->number);
        return;
    case FORMULA_EQUAL:
        text_format(text, "%d == o.f%d", formula->number, formula->field);
        return;
    case FORMULA_TEXT:
        text_format(text, "o.f%d == '%s'", formula->field, texts[formula->number]);
        return;
    case FORMULA_IN:
        text_format(text, "o.f%d in [1, 'b']", formula->field);
        return;
    case FORMULA_NULL:
        text_format(text, "o.f%d != null", formula->field);
        return;
    case FORMULA_NOT:
        text_format(text, "!(");
        write_formula(reference, formula->left, text);
        text_format(text, ")");
        return;
    case FORMULA_AND:
    case FORMULA_OR:
        text_format(text, "((");
        write_formula(reference, formula->left, text);
        text_format(text, formula->kind == FORMULA_AND ? ") && (" : ") || (");
        write_formula(reference, formula->right, text);
        text_format(text, "))");
        return;
    case FORMULA_CONSTANT:
        text_format(text, formula->number > 0 ? "true" : "false");
        return;
    case FORMULA_KINDS:
        return;
    }
}

static void write_states(const struct reference *reference, int parent, struct text *text);

static void write_state(const struct reference *reference, int index, struct text *text)
{
    const struct reference_state *state = &reference->states[index];
    text_format(text, "\"S%d\":{\"id\":\"S%d\",\"transitions\":[", index, index);
    for (int i = 0; i < state->target_count; i++)
        text_format(text, "%s\"#S%d\"", i == 0 ? "" : ",", state->targets[i]);
    text_format(text, "]");
    if (state->formula >= 0) {
        text_format(text, ",\"validator\":\"");
        write_formula(reference, state->formula, text);
        text_format(text, "\"");
    }
    if (state->initial >= 0) {
        text_format(text, ",\"initial\":\"S%d\",", state->initial);
        write_states(reference, index, text);
    }
    text_format(text, "}");
}

static void write_states(const struct reference *reference, int parent, struct text *text)
{
    const char *between = "";
    text_format(text, "\"states\":{");
    for (int i = 0; i < reference->state_count; i++) {
        if (reference->states[i].parent != parent)
            continue;
        text_format(text, "%s", between);
        write_state(reference, i, text);
        between = ",";
    }
    text_format(text, "}");
}

void reference_write(const struct reference *reference, bool is_topological, struct text *text)
{
    const char *between = "";
    text_format(text, "{\"id\":\"m\",\"record\":{\"as\":\"o\",\"defaults\":{");
    for (int i = 0; i < reference->field_count; i++) {
        if (reference->presets[i].kind == VALUE_IS_MISSING)
            continue;
        text_format(text, "%s\"f%d\":", between, i);
        write_value(text, reference->presets[i]);
        between = ",";
    }
    text_format(text, "}},\"initial\":\"S%d\",", reference->initial);
    if (is_topological)
        text_format(text, "\"derive\":{\"order\":\"topological\"},");
    write_states(reference, -1, text);
    text_format(text, "}");
}

/* Records */

void reference_record(const struct reference *reference, struct random *random,
                      struct reference_value *record)
{
    for (int i = 0; i < reference->field_count; i++)
        record[i] = make_value(random, true);
}

void reference_write_record(const struct reference *reference,
                            const struct reference_value *record, struct text *text)
{
    const char *between = "";
    text_format(text, "{");
    for (int i = 0; i < reference->field_count; i++) {
        if (record[i].kind == VALUE_IS_MISSING)
            continue;
        text_format(text, "%s\"f%d\":", between, i);
        write_value(text, record[i]);
        between = ",";
    }
    text_format(text, "}");
}

/* The definition of derivation */

static struct reference_value read_field(const struct reference *reference, int field,
                                         const struct reference_value *record)
{
    bool is_missing =
        record[field].kind == VALUE_IS_MISSING || record[field].kind == VALUE_IS_NULL;
    bool has_preset = reference->presets[field].kind != VALUE_IS_MISSING;
    return is_missing && has_preset ? reference->presets[field] : record[field];
}

static enum truth truth_of(bool is_true)
{
    return is_true ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth join(enum truth left, enum truth right, enum truth deciding)
{
    if (left == deciding || right == deciding)
        return deciding;
    return left == TRUTH_ERROR || right == TRUTH_ERROR ? TRUTH_ERROR : left;
}

static enum truth evaluate(const struct reference *reference, int index,
                           const struct reference_value *record)
{
    const struct formula *formula = &reference->formulas[index];
    struct reference_value value = read_field(reference, formula->field, record);
    bool is_missing = value.kind == VALUE_IS_MISSING;
    switch (formula->kind) {
    case FORMULA_FIELD:
        return value.kind == VALUE_IS_BOOL ? truth_of(value.number != 0) : TRUTH_ERROR;
    case FORMULA_HAS:
        return truth_of(!is_missing);
    case FORMULA_LESS:
        return value.kind == VALUE_IS_INT ? truth_of(value.number < formula->number)
                                          : TRUTH_ERROR;
    case FORMULA_EQUAL:
        return is_missing
                   ? TRUTH_ERROR
                   : truth_of(value.kind == VALUE_IS_INT && value.number == formula->number);
    case FORMULA_TEXT:
        return is_missing
                   ? TRUTH_ERROR
                   : truth_of(value.kind == VALUE_IS_TEXT && value.number == formula->number);
    case FORMULA_IN:
        return is_missing ? TRUTH_ERROR
                          : truth_of((value.kind == VALUE_IS_INT && value.number == 1) ||
                                     (value.kind == VALUE_IS_TEXT && value.number == 1));
    case FORMULA_NULL:
        return is_missing ? TRUTH_ERROR : truth_of(value.kind != VALUE_IS_NULL);
    case FORMULA_NOT: {
        enum truth truth = evaluate(reference, formula->left, record);
        return truth == TRUTH_ERROR ? truth : truth_of(truth == TRUTH_FALSE);
    }
    case FORMULA_AND:
        return join(evaluate(reference, formula->left, record),
                    evaluate(reference, formula->right, record), TRUTH_FALSE);
    case FORMULA_OR:
        return join(evaluate(reference, formula->left, record),
                    evaluate(reference, formula->right, record), TRUTH_TRUE);
    case FORMULA_CONSTANT:
        return truth_of(formula->number > 0);
    case FORMULA_KINDS:
        break;
    }
    return TRUTH_ERROR;
}

/* A leaf holds when its validator and those of its ancestors do; with none it never does. */
static enum truth verdict(const struct reference *reference, int leaf,
                          const struct reference_value *record)
{
    enum truth truth = TRUTH_TRUE;
    bool has_any = false;
    for (int at = leaf; at >= 0; at = reference->states[at].parent) {
        if (reference->states[at].formula < 0)
            continue;
        has_any = true;
        truth = join(evaluate(reference, reference->states[at].formula, record), truth,
                     TRUTH_FALSE);
    }
    return has_any ? truth : TRUTH_FALSE;
}

int reference_leaf(const struct reference *reference, int state)
{
    while (reference->states[state].initial >= 0)
        state = reference->states[state].initial;
    return state;
}

struct reference_answer reference_derive(const struct reference *reference, int start,
                                         const struct reference_value *record)
{
    int queue[REFERENCE_STATES_MAX];
    bool is_seen[REFERENCE_STATES_MAX] = {false};
    int count = 0;
    struct reference_answer answer = {.state = start};
    queue[count++] = start;
    is_seen[start] = true;
    for (int place = 0; place < count; place++) {
        enum truth truth = verdict(reference, queue[place], record);
        if (truth == TRUTH_TRUE)
            answer = (struct reference_answer){queue[place], true, 0};
        answer.errors += truth == TRUTH_ERROR;
        for (int at = queue[place]; at >= 0; at = reference->states[at].parent) {
            const struct reference_state *state = &reference->states[at];
            for (int i = 0; i < state->target_count; i++) {
                int next = reference_leaf(reference, state->targets[i]);
                if (!is_seen[next])
                    queue[count++] = next;
                is_seen[next] = true;
            }
        }
    }
    return answer;
}
