/*
 * unicode.c - looking through the tables.
 *
 * They are gone through from the beginning: that is done once for a pattern.
 */
#include "expr/unicode.h"

#include "expr/unicode_categories.h"
#include "expr/unicode_scripts.h"

enum {
    CODE_POINT_MAX = 0x10ffff,
    CATEGORIES = sizeof unicode_category_names / sizeof unicode_category_names[0],
    CATEGORY_RUNS = sizeof unicode_category_runs / sizeof unicode_category_runs[0],
    SCRIPTS = sizeof unicode_script_names / sizeof unicode_script_names[0],
    SCRIPT_RUNS = sizeof unicode_script_runs / sizeof unicode_script_runs[0],
    FOLDS = sizeof unicode_folds / sizeof unicode_folds[0],
};

/* The names from *first to before *last that the name is, or (one letter) begins. */
static bool find_names(struct span name, const char *const *names, uint32_t count,
                       uint32_t *first, uint32_t *last)
{
    *first = 0;
    while (*first < count && !span_is(name, names[*first]) &&
           !(name.size == 1 && names[*first][0] == name.text[0]))
        ++*first;
    *last = *first;
    while (*last < count &&
           (span_is(name, names[*last]) || (name.size == 1 && names[*last][0] == name.text[0])))
        ++*last;
    return *first < *last;
}

static void add_runs(const struct unicode_run *runs, uint32_t count, uint32_t first,
                     uint32_t last, unicode_add *add, void *context)
{
    for (uint32_t i = 0; i < count; i++) {
        if (runs[i].value >= first && runs[i].value < last)
            add(context, runs[i].first, runs[i].first + runs[i].more);
    }
}

bool unicode_named(struct span name, unicode_add *add, void *context)
{
    uint32_t first;
    uint32_t last;
    if (span_is(name, "Any")) {
        add(context, 0, CODE_POINT_MAX);
        return true;
    }
    if (find_names(name, unicode_category_names, CATEGORIES, &first, &last))
        add_runs(unicode_category_runs, CATEGORY_RUNS, first, last, add, context);
    else if (name.size > 1 && find_names(name, unicode_script_names, SCRIPTS, &first, &last))
        add_runs(unicode_script_runs, SCRIPT_RUNS, first, last, add, context);
    else
        return false;
    return true;
}

static uint32_t moved(uint32_t point, const struct unicode_fold *fold)
{
    return (uint32_t)((int32_t)point + fold->distance);
}

static void add_fold(const struct unicode_fold *fold, uint32_t first, uint32_t last,
                     unicode_add *add, void *context)
{
    uint32_t from = first > fold->first ? first : fold->first;
    uint32_t to = last < fold->last ? last : fold->last;
    from += (from - fold->first) % fold->step;
    if (from > to)
        return;
    if (fold->step == 1)
        add(context, moved(from, fold), moved(to, fold));
    for (uint32_t point = from; fold->step > 1 && point <= to; point += fold->step)
        add(context, moved(point, fold), moved(point, fold));
}

void unicode_other_cases(uint32_t first, uint32_t last, unicode_add *add, void *context)
{
    for (uint32_t i = 0; i < FOLDS; i++) {
        if (unicode_folds[i].first <= last && unicode_folds[i].last >= first)
            add_fold(&unicode_folds[i], first, last, add, context);
    }
}
