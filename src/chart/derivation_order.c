/*
 * derivation_order.c - which leaves a search visits, in which order, from each leaf.
 *
 * Breadth first: the queue that a search would need at run time is the order itself. The
 * topological order takes the same leaves, but in one order that does not depend on where the
 * search begins: that of the graph, in which a state stands before those it leads to. What is
 * last then stays last however often it is derived, so the answer is stable. States of one
 * cycle stand as they are written, one behind the other.
 */
#include "base/ensure.h"
#include "chart/derivation_reader.h"

struct graph {
    struct derivation_reader *reader;
    struct derivation_leaf *leaves;
    uint32_t leaf_count;
    struct range *edges; /* of a leaf, in `heads` */
    uint16_t *heads;
    uint32_t head_count;
    uint32_t head_capacity;
    uint16_t *rank; /* of a leaf in the topological order, or NULL */

    struct derivation_visit *visits;
    uint32_t visit_count;
    uint32_t visit_capacity;
    uint16_t *seen; /* by leaf: 1 + its place in the order under way; 0: not yet */
};

static uint32_t leaf_of(const struct derivation_reader *reader, uint32_t state)
{
    while (reader->states[state].initial != NO_STATE)
        state = reader->states[state].initial;
    return reader->states[state].leaf;
}

/* Validators from the outermost ancestor to the leaf. */
static void collect_validators(struct graph *graph, uint32_t leaf, uint32_t *refs,
                               uint32_t *count)
{
    const struct derivation_reader *reader = graph->reader;
    struct range range = {*count, 0};
    for (uint32_t at = graph->leaves[leaf].state; at != NO_STATE;
         at = reader->states[at].parent)
        range.count += reader->states[at].validator != NO_INDEX;
    uint32_t place = range.first + range.count;
    for (uint32_t at = graph->leaves[leaf].state; at != NO_STATE;
         at = reader->states[at].parent) {
        if (reader->states[at].validator != NO_INDEX)
            refs[--place] = reader->states[at].validator;
    }
    *count += range.count;
    graph->leaves[leaf].validators = range;
}

static void find_leaves(struct graph *graph)
{
    struct derivation_reader *reader = graph->reader;
    graph->leaves = arena_new_array(reader->arena, reader->state_count, struct derivation_leaf);
    for (uint32_t i = 0; i < reader->state_count; i++) {
        if (reader->states[i].initial != NO_STATE)
            continue;
        reader->states[i].leaf = graph->leaf_count;
        graph->leaves[graph->leaf_count++] = (struct derivation_leaf){.state = i};
    }
    uint32_t *refs =
        arena_new_array(reader->arena, (size_t)graph->leaf_count * STATE_DEPTH_MAX, uint32_t);
    uint32_t count = 0;
    for (uint32_t leaf = 0; leaf < graph->leaf_count; leaf++)
        collect_validators(graph, leaf, refs, &count);
    reader->derivation.validator_refs = refs;
}

/* The number of the region that a state is in. */
static uint32_t region_of(const struct derivation_reader *reader, uint32_t state)
{
    uint32_t region = 0;
    while (reader->states[state].parent != NO_STATE)
        state = reader->states[state].parent;
    for (uint32_t i = 0; reader->derivation.is_parallel && i < state; i++)
        region += reader->states[i].parent == NO_STATE;
    return region;
}

/* Leaves stand in document order, so those of a region follow each other. */
static void find_regions(struct graph *graph)
{
    struct derivation *derivation = &graph->reader->derivation;
    struct derivation_region *regions = arena_new_array(
        graph->reader->arena, derivation->region_count, struct derivation_region);
    for (uint32_t i = 0; i < derivation->region_count; i++) {
        regions[i] = derivation->regions[i];
        regions[i].initial = leaf_of(graph->reader, regions[i].initial);
    }
    for (uint32_t leaf = 0; leaf < graph->leaf_count; leaf++) {
        uint32_t region = region_of(graph->reader, graph->leaves[leaf].state);
        graph->leaves[leaf].region = region;
        if (regions[region].leaf_count++ == 0)
            regions[region].leaf_first = leaf;
    }
    derivation->regions = regions;
}

static void find_edges(struct graph *graph)
{
    struct derivation_reader *reader = graph->reader;
    graph->edges = arena_new_array(reader->arena, graph->leaf_count, struct range);
    for (uint32_t leaf = 0; leaf < graph->leaf_count; leaf++) {
        graph->edges[leaf].first = graph->head_count;
        for (uint32_t at = graph->leaves[leaf].state; at != NO_STATE;
             at = reader->states[at].parent) {
            struct range targets = reader->states[at].targets;
            for (uint32_t i = 0; i < targets.count; i++) {
                derivation_reserve(reader, graph->heads, graph->head_count,
                                   graph->head_capacity);
                graph->heads[graph->head_count++] =
                    (uint16_t)leaf_of(reader, reader->targets[targets.first + i]);
            }
        }
        graph->edges[leaf].count = graph->head_count - graph->edges[leaf].first;
    }
}

/* Breadth first */

static void visit(struct graph *graph, struct derivation_leaf *start, uint16_t leaf,
                  uint16_t from, uint16_t level)
{
    if (graph->seen[leaf] != 0)
        return;
    derivation_reserve(graph->reader, graph->visits, graph->visit_count, graph->visit_capacity);
    graph->visits[graph->visit_count++] = (struct derivation_visit){leaf, from, level};
    graph->seen[leaf] = (uint16_t)++start->order.count;
}

