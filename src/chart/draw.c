/*
 * draw.c - states as boxes in boxes, transitions as labelled arrows.
 *
 * States are written as s0, s1, … with their names as labels, because names may be anything.
 * What forbids an event is not drawn; a transition without a target is a line in its
 * state's box. Where the state follows from a record, the arrows are the derivation's, from
 * leaf to leaf, with the validators that they lead to.
 */
#include "chart/draw.h"

#include "chart/derivation.h"

/* Label text: in one line, and without what either notation takes for its own. */
static void add_label(struct text *text, struct span label)
{
    for (size_t i = 0; i < label.size; i++) {
        char byte = label.text[i];
        if (byte == '"' || byte == '\\')
            text_add_byte(text, '\'');
        else if (byte == '\n' || byte == '\t' || byte == '\r')
            text_add_byte(text, ' ');
        else if (byte == ';' || byte == '#')
            text_add_byte(text, ',');
        else
            text_add_byte(text, byte);
    }
}

static struct span state_label(const struct machine *machine, uint32_t state)
{
    return state == 0 ? machine->id : machine->states[state].key;
}

/* "after.30s.PENDING" is "after 30s", "done.invoke.CHARGING" is "done". */
static void add_event(const struct machine *machine,
                      const struct machine_transition *transition, struct text *text)
{
    struct span type =
        transition->wildcard ? SPAN("*") : machine->event_types[transition->event];
    struct span id = machine->states[transition->source].id;
    if (span_starts_with(type, SPAN("after.")) && span_ends_with(type, id) &&
        type.size > id.size + 7) {
        text_add(text, SPAN("after "));
        add_label(text, span_slice(type, 6, type.size - id.size - 1));
    } else if (span_starts_with(type, SPAN("done."))) {
        text_add(text, SPAN("done"));
    } else if (span_starts_with(type, SPAN("error.invoke."))) {
        text_add(text, SPAN("error"));
    } else {
        add_label(text, type);
    }
}

static void add_transition_label(const struct machine *machine,
                                 const struct machine_transition *transition, struct text *text)
{
    if (transition->event != EVENT_ID_NONE)
        add_event(machine, transition, text);
    if (transition->guard == NO_INDEX)
        return;
    const struct machine_guard *guard = &machine->guards[transition->guard];
    text_add(text, transition->event == EVENT_ID_NONE ? SPAN("[") : SPAN(" ["));
    add_label(text, guard->name.size > 0 ? guard->name : guard->text);
    text_add_byte(text, ']');
}

/* An edge of a machine whose state follows from a record is open while the validator of its
 * target holds. */
static void add_validator_label(const struct derivation *derivation, uint32_t leaf,
                                struct text *text)
{
    struct range refs = derivation->leaves[leaf].validators;
    if (refs.count == 0)
        return;
    uint32_t innermost = derivation->validator_refs[refs.first + refs.count - 1];
    text_add_byte(text, '[');
    add_label(text, derivation->validators[innermost].text);
    text_add_byte(text, ']');
}

typedef void draw_edge(const struct machine *machine, uint32_t source, uint32_t target,
                       struct text *text);

/* The derivation's edges, as leaves: to what is one level away. */
static void each_edge(const struct machine *machine, draw_edge *draw, struct text *text)
{
    const struct derivation *derivation = machine->derivation;
    for (uint32_t leaf = 0; derivation != NULL && leaf < derivation->leaf_count; leaf++) {
        struct range order = derivation->leaves[leaf].order;
        for (uint32_t i = order.first; i < order.first + order.count; i++) {
            if (derivation->visits[i].level == 1)
                draw(machine, leaf, derivation->visits[i].leaf, text);
        }
    }
}

static bool is_drawn(const struct machine_transition *transition)
{
    return transition->event != NO_INDEX && transition->target != NO_STATE;
}

/* A line in the box: what happens without leaving the state. */
static bool is_inside(const struct machine_transition *transition)
{
    return transition->event != NO_INDEX && transition->target == NO_STATE &&
           transition->actions.count > 0;
}

static void indent(struct text *text, uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++)
        text_add(text, SPAN("  "));
}

static bool has_children(const struct machine *machine, uint32_t state)
{
    return machine->states[state].type == STATE_COMPOUND ||
           machine->states[state].type == STATE_PARALLEL;
}

/* Mermaid */

static void mermaid_state(const struct machine *machine, uint32_t state, uint32_t depth,
                          struct text *text);

static void mermaid_initial(const struct machine *machine, uint32_t state, uint32_t depth,
                            struct text *text)
{
    if (machine->states[state].type != STATE_COMPOUND)
        return;
    const struct machine_transition *initial =
        &machine->transitions[machine->states[state].initial];
    indent(text, depth);
    text_format(text, "[*] --> s%u\n", initial->target);
}

