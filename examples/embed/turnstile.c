/*
 * turnstile.c - a machine stepped by hand: no database, no threads, no clock but ours.
 *
 *     cc turnstile.c -o turnstile $(pkg-config --cflags --libs interlock-core)
 *
 * The turnstile lives in a piece of memory that we give it, asks for its steps by effects that
 * we carry out, and can be put into bytes and brought back at any moment.
 */
#include <interlock.h>
#include <stdio.h>
#include <string.h>

static const char definition[] =
    "{ \"id\": \"turnstile\", \"version\": \"1\", \"initial\": \"LOCKED\","
    "  \"context\": { \"coins\": 0 },"
    "  \"states\": {"
    "    \"LOCKED\": { \"on\": {"
    "      \"COIN\": { \"target\": \"OPEN\", \"guard\": \"event.cents >= 50\","
    "                \"assign\": { \"coins\": \"${context.coins + 1}\" } } } },"
    "    \"OPEN\": {"
    "      \"invoke\": { \"id\": \"greeting\", \"src\": \"greet\","
    "                  \"input\": { \"guest\": \"${context.coins}\" },"
    "                  \"onDone\": {}, \"onError\": {} },"
    "      \"on\": { \"PUSH\": \"LOCKED\" },"
    "      \"after\": { \"10s\": \"LOCKED\" } } } }";

static void complain(void *context, const il_diagnostic *diagnostic)
{
    (void)context;
    fprintf(stderr, "%s:%u:%u: %s %s\n", diagnostic->file, diagnostic->line, diagnostic->column,
            diagnostic->code, diagnostic->message);
}

/* Does what the last step asked for. */
static void carry_out(il_instance *instance)
{
    il_effect effect;
    for (size_t i = 0; il_instance_effect(instance, i, &effect); i++) {
        switch (effect.kind) {
        case IL_EFFECT_INVOKE:
            printf("  do %s with %s\n", effect.src, effect.input);
            break;
        case IL_EFFECT_STOP:
            printf("  never mind %s\n", effect.id);
            break;
        case IL_EFFECT_SCHEDULE:
            printf("  wake me at %lld ms\n", (long long)effect.due_ms);
            break;
        case IL_EFFECT_CANCEL:
            printf("  no need to wake me\n");
            break;
        case IL_EFFECT_ACTION:
            printf("  do %s\n", effect.src);
            break;
        case IL_EFFECT_LOG:
            printf("  note %s\n", effect.input);
            break;
        case IL_EFFECT_EMIT:
        case IL_EFFECT_SEND:
            printf("  tell of %s\n", effect.src);
            break;
        }
    }
}

static void show(il_instance *instance, const char *what)
{
    printf("%-12s %-8s %s\n", what, il_instance_value(instance), il_instance_context(instance));
    carry_out(instance);
}

static void send(il_instance *instance, const char *type, const char *payload, int64_t now_ms)
{
    il_status status = il_instance_send(instance, type, payload, now_ms);
    if (status != IL_OK)
        fprintf(stderr, "%s: %s\n", type, il_status_text(status));
    else
        show(instance, type);
}

int main(void)
{
    static char memory[16384];
    static char bytes[4096];
    size_t size;
    il_machine *machine;
    il_instance *instance;
    if (il_machine_load(definition, sizeof definition - 1, "turnstile.json", complain, NULL,
                        &machine) != IL_OK)
        return 1;
    if (il_instance_start(machine, NULL, 0, memory, sizeof memory, &instance) != IL_OK)
        return 1;
    show(instance, "start");
    send(instance, "PUSH", NULL, 1000);
    send(instance, "COIN", "{\"cents\": 20}", 2000);
    send(instance, "COIN", "{\"cents\": 50}", 3000);

    /* The power fails. What is left are these bytes. */
    if (il_instance_snapshot(instance, bytes, sizeof bytes, &size) != IL_OK)
        return 1;
    il_instance_close(instance);
    memset(memory, 0, sizeof memory);
    if (il_instance_restore(machine, bytes, size, memory, sizeof memory, &instance) != IL_OK)
        return 1;
    show(instance, "(restored)");

    /* The greeting ended meanwhile; nobody pushes, and the ten seconds pass. */
    if (il_instance_complete(instance, "greeting", 0, "\"hello\"", 5000) != IL_OK)
        return 1;
    show(instance, "(greeted)");
    while (il_instance_advance(instance, 20000) == IL_OK)
        show(instance, "(10 s later)");
    il_instance_close(instance);
    il_machine_close(machine);
    return 0;
}