static void search(struct graph *graph, uint32_t from)
{
    struct derivation_leaf *start = &graph->leaves[from];
    start->order = (struct range){graph->visit_count, 0};
    memset(graph->seen, 0, graph->leaf_count * sizeof *graph->seen);
    visit(graph, start, (uint16_t)from, 0, 0);
    for (uint32_t place = 0; place < start->order.count; place++) {
        struct derivation_visit at = graph->visits[start->order.first + place];
        struct range edges = graph->edges[at.leaf];
        for (uint32_t i = 0; i < edges.count; i++)
            visit(graph, start, graph->heads[edges.first + i], (uint16_t)place,
                  (uint16_t)(at.level + 1));
    }
}

/* Topological */

/* One bit for each pair of leaves: the first reaches the second. */
static uint64_t *find_reached(const struct graph *graph, size_t words)
{
    uint64_t *reached =
        arena_get_zeroed(graph->reader->arena, graph->leaf_count * words * sizeof *reached);
    for (uint32_t leaf = 0; leaf < graph->leaf_count; leaf++) {
        struct range order = graph->leaves[leaf].order;
        for (uint32_t i = 0; i < order.count; i++) {
            uint16_t to = graph->visits[order.first + i].leaf;
            reached[leaf * words + to / 64] |= (uint64_t)1 << to % 64;
        }
    }
    return reached;
}

/* How many leaves must have their rank before a leaf: those that lead to it, but for its own
 * cycle. */
struct ranking {
    struct graph *graph;
    const uint64_t *reached;
    size_t words;
    uint16_t *waits_for;
    uint16_t next;
};

static bool reaches(const struct ranking *ranking, uint32_t from, uint32_t to)
{
    return ranking->reached[from * ranking->words + to / 64] >> to % 64 & 1;
}

static bool is_before(const struct ranking *ranking, uint32_t from, uint32_t to)
{
    return reaches(ranking, from, to) && !reaches(ranking, to, from);
}

static void rank_leaf(struct ranking *ranking, uint32_t leaf)
{
    ranking->graph->rank[leaf] = ++ranking->next;
    for (uint32_t i = 0; i < ranking->graph->leaf_count; i++)
        ranking->waits_for[i] -= is_before(ranking, leaf, i);
}

static void rank_cycle(struct ranking *ranking, uint32_t first)
{
    for (uint32_t i = first; i < ranking->graph->leaf_count; i++) {
        if (ranking->graph->rank[i] == 0 && reaches(ranking, first, i) &&
            reaches(ranking, i, first))
            rank_leaf(ranking, i);
    }
}

static void rank_leaves(struct graph *graph)
{
    uint32_t count = graph->leaf_count;
    struct arena *arena = graph->reader->arena;
    struct ranking ranking = {.graph = graph, .words = (count + 63) / 64};
    ranking.reached = find_reached(graph, ranking.words);
    ranking.waits_for = arena_get_zeroed(arena, count * sizeof *ranking.waits_for);
    graph->rank = arena_get_zeroed(arena, count * sizeof *graph->rank);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < count; k++)
            ranking.waits_for[k] += is_before(&ranking, i, k);
    }
    while (ranking.next < count) {
        uint32_t leaf = 0;
        while (graph->rank[leaf] != 0 || ranking.waits_for[leaf] != 0)
            leaf++;
        rank_cycle(&ranking, leaf);
    }
}

/* Puts an order into that of the ranks, and `from` after it. */
static void sort_order(struct graph *graph, struct range order)
{
    struct derivation_visit *visits = graph->visits + order.first;
    uint16_t *from = arena_new_array(graph->reader->arena, graph->leaf_count, uint16_t);
    for (uint32_t i = 0; i < order.count; i++)
        from[visits[i].leaf] = visits[visits[i].from].leaf; /* as a leaf, for now */
    for (uint32_t i = 1; i < order.count; i++) {
        struct derivation_visit moved = visits[i];
        uint32_t k = i;
        for (; k > 0 && graph->rank[visits[k - 1].leaf] > graph->rank[moved.leaf]; k--)
            visits[k] = visits[k - 1];
        visits[k] = moved;
    }
    for (uint32_t i = 0; i < order.count; i++)
        graph->seen[visits[i].leaf] = (uint16_t)i;
    for (uint32_t i = 0; i < order.count; i++)
        visits[i].from = graph->seen[from[visits[i].leaf]];
}

void derivation_read_orders(struct derivation_reader *reader)
{
    struct graph graph = {.reader = reader};
    find_leaves(&graph);
    find_regions(&graph);
    find_edges(&graph);
    graph.seen = arena_new_array(reader->arena, graph.leaf_count, uint16_t);
    for (uint32_t leaf = 0; leaf < graph.leaf_count; leaf++)
        search(&graph, leaf);
    if (reader->derivation.is_topological) {
        rank_leaves(&graph);
        for (uint32_t leaf = 0; leaf < graph.leaf_count; leaf++)
            sort_order(&graph, graph.leaves[leaf].order);
    }
    reader->derivation.leaves = graph.leaves;
    reader->derivation.leaf_count = graph.leaf_count;
    reader->derivation.visits = graph.visits;
}
