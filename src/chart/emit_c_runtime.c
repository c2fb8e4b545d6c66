/*
 * emit_c_runtime.c - the part of an emitted file that is the same for all machines.
 *
 * What step*.c does with arenas and values of any kind, this does with one word of bits. A
 * piece stands there only for machines that need it, so that no compiler finds anything
 * unused. `@` stands for the machine's name, `^` for the same in capitals.
 */
#include "chart/emit_c_writer.h"

/* Upper case: what the machine must have; lower case: what it must not have. */
static const struct piece {
    const char *when;
    const char *text;
} pieces[] = {
    {"", "/* The runtime: a macrostep takes an event, then what is enabled without one, then "
         "what was\n"
         " * raised, until nothing is left. */\n"
         "struct turn {\n"
         "    struct @ *self;\n"
         "    const struct @_host *host;\n"
         "    const struct @_event *event; /* NULL: one from inside */\n"
         "    int type;\n"
         "    int microsteps;\n"
         "    bool guard_failed;\n"
         "    bool applied;\n"
         "    bool complete;\n"},
    {"Q", "    bool full; /* more was raised than there is room for */\n"},
    {"T", "    uint64_t armed_again;\n"},
    {"I", "    uint64_t started_again;\n"},
    {"", "    int choice_count;\n"
         "    int choices[LEAVES];\n"
         "    int domains[LEAVES]; /* -1: the root is left too */\n"},
    {"Q", "    int first;\n"
          "    int queued;\n"
          "    uint16_t queue[^_QUEUE_MAX];\n"},
    {"", "};\n\n"
         "static int last_of(uint64_t bits)\n"
         "{\n"
         "#if defined(__GNUC__)\n"
         "    return 63 - __builtin_clzll(bits);\n"
         "#else\n"
         "    int last = 0;\n"
         "    while ((bits >>= 1) != 0)\n"
         "        last++;\n"
         "    return last;\n"
         "#endif\n"
         "}\n\n"},
    {"L", "static int first_of(uint64_t bits)\n"
          "{\n"
          "    return last_of(bits & (~bits + 1));\n"
          "}\n\n"},
    {"", "static uint64_t bit(int number)\n"
         "{\n"
         "    return (uint64_t)1 << number;\n"
         "}\n\n"
         "static uint64_t inside(int domain)\n"
         "{\n"
         "    return domain < 0 ? ALL : below[domain];\n"
         "}\n\n"},
    {"Q", "static void push(struct turn *turn, int event)\n"
          "{\n"
          "    if (turn->queued == ^_QUEUE_MAX) {\n"
          "        turn->full = true;\n"
          "        return;\n"
          "    }\n"
          "    turn->queue[(turn->first + turn->queued) % ^_QUEUE_MAX] = (uint16_t)event;\n"
          "    turn->queued++;\n"
          "}\n\n"},
    {"W", "/* A guard without an answer does not hold, and says so once. */\n"
          "static bool fail_guard(struct turn *turn)\n"
          "{\n"
          "    if (!turn->guard_failed)\n"
          "        push(turn, EVENT_ERROR_EXECUTION);\n"
          "    turn->guard_failed = true;\n"
          "    return false;\n"
          "}\n\n"},
    {"%", ""},
    {"M",
     "static uint64_t remembered(const struct turn *turn, int history)\n"
     "{\n"
     "    return turn->self->memory[memory_row[parent[history]]];\n"
     "}\n\n"
     "/* What a transition leads to: what its history states stand for now. */\n"
     "static uint64_t effective(const struct turn *turn, int transition)\n"
     "{\n"
     "    const struct transition *taken = &transitions[transition];\n"
     "    uint64_t states = taken->targets & ~HISTORIES;\n"
     "    for (uint64_t left = taken->targets & HISTORIES; left != 0; left &= left - 1) {\n"
     "        int history = first_of(left);\n"
     "        uint64_t memory = remembered(turn, history);\n"
     "        if (memory == 0)\n"
     "            states |= default_targets[history];\n"
     "        else\n"
     "            states |= memory & (is_deep[history] ? LEAF_STATES : "
     "children[parent[history]]);\n"
     "    }\n"
     "    return states;\n"
     "}\n\n"},
    {"My",
     "static int domain_now(const struct turn *turn, int transition)\n"
     "{\n"
     "    const struct transition *taken = &transitions[transition];\n"
     "    uint64_t states = effective(turn, transition);\n"
     "    int outer = parent[first_of(states)];\n"
     "    if (!taken->reenter && (states & ~(below[taken->source] | bit(taken->source))) == "
     "0)\n"
     "        return taken->source;\n"
     "    while (outer >= 0 &&\n"
     "           ((states & ~below[outer]) != 0 || (below[outer] & bit(taken->source)) == 0))\n"
     "        outer = parent[outer];\n"
     "    return outer < 0 && !taken->reenter ? 0 : outer;\n"
     "}\n\n"},
    {"MY",
     "static int domain_now(const struct turn *turn, int transition)\n"
     "{\n"
     "    const struct transition *taken = &transitions[transition];\n"
     "    uint64_t states = effective(turn, transition);\n"
     "    int outer = parent[taken->source];\n"
     "    if (taken->is_internal && kind[taken->source] == COMPOUND &&\n"
     "        (states & ~below[taken->source]) == 0)\n"
     "        return taken->source;\n"
     "    while (outer > 0 && (kind[outer] != COMPOUND || (states & ~below[outer]) != 0))\n"
     "        outer = parent[outer];\n"
     "    return outer < 0 ? 0 : outer;\n"
     "}\n\n"},
    {"", "static int choose(struct turn *turn, int leaf, int event)\n"
         "{\n"
         "    const uint16_t *start = &starts[row[leaf] * EVENTS + event];\n"},
    {"g", "    (void)turn;\n"},
    {"", "    for (int at = start[0]; at < start[1]; at++) {\n"},
    {"G",
     "        if (!transitions[candidates[at]].is_guarded || holds(turn, candidates[at]))\n"},
    {"", "            return candidates[at];\n"
         "    }\n"
         "    return -1;\n"
         "}\n\n"
         "static void add_choice(struct turn *turn, int transition)\n"
         "{\n"
         "    turn->choices[turn->choice_count] = transition;\n"
         "    turn->domains[turn->choice_count] = transitions[transition].domain;\n"},
    {"M", "    if (transitions[transition].is_dynamic)\n"
          "        turn->domains[turn->choice_count] = domain_now(turn, transition);\n"},
    {"", "    turn->choice_count++;\n"
         "}\n\n"},
    {"P",
     "static bool is_chosen(const struct turn *turn, int transition)\n"
     "{\n"
     "    for (int i = 0; i < turn->choice_count; i++) {\n"
     "        if (turn->choices[i] == transition)\n"
     "            return true;\n"
     "    }\n"
     "    return false;\n"
     "}\n\n"
     "static bool lies_inside(int inner, int outer)\n"
     "{\n"
     "    return (below[transitions[outer].source] & bit(transitions[inner].source)) != 0;\n"
     "}\n\n"},
    {"Py",
     "/* What an ancestor of regions would do, it does only when nothing inside does anything. "
     "*/\n"
     "static void drop_outer(struct turn *turn)\n"
     "{\n"
     "    int kept = 0;\n"
     "    for (int i = 0; i < turn->choice_count; i++) {\n"
     "        bool is_outer = false;\n"
     "        for (int j = 0; j < turn->choice_count; j++)\n"
     "            is_outer = is_outer || lies_inside(turn->choices[j], turn->choices[i]);\n"
     "        if (!is_outer) {\n"
     "            turn->domains[kept] = turn->domains[i];\n"
     "            turn->choices[kept++] = turn->choices[i];\n"
     "        }\n"
     "    }\n"
     "    turn->choice_count = kept;\n"
     "}\n\n"},
    {"P",
     "/* Both would leave some state: one domain lies in the other, and is not a leaf. */\n"
     "static bool conflicts(const struct turn *turn, int transition, int domain, int other)\n"
     "{\n"
     "    int inner = domain;\n"
     "    int outer = turn->domains[other];\n"
     "    if (!transitions[transition].has_target ||\n"
     "        !transitions[turn->choices[other]].has_target)\n"
     "        return false;\n"
     "    if (inner < 0 || outer < 0)\n"
     "        return true;\n"
     "    if (inner < outer) {\n"
     "        outer = domain;\n"
     "        inner = turn->domains[other];\n"
     "    }\n"
     "    return row[inner] == NO_ROW && (inner == outer || (below[outer] & bit(inner)) != "
     "0);\n"
     "}\n\n"
     "static void drop_conflicts(struct turn *turn)\n"
     "{\n"
     "    int kept = 0;\n"
     "    for (int i = 0; i < turn->choice_count; i++) {\n"
     "        int transition = turn->choices[i];\n"
     "        int domain = turn->domains[i];\n"
     "        int still = 0;\n"
     "        bool is_preempted = false;\n"
     "        for (int j = 0; j < kept && !is_preempted; j++)\n"
     "            is_preempted = conflicts(turn, transition, domain, j) &&\n"
     "                           !lies_inside(transition, turn->choices[j]);\n"
     "        if (is_preempted)\n"
     "            continue;\n"
     "        for (int j = 0; j < kept; j++) {\n"
     "            if (!conflicts(turn, transition, domain, j)) {\n"
     "                turn->domains[still] = turn->domains[j];\n"
     "                turn->choices[still++] = turn->choices[j];\n"
     "            }\n"
     "        }\n"
     "        turn->domains[still] = domain;\n"
     "        turn->choices[still] = transition;\n"
     "        kept = still + 1;\n"
     "    }\n"
     "    turn->choice_count = kept;\n"
     "}\n\n"},
    {"", "static void select_transitions(struct turn *turn, int event)\n"
         "{\n"
         "    turn->choice_count = 0;\n"},
    {"P", "    for (uint64_t left = turn->self->active & LEAF_STATES; left != 0; left &= left "
          "- 1) {\n"
          "        int transition = choose(turn, first_of(left), event);\n"
          "        if (transition >= 0 && !is_chosen(turn, transition))\n"
          "            add_choice(turn, transition);\n"
          "    }\n"
          "    if (turn->choice_count < 2)\n"
          "        return;\n"},
    {"Py", "    if (event != 0)\n"
           "        drop_outer(turn);\n"},
    {"P", "    drop_conflicts(turn);\n"},
    {"p", "    int transition = choose(turn, last_of(turn->self->active), event);\n"
          "    if (transition >= 0)\n"
          "        add_choice(turn, transition);\n"},
    {"", "}\n\n"
         "static bool leave(struct turn *turn, int domain)\n"
         "{\n"
         "    uint64_t left = turn->self->active & inside(domain);\n"},
    {"T", "    for (uint64_t states = left & TIMED; states != 0; states &= states - 1)\n"
          "        turn->self->armed &= ~timers_of[first_of(states)];\n"},
    {"I", "    for (uint64_t states = left & INVOKING; states != 0; states &= states - 1)\n"
          "        turn->self->running &= ~invokes_of[first_of(states)];\n"},
    {"X", "    while ((left & EXITING) != 0) {\n"
          "        int state = last_of(left);\n"
          "        if (exits[state] != 0 && !run(turn, exits[state]))\n"
          "            return false;\n"
          "        left &= ~bit(state);\n"
          "        turn->self->active &= ~bit(state);\n"
          "    }\n"},
    {"", "    turn->self->active &= ~left;\n"
         "    return true;\n"
         "}\n\n"},
    {"M", "static void remember(struct turn *turn, int domain)\n"
          "{\n"
          "    uint64_t left = turn->self->active & inside(domain) & REMEMBERING;\n"
          "    for (; left != 0; left &= left - 1) {\n"
          "        int state = first_of(left);\n"
          "        turn->self->memory[memory_row[state]] = turn->self->active & below[state];\n"
          "    }\n"
          "}\n\n"},
    {"", "static bool enter_one(struct turn *turn, int state)\n"
         "{\n"
         "    turn->self->active |= bit(state);\n"},
    {"T", "    turn->self->armed |= timers_of[state];\n"
          "    turn->armed_again |= timers_of[state];\n"},
    {"I", "    turn->self->running |= invokes_of[state];\n"
          "    turn->started_again |= invokes_of[state];\n"},
    {"N", "    if (entries[state] != 0)\n"
          "        return run(turn, entries[state]);\n"},
    {"", "    return true;\n"
         "}\n\n"},
    {"D", "static bool is_finished(const struct turn *turn, int parallel)\n"
          "{\n"
          "    for (int i = ends_of[parallel]; i < ends_of[parallel + 1]; i++) {\n"
          "        if ((turn->self->active & ends[i]) == 0)\n"
          "            return false;\n"
          "    }\n"
          "    return true;\n"
          "}\n\n"
          "static void enter_final(struct turn *turn, int state)\n"
          "{\n"
          "    int outer = parent[state];\n"
          "    if (outer < 0 || (outer == 0 && kind[0] == COMPOUND)) {\n"
          "        turn->complete = true;\n"
          "        return;\n"
          "    }\n"
          "    if (kind[outer] == COMPOUND) {\n"
          "        push(turn, done_events[outer]);\n"
          "        outer = parent[outer];\n"
          "    }\n"
          "    for (; outer >= 0 && kind[outer] == PARALLEL && is_finished(turn, outer);\n"
          "         outer = parent[outer]) {\n"
          "        if (outer == 0)\n"
          "            turn->complete = true;\n"
          "        else\n"
          "            push(turn, done_events[outer]);\n"},
    {"DY", "        return;\n"},
    {"D", "    }\n"
          "}\n\n"},
    {"", "static bool enter_listed(struct turn *turn, int transition)\n"
         "{\n"
         "    const uint8_t *entry = &entered[transitions[transition].entry];\n"
         "    for (int i = 0; i < transitions[transition].entry_count; i++) {\n"
         "        int state = entry[i] & 0x7f;\n"
         "        if (!enter_one(turn, state))\n"
         "            return false;\n"},
    {"J", "        if ((entry[i] & BY_DEFAULT) != 0 && initials[state] != 0 && !run(turn, "
          "initials[state]))\n"
          "            return false;\n"},
    {"D", "        if (kind[state] == FINAL)\n"
          "            enter_final(turn, state);\n"},
    {"", "    }\n"
         "    return true;\n"
         "}\n\n"},
    {"M",
     "/* What is entered, and in which of it by default. */\n"
     "struct entry {\n"
     "    uint64_t states;\n"
     "    uint64_t defaults;\n"
     "};\n\n"
     "static void add_inside(struct entry *entry, int state)\n"
     "{\n"
     "    entry->states |= inside_of[state];\n"
     "    entry->defaults |= defaults_of[state];\n"
     "}\n\n"
     "/* Regions in which nothing is entered yet are entered by default. */\n"
     "static void add_regions(struct entry *entry, int parallel)\n"
     "{\n"
     "    for (uint64_t left = children[parallel] & ~HISTORIES; left != 0; left &= left - 1) "
     "{\n"
     "        int child = first_of(left);\n"
     "        if ((entry->states & below[child]) != 0)\n"
     "            continue;\n"
     "        entry->states |= bit(child);\n"
     "        add_inside(entry, child);\n"
     "    }\n"
     "}\n\n"
     "static void add_history(const struct turn *turn, struct entry *entry, int history)\n"
     "{\n"
     "    uint64_t memory = remembered(turn, history);\n"
     "    if (memory == 0 && !has_default[history]) {\n"
     "        add_regions(entry, parent[history]);\n"
     "        return;\n"
     "    }\n"
     "    if (memory == 0) {\n"
     "        add_inside(entry, history);\n"
     "        return;\n"
     "    }\n"
     "    if (is_deep[history]) {\n"
     "        entry->states |= memory;\n"
     "        return;\n"
     "    }\n"
     "    memory &= children[parent[history]];\n"
     "    entry->states |= memory;\n"
     "    for (; memory != 0; memory &= memory - 1)\n"
     "        add_inside(entry, first_of(memory));\n"
     "}\n\n"
     "static void add_ancestors(struct entry *entry, int state, int limit)\n"
     "{\n"
     "    for (int s = parent[state]; s >= 0 && s != limit; s = parent[s]) {\n"
     "        entry->states |= bit(s);\n"
     "        if (kind[s] == PARALLEL)\n"
     "            add_regions(entry, s);\n"
     "    }\n"
     "}\n\n"
     "static void add_entries(const struct turn *turn, int choice, struct entry *entry)\n"
     "{\n"
     "    int domain = turn->domains[choice];\n"
     "    uint64_t targets = transitions[turn->choices[choice]].targets;\n"
     "    uint64_t states = effective(turn, turn->choices[choice]);\n"
     "    entry->states |= targets & ~HISTORIES & ~(domain < 0 ? 0 : bit(domain));\n"
     "    for (uint64_t left = targets; left != 0; left &= left - 1) {\n"
     "        if ((bit(first_of(left)) & HISTORIES) != 0)\n"
     "            add_history(turn, entry, first_of(left));\n"
     "        else\n"
     "            add_inside(entry, first_of(left));\n"
     "    }\n"
     "    for (; states != 0; states &= states - 1) {\n"
     "        if (first_of(states) != domain)\n"
     "            add_ancestors(entry, first_of(states), domain);\n"
     "    }\n"
     "    if (domain >= 0 && kind[domain] == PARALLEL)\n"
     "        add_regions(entry, domain);\n"
     "}\n\n"
     "/* Nothing would be active twice, or without its parent. */\n"
     "static bool is_whole(const struct turn *turn, const struct entry *entry)\n"
     "{\n"
     "    uint64_t all = entry->states | turn->self->active;\n"
     "    for (uint64_t left = entry->states & ~(uint64_t)1; left != 0; left &= left - 1) {\n"
     "        if ((all & bit(parent[first_of(left)])) == 0)\n"
     "            return false;\n"
     "    }\n"
     "    for (int state = 0; state < STATES; state++) {\n"
     "        uint64_t inside_it = all & children[state];\n"},
    {"M", "        if (kind[state] == COMPOUND && (inside_it & (inside_it - 1)) != 0)\n"
          "            return false;\n"
          "    }\n"
          "    return true;\n"
          "}\n\n"
          "static void add_all(const struct turn *turn, bool of_leaves, struct entry *entry)\n"
          "{\n"
          "    for (int i = 0; i < turn->choice_count; i++) {\n"
          "        bool is_leaf = turn->domains[i] >= 0 && row[turn->domains[i]] != NO_ROW;\n"
          "        struct entry before = *entry;\n"
          "        if (!transitions[turn->choices[i]].has_target || is_leaf != of_leaves)\n"
          "            continue;\n"
          "        add_entries(turn, i, entry);\n"
          "        if (!is_whole(turn, entry))\n"
          "            *entry = before;\n"
          "    }\n"
          "}\n\n"
          "/* Where a history state has a say, all that is entered is found first. */\n"
          "static bool enter_computed(struct turn *turn)\n"
          "{\n"
          "    struct entry entry = {0, 0};\n"
          "    for (int i = 0; i < turn->choice_count; i++) {\n"
          "        if (transitions[turn->choices[i]].has_target)\n"
          "            add_entries(turn, i, &entry);\n"
          "    }\n"
          "    if (!is_whole(turn, &entry)) {\n"
          "        entry.states = entry.defaults = 0;\n"
          "        add_all(turn, false, &entry);\n"
          "        add_all(turn, true, &entry);\n"
          "    }\n"
          "    for (uint64_t left = entry.states; left != 0; left &= left - 1) {\n"
          "        int state = first_of(left);\n"},
    {"MJ", "        uint64_t histories = children[state] & HISTORIES & entry.defaults;\n"},
    {"M", "        if (!enter_one(turn, state))\n"
          "            return false;\n"},
    {"MJ", "        if (kind[state] == COMPOUND && (entry.defaults & bit(state)) != 0 &&\n"
           "            initials[state] != 0 && !run(turn, initials[state]))\n"
           "            return false;\n"
           "        for (; histories != 0; histories &= histories - 1) {\n"
           "            if (initials[first_of(histories)] != 0 && !run(turn, "
           "initials[first_of(histories)]))\n"
           "                return false;\n"
           "        }\n"},
    {"MD", "        if (kind[state] == FINAL)\n"
           "            enter_final(turn, state);\n"},
    {"M", "    }\n"
          "    return true;\n"
          "}\n\n"
          "static bool has_dynamic(const struct turn *turn)\n"
          "{\n"
          "    for (int i = 0; i < turn->choice_count; i++) {\n"
          "        if (transitions[turn->choices[i]].is_dynamic)\n"
          "            return true;\n"
          "    }\n"
          "    return false;\n"
          "}\n\n"},
    {"", "static bool move(struct turn *turn)\n"
         "{\n"
         "    int count = turn->choice_count;\n"},
    {"M", "    for (int i = 0; i < count; i++) {\n"
          "        if (transitions[turn->choices[i]].has_target)\n"
          "            remember(turn, turn->domains[i]);\n"
          "    }\n"},
    {"",
     "    for (int i = count - 1; i >= 0; i--) {\n"
     "        if (transitions[turn->choices[i]].has_target && !leave(turn, turn->domains[i]))\n"
     "            return false;\n"
     "    }\n"},
    {"A", "    for (int i = 0; i < count; i++) {\n"
          "        int actions = transitions[turn->choices[i]].actions;\n"
          "        if (actions != 0 && !run(turn, actions))\n"
          "            return false;\n"
          "    }\n"},
    {"M", "    if (has_dynamic(turn))\n"
          "        return enter_computed(turn);\n"},
    {"", "    for (int i = 0; i < count; i++) {\n"
         "        if (!enter_listed(turn, turn->choices[i]))\n"
         "            return false;\n"
         "    }\n"
         "    return true;\n"
         "}\n\n"
         "/* The states stay as they were, for whoever looks; only their exit actions run. */\n"
         "static bool finish(struct turn *turn)\n"
         "{\n"},
    {"X",
     "    for (uint64_t left = turn->self->active; left != 0; left &= ~bit(last_of(left))) {\n"
     "        if (exits[last_of(left)] != 0 && !run(turn, exits[last_of(left)]))\n"
     "            return false;\n"
     "    }\n"},
    {"", "    turn->self->status = ^_DONE;\n"},
    {"T", "    turn->self->armed = 0;\n"},
    {"I", "    turn->self->running = 0;\n"},
    {"", "    return true;\n"
         "}\n\n"
         "static bool take(struct turn *turn)\n"
         "{\n"
         "    if (++turn->microsteps > MICROSTEPS_MAX)\n"
         "        return false;\n"
         "    for (int i = 0; i < turn->choice_count; i++) {\n"
         "        const struct transition *taken = &transitions[turn->choices[i]];\n"
         "        turn->applied = turn->applied || taken->has_target || taken->actions != 0;\n"
         "    }\n"
         "    if (!move(turn))\n"
         "        return false;\n"
         "    return !turn->complete || finish(turn);\n"
         "}\n\n"},
    {"EY", "static bool take_eventless(struct turn *turn, bool *again)\n"
           "{\n"
           "    select_transitions(turn, 0);\n"
           "    *again = turn->choice_count > 0;\n"
           "    return !*again || take(turn);\n"
           "}\n\n"},
    {"Ey", "/* One that leads where it came from and assigns nothing would do so for ever: it "
           "is taken once. */\n"
           "static bool take_eventless(struct turn *turn, bool *again)\n"
           "{\n"
           "    uint64_t before = turn->self->active;\n"
           "    *again = false;\n"
           "    select_transitions(turn, 0);\n"
           "    if (turn->choice_count == 0)\n"
           "        return true;\n"
           "    for (int i = 0; i < turn->choice_count; i++)\n"
           "        *again = *again || transitions[turn->choices[i]].assigns;\n"
           "    if (!take(turn))\n"
           "        return false;\n"
           "    *again = *again || turn->self->active != before;\n"
           "    return true;\n"
           "}\n\n"},
    {"B", "static void stop_with_error(struct @ *self)\n"
          "{\n"
          "    self->status = ^_ERROR;\n"},
    {"BT", "    self->armed = 0;\n"},
    {"BI", "    self->running = 0;\n"},
    {"B", "}\n\n"},
    {"", "static bool handle(struct turn *turn, int event, bool may_stop)\n"
         "{\n"
         "    turn->type = event;\n"
         "    select_transitions(turn, event);\n"
         "    if (turn->choice_count > 0)\n"
         "        return take(turn);\n"},
    {"Iy", "    for (int i = 0; may_stop && i < INVOKES; i++) {\n"
           "        if (error_of[i] == event)\n"
           "            stop_with_error(turn->self);\n"
           "    }\n"},
    {"i", "    (void)may_stop;\n"},
    {"IY", "    (void)may_stop;\n"},
    {"", "    return true;\n"
         "}\n\n"
         "static bool come_to_rest(struct turn *turn)\n"
         "{\n"
         "    while (turn->self->status == ^_ACTIVE) {\n"},
    {"E", "        bool again;\n"
          "        if (!take_eventless(turn, &again))\n"
          "            return false;\n"
          "        if (again)\n"
          "            continue;\n"},
    {"Q", "        if (turn->full)\n"
          "            return false;\n"
          "        if (turn->queued > 0) {\n"
          "            int event = turn->queue[turn->first];\n"
          "            turn->first = (turn->first + 1) % ^_QUEUE_MAX;\n"
          "            turn->queued--;\n"
          "            turn->event = NULL;\n"
          "            if (++turn->microsteps > MICROSTEPS_MAX || !handle(turn, event, true))\n"
          "                return false;\n"
          "            continue;\n"
          "        }\n"},
    {"", "        break;\n"
         "    }\n"},
    {"V", "    return keeps_invariants(turn);\n"},
    {"v", "    return true;\n"},
    {"", "}\n\n"
         "static void begin(struct turn *turn, struct @ *self, const struct @_host *host,\n"
         "                  const struct @_event *event)\n"
         "{\n"
         "    turn->self = self;\n"
         "    turn->host = host;\n"
         "    turn->event = event;\n"
         "    turn->microsteps = 0;\n"
         "    turn->guard_failed = false;\n"
         "    turn->applied = false;\n"
         "    turn->complete = false;\n"
         "    turn->choice_count = 0;\n"},
    {"Q", "    turn->full = false;\n"
          "    turn->first = 0;\n"
          "    turn->queued = 0;\n"},
    {"T", "    turn->armed_again = 0;\n"},
    {"I", "    turn->started_again = 0;\n"},
    {"", "}\n\n"},
    {"S", "/* Timers and invocations are asked for when everything is at rest: what was "
          "entered and left\n"
          " * on the way asks for nothing. */\n"
          "static void settle(const struct turn *turn, const struct @ *before)\n"
          "{\n"
          "    struct @ *self = turn->self;\n"
          "    const struct @_host *host = turn->host;\n"},
    {"T", "    for (int i = 0; i < TIMERS; i++) {\n"
          "        bool was = (before->armed & bit(i)) != 0;\n"
          "        bool is = (self->armed & bit(i)) != 0;\n"
          "        bool again = (turn->armed_again & bit(i)) != 0;\n"
          "        if (was && (!is || again))\n"
          "            host->disarm(host->context, self, (enum @_event_type)timer_event[i]);\n"
          "        if (is && (!was || again))\n"
          "            host->arm(host->context, self, (enum @_event_type)timer_event[i], "
          "delay_ms[i]);\n"
          "    }\n"},
    {"I", "    for (int i = 0; i < INVOKES; i++) {\n"
          "        bool was = (before->running & bit(i)) != 0;\n"
          "        bool is = (self->running & bit(i)) != 0;\n"
          "        bool again = (turn->started_again & bit(i)) != 0;\n"
          "        if (was && (!is || again))\n"
          "            host->stop(host->context, self, (enum @_invoke)i);\n"
          "        if (is && (!was || again))\n"
          "            host->invoke(host->context, self, (enum @_invoke)i);\n"
          "    }\n"},
    {"S", "}\n\n"},
    {"", "void @_start(struct @ *self, const struct @_host *host)\n"
         "{\n"
         "    static const struct @ nothing = INITIAL;\n"
         "    struct turn turn;\n"
         "    *self = nothing;\n"
         "    begin(&turn, self, host, NULL);\n"
         "    turn.type = ^_ON_OTHER;\n"
         "    turn.choices[0] = START;\n"
         "    turn.domains[0] = -1;\n"
         "    turn.choice_count = 1;\n"
         "    if (!take(&turn) || !come_to_rest(&turn)) {\n"
         "        *self = nothing;\n"
         "        self->active = 1;\n"
         "        self->status = ^_ERROR;\n"
         "    }\n"},
    {"S", "    settle(&turn, &nothing);\n"},
    {"", "}\n\n"},
    {"B", "/* A timer or a result is no longer awaited, whatever becomes of the macrostep. "
          "False: it was not. */\n"
          "static bool consume(struct @ *self, int type)\n"
          "{\n"},
    {"T", "    for (int i = 0; i < TIMERS; i++) {\n"
          "        if (timer_event[i] != type)\n"
          "            continue;\n"
          "        if ((self->armed & bit(i)) == 0)\n"
          "            return false;\n"
          "        self->armed &= ~bit(i);\n"
          "    }\n"},
    {"I", "    for (int i = 0; i < INVOKES; i++) {\n"
          "        if (done_of[i] != type && error_of[i] != type)\n"
          "            continue;\n"
          "        if ((self->running & bit(i)) == 0)\n"
          "            return false;\n"
          "        self->running &= ~bit(i);\n"
          "    }\n"},
    {"B", "    return true;\n"
          "}\n\n"
          "/* What failed for a timer or a result is not lost: the state before is told, and "
          "stops when\n"
          " * nothing in it handles that. */\n"
          "static void recover(struct turn *turn, const struct @ *before)\n"
          "{\n"
          "    struct @ *self = turn->self;\n"
          "    *self = *before;\n"
          "    begin(turn, self, turn->host, NULL);\n"
          "    turn->type = EVENT_ERROR_EXECUTION;\n"
          "    select_transitions(turn, EVENT_ERROR_EXECUTION);\n"
          "    if (turn->choice_count > 0 && take(turn) && come_to_rest(turn))\n"
          "        return;\n"
          "    *self = *before;\n"
          "    stop_with_error(self);\n"
          "}\n\n"},
    {"", "enum @_outcome @_step(struct @ *self, const struct @_host *host, const struct "
         "@_event *event)\n"
         "{\n"
         "    struct turn turn;\n"
         "    int type = (int)event->type;\n"
         "    if (self->status != ^_ACTIVE || type <= 0 || type >= EVENTS)\n"
         "        return ^_IGNORED;\n"},
    {"B", "    bool is_awaited = inside_events[type];\n"
          "    if (is_awaited && !consume(self, type))\n"
          "        return ^_IGNORED;\n"},
    {"", "    struct @ before = *self;\n"
         "    begin(&turn, self, host, event);\n"},
    {"B", "    bool fine = handle(&turn, type, is_awaited) && come_to_rest(&turn);\n"},
    {"b", "    bool fine = handle(&turn, type, false) && come_to_rest(&turn);\n"},
    {"B", "    if (!fine && is_awaited)\n"
          "        recover(&turn, &before);\n"
          "    else if (!fine)\n"},
    {"b", "    if (!fine)\n"},
    {"", "        *self = before;\n"},
    {"T", "    if (!fine && !is_awaited)\n"
          "        turn.armed_again = 0;\n"},
    {"I", "    if (!fine && !is_awaited)\n"
          "        turn.started_again = 0;\n"},
    {"S", "    settle(&turn, &before);\n"},
    {"", "    if (!fine || self->status == ^_ERROR)\n"
         "        return ^_FAILED;\n"
         "    return turn.applied ? ^_APPLIED : ^_IGNORED;\n"
         "}\n\n"
         "bool @_is_in(const struct @ *self, enum @_state state)\n"
         "{\n"
         "    return (int)state < STATES && (self->active & bit((int)state)) != 0;\n"
         "}\n\n"
         "const char *@_state_name(enum @_state state)\n"
         "{\n"
         "    return (int)state < STATES ? names[state] : \"\";\n"
         "}\n"},
    {"Z", "\nconst char *@_word_text(enum @_word word)\n"
          "{\n"
          "    return (int)word < WORDS ? words[word] : \"\";\n"
          "}\n\n"
          "enum @_word @_word_of(const char *text)\n"
          "{\n"
          "    for (int i = 1; i < WORDS; i++) {\n"
          "        size_t at = 0;\n"
          "        while (words[i][at] == text[at] && text[at] != '\\0')\n"
          "            at++;\n"
          "        if (words[i][at] == text[at])\n"
          "            return (enum @_word)i;\n"
          "    }\n"
          "    return ^_WORD_OTHER;\n"
          "}\n"},
};

static bool is_needed(const char *when, const bool *has)
{
    for (; *when != '\0'; when++) {
        bool is_upper = *when >= 'A' && *when <= 'Z';
        if (has[is_upper ? *when - 'A' : *when - 'a'] != is_upper)
            return false;
    }
    return true;
}

void emit_c_names(struct emitter *emitter, const char *words)
{
    for (; *words != '\0'; words++) {
        if (*words == '@')
            text_add(emitter->text, emitter->lower);
        else if (*words == '^')
            text_add(emitter->text, emitter->upper);
        else
            text_add_byte(emitter->text, *words);
    }
}

void emit_c_runtime(struct emitter *emitter, struct span content)
{
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        if (pieces[i].when[0] == '%')
            text_add(emitter->text, content);
        else if (is_needed(pieces[i].when, emitter->has))
            emit_c_names(emitter, pieces[i].text);
    }
}
