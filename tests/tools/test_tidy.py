#!/usr/bin/env python3
"""tidy.py finds each thing it promises to find, and nothing in a clean tree."""

import pathlib
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "tests/tools"))

import tap  # noqa: E402
import tidy  # noqa: E402

CLEAN = {
    "src/base/text.h": "int text_size(void);\n",
    "src/base/text.c": '#include "base/text.h"\n\n#include <stdio.h>\n\nint size;\n',
    "src/expr/expr.h": '#include "expr/parse.h"\n',
    "src/expr/parse.h": '#include "base/text.h"\n',
    "src/chart/step.c": '#include "base/text.h"\n#include "expr/expr.h"\n\n#include <string.h>\n',
    "tests/unit/chart/test_step.c": '#include "chart/step.h"\n\nvoid *p = malloc(1);\n',
}

# name, file, its text, the rule that must object, and words of the objection
ROWS = (
    ("an include that points up", "src/expr/eval.c", '#include "chart/chart.h"\n',
     "floors", "not below"),
    ("an include that points sideways", "src/store/log.c", '#include "os/os.h"\n',
     "floors", "not below"),
    ("an include past the front door", "src/chart/graph.c", '#include "expr/parse.h"\n',
     "floors", "the door"),
    ("an include that is not from src", "src/chart/graph.c", '#include "../expr/expr.h"\n',
     "floors", "path from src/"),
    ("an include beside the file", "src/chart/graph.c", '#include "step.h"\n',
     "floors", "path from src/"),
    ("an include with blanks around the hash", "src/expr/eval.c", ' #  include "cli/cli.h"\n',
     "floors", "not below"),
    ("an include past the door from main.c", "src/cli/main.c", '#include "store/sqlite.h"\n',
     "floors", "the door"),
    ("a file in no chapter", "src/helpers.c", "int helper;\n", "floors", "not in a chapter"),
    ("a chapter nobody knows", "src/util/hash.c", "int hash;\n", "floors", "not in a chapter"),
    ("own header not first", "src/base/text.c",
     '#include <stdio.h>\n\n#include "base/text.h"\n', "include_order", "base/text.h"),
    ("own header missing", "src/base/text.c", "int size;\n", "include_order", "base/text.h"),
    ("a stem used twice in src", "src/wire/text.c", "int size;\n", "stems", "taken by"),
    ("a stem used twice in tests", "tests/unit/base/test_step.c", "int x;\n", "stems", "taken by"),
    ("strcpy in src", "src/os/file.c", "int x = strcpy(a, b);\n", "banned_calls", "strcpy()"),
    ("sprintf in a test", "tests/unit/os/test_file.c", "int x = sprintf(a, b);\n",
     "banned_calls", "sprintf()"),
    ("strtok with a blank", "src/os/file.c", "int x = strtok (a, b);\n", "banned_calls", "strtok()"),
    ("malloc above base", "src/engine/turn.c", "void *p = malloc(4);\n", "banned_calls", "malloc()"),
    ("free above base", "src/engine/turn.c", "int x = free(p);\n", "banned_calls", "free()"),
    ("a clock above os", "src/engine/turn.c", "int x = clock_gettime(0, &t);\n",
     "banned_calls", "clock_gettime()"),
    ("time in a pure chapter", "src/policy/retry.c", "long now = time(NULL);\n",
     "banned_calls", "time()"),
    ("a call after a comment and a string", "src/engine/turn.c",
     'char *s = "\\"/*"; /* " */ int x = atoi(s);\n', "banned_calls", "atoi()"),
    ("stdio in a pure chapter", "src/expr/eval.c", "#include <stdio.h>\n", "pure_core", "stdio.h"),
    ("time.h in a pure chapter", "src/policy/retry.c", "#include <time.h>\n", "pure_core", "time.h"),
    ("sqlite in a pure chapter", "src/chart/graph.c", "#include <sqlite3.h>\n",
     "pure_core", "sqlite3.h"),
    ("threads in base", "src/base/lock.c", "#include <pthread.h>\n", "pure_core", "pthread.h"),
    ("work left in a comment", "src/os/file.c", "/* TO" "DO */\nint x;\n", "unfinished", "file.c:1"),
    ("work left in a script", "tools/x.sh", "# FIX" "ME\n", "unfinished", "x.sh:1"),
    ("wrong layout", "src/os/file.c", "int  x ;\n", "layout", "clang-format -i"),
)

# name, file, its text: nothing here may be objected to
ALLOWED = (
    ("a banned call in a comment", "src/engine/turn.c", "/* malloc(4) */\nint x; // free(p)\n"),
    ("a banned call over two comment lines", "src/engine/turn.c", "/*\n * time(2)\n */\nint x;\n"),
    ("a banned call in a string", "src/engine/turn.c", 'const char *s = "strcpy(a, b)";\n'),
    ("a quote in a character", "src/engine/turn.c", "int x = '\"'; /* free(p) */\n"),
    ("an include in a comment", "src/expr/eval.c", '/*\n#include "cli/cli.h"\n*/\nint x;\n'),
    ("a member called free", "src/engine/turn.c", "int x = ops->free(p) + ops.time(p);\n"),
    ("names that end like a banned one", "src/engine/turn.c", "int x = arena_free(p) + uptime(p);\n"),
    ("malloc in base", "src/base/memory.c", "void *p = malloc(4);\n"),
    ("a clock in os", "src/os/clock.c", "#include <time.h>\n\nint x = clock_gettime(0, &t);\n"),
    ("stdio in text.c", "src/base/text.c", '#include "base/text.h"\n\n#include <stdio.h>\n'),
    ("sqlite in store", "src/store/sqlite.c", "#include <sqlite3.h>\n"),
    ("another chapter's door", "src/cli/main.c", '#include "store/store.h"\n'),
)


class Tidy(unittest.TestCase):
    def findings(self, files):
        """All rules run on a tree of just these files: {rule name: findings}."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            shutil.copy(ROOT / ".clang-format", root)
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            tree = tidy.Tree(root)
            found = {rule.__name__: list(rule(tree)) for rule in tidy.RULES}
            self.notes = list(tidy.notes(tree))
        return {rule: objections for rule, objections in found.items() if objections}

    def test_a_clean_tree_is_clean(self):
        self.assertEqual(self.findings(CLEAN), {})

    def test_length_is_noted_and_not_judged(self):
        body = "{\n" + "    x++;\n" * 80 + "}\n"
        files = {"src/base/long.c": "int x;\n" + "void f(void)\n" + body + "int y;\n" * 800}
        self.assertEqual(self.findings(files), {})
        self.assertEqual(len(self.notes), 2)
        self.assertIn("src/base/long.c:3: a function of 81 lines", self.notes)


def caught(file, text, rule, words):
    def test(self):
        found = self.findings({**CLEAN, file: text})
        if rule != "layout":
            found.pop("layout", None)  # some rows are ugly on purpose
        self.assertEqual(list(found), [rule])
        self.assertEqual(len(found[rule]), 1, found[rule])
        self.assertIn(words, found[rule][0])
    return test


def allowed(file, text):
    return lambda self: self.assertEqual(self.findings({**CLEAN, file: text}), {})


for name, *row in ROWS:
    setattr(Tidy, "test_" + name.replace(" ", "_") + "_is_caught", caught(*row))
for name, *row in ALLOWED:
    setattr(Tidy, "test_" + name.replace(" ", "_") + "_is_allowed", allowed(*row))

if __name__ == "__main__":
    tap.main(Tidy)
