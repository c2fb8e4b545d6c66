/*
 * chart_case.h - the text cases of tests/cases/chart: read, and run one by one.
 *
 * The format is described in tests/cases/chart/README.md. A file is read line by line; what
 * is wrong in it, or does not come out as expected, fails the test with file and line.
 */
#pragma once

#include "chart_fixture.h"

struct chart_case {
    char *name;          /* "tree.txt: innermost wins" */
    const char *file;    /* for messages */
    struct span machine; /* the definition, indented as in the file */
    struct span lines;   /* what is done */
    uint32_t machine_line;
    uint32_t first_line;
};

struct chart_cases {
    struct chart_case *items;
    size_t count;
    char **texts; /* the files, which the cases point into */
    size_t text_count;
};

/* Reads every *.txt of the folder, in the order of their names. */
void chart_cases_read(struct chart_cases *cases, const char *folder);
void chart_cases_release(struct chart_cases *cases);

/* Runs one; fails the running test when something differs. */
void chart_case_run(const struct chart_case *chart_case);

/* The same with the machine that is read back from what it is written as in SCXML. */
void chart_case_run_again(const struct chart_case *chart_case);
