/*
 * test_step.c - runs the text cases of tests/cases/chart, each as a test of its own.
 *
 * The folder is the program's argument; a second argument runs only the cases whose name
 * holds it.
 */
#include "chart_case.h"

static void run_case(void **state)
{
    chart_case_run(*state);
}

int main(int argc, char **argv)
{
    struct chart_cases cases;
    if (argc < 2)
        return 2;
    chart_cases_read(&cases, argv[1]);
    struct CMUnitTest *tests = calloc(cases.count + 1, sizeof *tests);
    size_t count = 0;
    for (size_t i = 0; i < cases.count && tests != NULL; i++) {
        if (argc > 2 && strstr(cases.items[i].name, argv[2]) == NULL)
            continue;
        tests[count++] = (struct CMUnitTest){.name = cases.items[i].name,
                                             .test_func = run_case,
                                             .initial_state = &cases.items[i]};
    }
    int failed = _cmocka_run_group_tests("chart_step", tests, count, NULL, NULL);
    free(tests);
    chart_cases_release(&cases);
    return failed;
}