static void mermaid_children(const struct machine *machine, uint32_t state, uint32_t depth,
                             struct text *text)
{
    const struct machine_state *states = machine->states;
    bool is_first = true;
    for (uint32_t child = state + 1; child < states[state].end; child = states[child].end) {
        if (states[state].type == STATE_PARALLEL && !is_first &&
            states[child].type != STATE_HISTORY) {
            indent(text, depth);
            text_add(text, SPAN("--\n"));
        }
        is_first = false;
        mermaid_state(machine, child, depth, text);
    }
    mermaid_initial(machine, state, depth, text);
}

/* The lines of a state's box: the step it calls, and what it does without being left. */
static void mermaid_lines(const struct machine *machine, uint32_t state, uint32_t depth,
                          struct text *text)
{
    struct range invokes = machine->states[state].invokes;
    for (uint32_t i = invokes.first; i < invokes.first + invokes.count; i++) {
        indent(text, depth);
        text_format(text, "s%u : do / ", state);
        add_label(text, machine->invokes[i].src);
        text_add_byte(text, '\n');
    }
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        const struct machine_transition *transition = &machine->transitions[i];
        if (transition->source != state || !is_inside(transition))
            continue;
        indent(text, depth);
        text_format(text, "s%u : ", state);
        add_transition_label(machine, transition, text);
        text_add(text, SPAN(" /\n"));
    }
}

static void mermaid_state(const struct machine *machine, uint32_t state, uint32_t depth,
                          struct text *text)
{
    enum state_type type = machine->states[state].type;
    indent(text, depth);
    text_add(text, SPAN("state \""));
    add_label(text, state_label(machine, state));
    if (type == STATE_HISTORY)
        text_add(text, machine->states[state].is_deep ? SPAN(" (H*)") : SPAN(" (H)"));
    text_format(text, "\" as s%u", state);
    if (has_children(machine, state)) {
        text_add(text, SPAN(" {\n"));
        mermaid_children(machine, state, depth + 1, text);
        indent(text, depth);
        text_add_byte(text, '}');
    }
    text_add_byte(text, '\n');
    if (!has_children(machine, state))
        mermaid_lines(machine, state, depth, text);
    if (type == STATE_FINAL) {
        indent(text, depth);
        text_format(text, "s%u --> [*]\n", state);
    }
}

static void mermaid_arrow(const struct machine *machine,
                          const struct machine_transition *transition, uint32_t source,
                          uint32_t target, struct text *text)
{
    text_format(text, "  s%u --> s%u : ", source, target);
    add_transition_label(machine, transition, text);
    text_add_byte(text, '\n');
}

/* Whether a state takes the event itself, whatever happens, or forbids it. */
static bool takes_itself(const struct machine *machine, uint32_t state,
                         const struct machine_transition *outer)
{
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        const struct machine_transition *own = &machine->transitions[i];
        if (own->source == state && own->event == outer->event && own->guard == NO_INDEX)
            return true;
    }
    return false;
}

/* The root has no box of its own: what it does, every state in it does. */
static void mermaid_root_arrows(const struct machine *machine,
                                const struct machine_transition *transition, uint32_t target,
                                struct text *text)
{
    const struct machine_state *states = machine->states;
    for (uint32_t child = 1; child < machine->state_count; child = states[child].end) {
        if (states[child].type != STATE_FINAL && states[child].type != STATE_HISTORY &&
            !takes_itself(machine, child, transition))
            mermaid_arrow(machine, transition, child, target, text);
    }
}

static void mermaid_edge(const struct machine *machine, uint32_t source, uint32_t target,
                         struct text *text)
{
    text_format(text, "  s%u --> s%u : ", machine->derived_states[source],
                machine->derived_states[target]);
    add_validator_label(machine->derivation, target, text);
    text_add_byte(text, '\n');
}

/* Where nothing leads on, the record may still change, but the machine is at its end. */
static void mermaid_sinks(const struct machine *machine, struct text *text)
{
    const struct derivation *derivation = machine->derivation;
    for (uint32_t leaf = 0; derivation != NULL && leaf < derivation->leaf_count; leaf++) {
        if (derivation_is_sink(derivation, leaf) && !derivation->is_parallel &&
            machine->states[machine->derived_states[leaf]].type != STATE_FINAL)
            text_format(text, "  s%u --> [*]\n", machine->derived_states[leaf]);
    }
}

