/*
 * kin.h - how instances belong together: a child, its parent, and the children of a parent.
 *
 * A child is an instance like any other: it has its own row, history and timers. What it has
 * more is written once, when it starts: whose child it is, and which invocation it is there.
 * The rest follows from that and is kept in memory only.
 *
 * Always: an instance that is active and somebody's child is among its parent's children; one
 * that has ended is not, but it still knows whose child it was.
 */
#pragma once

#include "engine/instance.h"

struct registry;

struct kin {
    char *parent_id; /* NULL: nobody's child */
    char *invoke_id; /* by which its parent knows it */
    uint64_t invocation;
    struct instance *parent;   /* NULL also while it is not linked yet */
    struct instance *children; /* active, in the order of their invocations */
    struct instance *next;     /* of its parent's children */
    uint32_t child_count;
    bool is_leaving; /* its parent has left it: it takes nothing any more */
};

/* Whose child it is; kin_link() makes it one of the parent's children. */
void kin_set_parent(struct instance *instance, struct span parent_id, struct span invoke_id,
                    uint64_t invocation);
void kin_link(struct instance *instance, struct instance *parent);
void kin_unlink(struct instance *instance);

/* After recovery: links those that are active. */
void kin_link_all(struct registry *registry);

bool kin_is_child(const struct instance *instance);

/* The active child that an invocation is, or NULL. */
struct instance *kin_find(const struct instance *parent, uint64_t invocation);

static inline struct instance *kin_children(const struct instance *instance)
{
    return instance->kin == NULL ? NULL : instance->kin->children;
}

static inline struct instance *kin_parent(const struct instance *instance)
{
    return instance->kin == NULL ? NULL : instance->kin->parent;
}

/* The one that is nobody's child. */
const struct instance *kin_root(const struct instance *instance);

/* How many parents it has above it. */
uint32_t kin_depth(const struct instance *instance);

/* A child's id: its parent's, the invocation's, and its number, which is never used twice:
 * "order-1/ship.2". */
void kin_write_id(struct text *text, const struct instance *parent, struct span invoke_id,
                  uint64_t invocation);

/* What a row keeps of it, and back: nothing for those that are nobody's child. */
void kin_write(struct text *text, const struct instance *instance);
void kin_read(struct byte_reader *reader, struct instance *instance);

void kin_release(struct instance *instance);
