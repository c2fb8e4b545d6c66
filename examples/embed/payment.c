/*
 * payment.c - durable payments in one program: the engine, and a C function as a step.
 *
 *     cc payment.c -o payment $(pkg-config --cflags --libs interlock)
 *     ./payment payments.db
 *
 * Run it again with the same database: what is paid stays paid. Kill it in between: the same
 * command goes on where it was, and a charge that was under way is asked for again with the
 * same key.
 */
#include <interlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAYMENTS = 20 };

/* The acquirer never answers a first attempt, and takes nothing over 1,500. */
static void charge_card(void *context, const il_call *call, il_token token)
{
    char output[128];
    int *calls = context;
    const char *amount = strchr(call->input, ':');
    ++*calls;
    if (call->attempt == 1) {
        il_fail(token, "unavailable", 503, "the acquirer is having a rest");
    } else if (amount != NULL && strtod(amount + 1, NULL) > 1500) {
        il_fail(token, "rejected", 402, "that is too much money");
    } else {
        snprintf(output, sizeof output, "{\"receipt\":\"%s-%.8s\"}", call->instance, call->key);
        il_complete(token, output);
    }
}

static void complain(void *context, const il_diagnostic *diagnostic)
{
    (void)context;
    fprintf(stderr, "%s:%u:%u: %s %s\n", diagnostic->file, diagnostic->line, diagnostic->column,
            diagnostic->code, diagnostic->message);
}

static size_t read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "rb");
    size_t read = file == NULL ? 0 : fread(text, 1, size, file);
    if (file != NULL)
        fclose(file);
    return read;
}

static void count_reply(void *context, il_status status, const il_reply *reply,
                        const char *problem)
{
    int *repeated = context;
    if (status != IL_OK)
        fprintf(stderr, "%s\n", problem);
    else if (reply->repeated)
        ++*repeated;
}

static bool print_line(void *context, const char *json)
{
    (void)context;
    printf("  %s\n", json);
    return true;
}

static il_status pay_all(il_engine *engine)
{
    static char text[16384];
    size_t size = read_file("payment.yaml", text, sizeof text);
    int repeated = 0;
    il_counts counts;
    il_status status =
        il_engine_deploy(engine, text, size, "payment.yaml", NULL, complain, NULL);
    for (int i = 0; status == IL_OK && i < PAYMENTS; i++) {
        char id[16];
        char input[64];
        snprintf(id, sizeof id, "p%02d", i);
        snprintf(input, sizeof input, "{\"amount\":%d}", 100 * (i + 1));
        status = il_engine_start_later(engine, "payment", id, input, "PAY", NULL, count_reply,
                                       &repeated);
    }
    if (status == IL_OK)
        status = il_engine_run(engine, IL_UNTIL_REST, 30000);
    if (status == IL_OK && il_engine_counts(engine, &counts) == IL_OK)
        printf("%d payments, %d of them known before, %d ended\n", PAYMENTS, repeated,
               (int)counts.ended);
    return status;
}

int main(int count, char **arguments)
{
    int calls = 0;
    il_engine *engine = il_engine_new();
    il_status status = il_engine_register(engine, "charge_card", charge_card, &calls);
    if (status == IL_OK)
        status = il_engine_open(engine, count > 1 ? arguments[1] : "payments.db");
    if (status == IL_OK)
        status = pay_all(engine);
    if (status == IL_OK) {
        printf("%d calls\n%s\n", calls, il_engine_describe(engine, "p03"));
        status = il_engine_history(engine, "p19", 0, print_line, NULL);
    }
    if (status != IL_OK)
        fprintf(stderr, "payment: %s: %s\n", il_status_text(status), il_engine_problem(engine));
    il_engine_close(engine, 1000);
    return status == IL_OK ? 0 : 1;
}
