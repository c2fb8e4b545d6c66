/*
 * limits.h - every limit, named in one place.
 *
 * Reaching one is never a crash: the owner answers STATUS_NO_SPACE, a diagnostic or an
 * error value that names the limit. The `tiny` build shrinks them so that the paths
 * behind them run daily.
 */
#pragma once

enum {
    /* Definitions */
    DEFINITION_BYTES_MAX = 1 << 20,
    DEFINITION_DEPTH_MAX = 100,    /* nesting of lists and maps */
    DEFINITION_NODES_MAX = 200000, /* after aliases are expanded */
    DEFINITION_ARENA_BYTES = 256 << 20,
    STATES_MAX = 4096,
    STATE_DEPTH_MAX = 32,
    TRANSITIONS_MAX = 65535,
    DERIVATION_STATES_MAX = 1024, /* an order of visits for each of them */
    EVENT_TYPES_MAX = 4096,
    DIAGNOSTICS_SHOWN_MAX = 20,
    DIAGNOSTICS_MAX = 1000,

    /* JSON and values */
    JSON_DEPTH_MAX = 100,
    VALUE_DEPTH_MAX = JSON_DEPTH_MAX - 1, /* what is kept becomes a member: one deeper */
    VALUE_BYTES_MAX = 1 << 20,

    /* Expressions */
    EXPRESSION_BYTES_MAX = 16 << 10,
    EXPRESSION_DEPTH_MAX = 100,
    EXPRESSION_COST_MAX = 1000000,
    EXPRESSION_STACK_MAX = 512,  /* values at once */
    SCRIPT_NESTING_MAX = 200,    /* brackets in a text of ECMAScript */
    SCRIPT_TURNS_MAX = 1000000,  /* of loops, and calls of functions, in one run */
    SCRIPT_BYTES_MAX = 32 << 20, /* of its heap that one run may add */
    SCRIPT_TAKEN_MAX = 1 << 30,  /* … and ask for in all: copying long texts takes time */
    SCRIPT_COMPILED_MAX = 2000,  /* texts that a heap keeps compiled */
    REGEX_BYTES_MAX = 4096,      /* of a pattern */
    REGEX_CODE_MAX = 4096,       /* its instructions, repetitions written out */
    REGEX_RANGES_MAX = 32768,    /* of characters, in its classes */
    REGEX_DEPTH_MAX = 100,
    REGEX_REPEAT_MAX = 1000, /* x{1000} */
    REGEX_GROUPS_MAX = 10,   /* told apart in a match, itself the first: \0 to \9 */
    FORMAT_PRECISION_MAX = 100,
    REASON_CELLS_MAX = 512,   /* what the predicates of one machine may read */
    REASON_CHOICES_MAX = 256, /* constants that one of them is compared with */
    REASON_STEPS_MAX = 50000, /* of the search for one answer */
    REASON_DOUBTS_MAX = 2000, /* … when it can only be yes or unknown any more */

    /* Steps of a machine */
    MICROSTEPS_MAX = 1000,         /* of a macrostep, where the machine says nothing */
    MICROSTEPS_LIMIT = 1000000,    /* … and the most it may say */
    MACROSTEP_COST_MAX = 50000000, /* of its guards and actions and what they evaluate */
    ACTION_COST = 12,              /* one of them by itself, in the units of expressions */
    TARGETS_MAX = 64,              /* of one transition */
    TURN_ARENA_BYTES = 64 << 20,   /* virtual: touched as far as it is used */
    HISTORY_ARENA_BYTES = 4 * TURN_ARENA_BYTES, /* a turn with what was before and after it */
    TIMERS_PER_INSTANCE_MAX = 1000,

    /* Crowds: instances in the memory of a program */
    CROWD_MEMBERS_MAX = 1 << 27,
    CROWD_PLACES_MIN = 1 << 16,    /* places to remember, even where there are fewer members */
    CROWD_MOVES_MAX = 1 << 22,     /* looked up instead of worked out */
    CROWD_QUESTIONS_MAX = 1 << 16, /* … of which a guard decides */
    CROWD_PLAIN_MAX = 8,           /* members of a context that are kept without its names */

    /* Engine */
    INBOX_EVENTS_MAX = 64 << 10,
    INBOX_RESERVED = 4 << 10, /* slots that only results and timers may use */
    BATCH_TURNS_MAX = 4096,
    BATCH_BYTES_MAX = 1 << 20,
    CHILDREN_MAX = 1000,      /* machines that one instance may have invoked at a time */
    FAMILY_DEPTH_MAX = 16,    /* children of children */
    FAMILY_TURNS_MAX = 10000, /* that one event may cause among an instance and its family */
    FAMILY_BYTES_MAX = 256 << 20, /* of their records */
    SPINS_MAX = 10000, /* timers without a delay, each armed by what the one before did */
    INSTANCE_ID_BYTES_MAX = 256,
    EVENT_TYPE_BYTES_MAX = 256,
    IDEMPOTENCY_KEY_BYTES_MAX = 256,
    IDEMPOTENCY_PURGE_MAX = 10000,     /* entries looked at for deletion at one opening */
    RECORD_LINE_BYTES_MAX = 1 << 20,   /* one record of an input file */
    ATTEMPTS_MAX = 1000,               /* of one step */
    COMPENSATIONS_MAX = 10000,         /* requests that one compensation undoes */
    COMPENSATION_BYTES_MAX = 64 << 20, /* … and their inputs and outputs */
    INTERRUPTIONS_MAX = 10,  /* attempts of one invocation cut off by the end of the engine */
    CONCURRENCY_MAX = 10000, /* of one step */
    ADMISSION_WORKING_MAX = 100000000, /* instances of a machine that a definition may allow */
    POLICY_KEYS_MAX = 10000, /* keys and lines of one step; what is beyond shares one */

    /* Drawings by another program */
    DRAWING_MS_MAX = 30000,
    DRAWING_BYTES_MAX = 64 << 20,

    /* Strategies */
    STEP_OUTPUT_BYTES_MAX = 1 << 20,
    STEP_STDERR_TAIL_BYTES = 2048,
};
