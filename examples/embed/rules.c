/*
 * rules.c - CEL by itself: rules over rows, without any machine.
 *
 *     cc rules.c -o rules $(pkg-config --cflags --libs interlock-core)
 *
 * The schema says what an order is. The compiler holds the rules against it, and a row takes
 * only what fits. All memory of the rows is ours.
 */
#include <interlock.h>
#include <stdio.h>
#include <string.h>

static const char names[] =
    "{ \"order\": { \"type\": \"object\", \"required\": [\"total\", \"currency\"],"
    "  \"properties\": {"
    "    \"total\": { \"type\": \"number\", \"minimum\": 0 },"
    "    \"currency\": { \"enum\": [\"USD\", \"EUR\"] },"
    "    \"blocked\": { \"type\": \"boolean\" },"
    "    \"items\": { \"type\": \"array\" } } } }";

static const char *const rules[] = {
    "order.total > 0 && !order.?blocked.orValue(false)",
    "order.total < 1000 || order.currency == 'EUR'",
    "!has(order.items) || size(order.items) > 0",
};

enum { RULES = sizeof rules / sizeof rules[0] };

static const char *const orders[] = {
    "{ \"order\": { \"total\": 120, \"currency\": \"USD\", \"items\": [1] } }",
    "{ \"order\": { \"total\": 5000, \"currency\": \"USD\" } }",
    "{ \"order\": { \"total\": 5000, \"currency\": \"EUR\", \"blocked\": true } }",
    "{ \"order\": { \"total\": -1, \"currency\": \"EUR\" } }",
};

static void complain(void *context, const il_diagnostic *diagnostic)
{
    (void)context;
    fprintf(stderr, "%s:%u:%u: %s", diagnostic->file, diagnostic->line, diagnostic->column,
            diagnostic->message);
    fprintf(stderr, diagnostic->help == NULL ? "\n" : "; %s\n", diagnostic->help);
}

static void try_order(il_expr *const *compiled, il_expr_row *row, const char *order)
{
    bool holds = false;
    if (il_expr_row_set(row, order) != IL_OK) {
        printf("refused: %s\n", il_expr_row_problem(row));
        return;
    }
    for (size_t i = 0; i < RULES; i++) {
        il_status status = il_expr_holds(compiled[i], row, &holds);
        printf("%s ", status != IL_OK ? "error" : holds ? "yes" : "no");
    }
    printf("\n");
}

int main(void)
{
    static char memory[16 << 10];
    il_expr *compiled[RULES];
    il_expr *mistaken;
    il_expr_row *row;
    for (size_t i = 0; i < RULES; i++) {
        if (il_expr_compile(rules[i], strlen(rules[i]), names, complain, NULL, &compiled[i]) !=
            IL_OK)
            return 1;
    }
    /* Told at once, not when the first order comes. */
    if (il_expr_compile("order.totl > 'a'", 16, names, complain, NULL, &mistaken) == IL_OK)
        il_expr_close(mistaken);
    if (il_expr_row_open(compiled[0], memory, sizeof memory, &row) != IL_OK)
        return 1;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        try_order(compiled, row, orders[i]);
    il_expr_row_close(row);
    for (size_t i = 0; i < RULES; i++)
        il_expr_close(compiled[i]);
    return 0;
}