void draw_mermaid(const struct machine *machine, struct text *text)
{
    bool has_box = machine->states[0].type != STATE_COMPOUND;
    text_add(text, SPAN("stateDiagram-v2\n"));
    if (has_box)
        mermaid_state(machine, 0, 1, text);
    else
        mermaid_children(machine, 0, 1, text);
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        const struct machine_transition *transition = &machine->transitions[i];
        for (uint32_t t = 0; is_drawn(transition) && t < transition->targets.count; t++) {
            uint32_t target = machine->targets[transition->targets.first + t];
            if (transition->source == 0 && !has_box)
                mermaid_root_arrows(machine, transition, target, text);
            else
                mermaid_arrow(machine, transition, transition->source, target, text);
        }
    }
    each_edge(machine, mermaid_edge, text);
    mermaid_sinks(machine, text);
}

/* Graphviz */

static void dot_box(const struct machine *machine, uint32_t state, uint32_t depth,
                    struct text *text)
{
    static const char *const shapes[] = {[STATE_ATOMIC] = "box, style=rounded",
                                         [STATE_FINAL] = "box, style=rounded, peripheries=2",
                                         [STATE_HISTORY] = "circle",
                                         [STATE_COMPOUND] = "point, style=invis",
                                         [STATE_PARALLEL] = "point, style=invis"};
    struct range invokes = machine->states[state].invokes;
    indent(text, depth);
    text_format(text, "s%u [shape=%s, label=\"", state, shapes[machine->states[state].type]);
    if (machine->states[state].type == STATE_HISTORY)
        text_add(text, machine->states[state].is_deep ? SPAN("H*") : SPAN("H"));
    else
        add_label(text, state_label(machine, state));
    for (uint32_t i = invokes.first; i < invokes.first + invokes.count; i++) {
        text_add(text, SPAN("\\ndo / "));
        add_label(text, machine->invokes[i].src);
    }
    text_add(text, SPAN("\"];\n"));
}

static void dot_state(const struct machine *machine, uint32_t state, uint32_t depth,
                      struct text *text)
{
    const struct machine_state *states = machine->states;
    if (!has_children(machine, state)) {
        dot_box(machine, state, depth, text);
        return;
    }
    indent(text, depth);
    text_format(text, "subgraph cluster_%u {\n", state);
    indent(text, depth + 1);
    text_add(text, SPAN("label=\""));
    add_label(text, state_label(machine, state));
    text_format(text, "\"; style=\"rounded%s\";\n",
                state > 0 && states[states[state].parent].type == STATE_PARALLEL ? ",dashed"
                                                                                 : "");
    dot_box(machine, state, depth + 1, text);
    for (uint32_t child = state + 1; child < states[state].end; child = states[child].end)
        dot_state(machine, child, depth + 1, text);
    if (states[state].type == STATE_COMPOUND) {
        uint32_t target = machine->transitions[states[state].initial].target;
        indent(text, depth + 1);
        text_format(text, "i%u [shape=point]; i%u -> s%u%s", state, state, target,
                    has_children(machine, target) ? "" : ";\n");
        if (has_children(machine, target))
            text_format(text, " [lhead=cluster_%u];\n", target);
    }
    indent(text, depth);
    text_add(text, SPAN("}\n"));
}

static void dot_arrow(const struct machine *machine,
                      const struct machine_transition *transition, uint32_t target,
                      struct text *text)
{
    uint32_t source = transition->source;
    text_format(text, "  s%u -> s%u [label=\"", source, target);
    add_transition_label(machine, transition, text);
    text_add_byte(text, '"');
    if (has_children(machine, source))
        text_format(text, ", ltail=cluster_%u", source);
    if (has_children(machine, target) && !machine_is_within(machine, source, target) &&
        source != target)
        text_format(text, ", lhead=cluster_%u", target);
    text_add(text, SPAN("];\n"));
}

static void dot_edge(const struct machine *machine, uint32_t source, uint32_t target,
                     struct text *text)
{
    text_format(text, "  s%u -> s%u [label=\"", machine->derived_states[source],
                machine->derived_states[target]);
    add_validator_label(machine->derivation, target, text);
    text_add(text, SPAN("\"];\n"));
}

void draw_dot(const struct machine *machine, struct text *text)
{
    text_add(text, SPAN("digraph machine {\n  compound=true; fontname=\"sans-serif\";\n"
                        "  node [fontname=\"sans-serif\"]; edge [fontname=\"sans-serif\", "
                        "fontsize=11];\n"));
    dot_state(machine, 0, 1, text);
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        const struct machine_transition *transition = &machine->transitions[i];
        for (uint32_t t = 0; is_drawn(transition) && t < transition->targets.count; t++)
            dot_arrow(machine, transition, machine->targets[transition->targets.first + t],
                      text);
    }
    each_edge(machine, dot_edge, text);
    text_add(text, SPAN("}\n"));
}
