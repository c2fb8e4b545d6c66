#!/usr/bin/env python3
"""tidy.py [--tap] [ROOT] - what the compilers do not check (STYLE.md, "The house").

Each rule is a function from the tree to findings, and the tables above them hold every
exception there is. Findings fail; notes (long files and functions) are only told. With
--tap each rule is one test case.
"""

import pathlib
import re
import shutil
import subprocess
import sys

FLOORS = {
    "base": 0,
    "expr": 1, "policy": 1, "store": 1, "wire": 1, "os": 1,
    "chart": 2, "script": 2, "strategy": 2, "telemetry": 2,
    "engine": 3,
    "api": 4, "embed": 4,
    "cli": 5,
}
PURE = {"base", "expr", "policy", "chart"}  # no clock, no I/O: they build for any machine

# All that pure chapters take from the C library, and the files that may take more.
PURE_HEADERS = {
    "assert.h", "emmintrin.h", "errno.h", "float.h", "immintrin.h", "inttypes.h", "limits.h",
    "math.h", "setjmp.h",
    "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdlib.h",
    "stdnoreturn.h", "string.h",
}
PURE_EXCEPTIONS = {
    "src/base/ensure.c": {"stdio.h"},  # the last words of a process that stops
    "src/base/text.c": {"stdio.h"},    # vsnprintf
    "src/expr/column_kernel.c": {"immintrin.h"},  # where the machine has them
}

BANNED_EVERYWHERE = {
    "strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "atof", "gets", "alloca",
}
BANNED_ABOVE = {  # src/ outside of base and os: use base/memory.h, and time as an argument
    "malloc", "calloc", "realloc", "free", "strdup", "strndup", "aligned_alloc",
    "posix_memalign", "clock_gettime", "time", "gettimeofday", "clock",
}

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70

CODE_FOLDERS = ("src", "include", "tests", "examples", "bench")
TEXT_SUFFIXES = {".c", ".h", ".py", ".sh", ".build", ".txt", ".yaml", ".yml", ".md", ".json"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
CALL = re.compile(r"(?<![\w.])(?<!->)([a-z_]\w*)[ \t]*\(")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")


class Source:
    """One C file: its text, and its code with comments and literals blanked in place."""

    def __init__(self, root, path):
        self.name = path.relative_to(root).as_posix()
        self.parts = path.relative_to(root).parts
        self.text = path.read_text(encoding="utf-8", errors="replace")
        self.code = NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), self.text)

    @property
    def chapter(self):
        return self.parts[1] if self.parts[0] == "src" and len(self.parts) > 2 else None

    def includes(self):
        """(line, is a system header, path), without those in comments."""
        for found in INCLUDE.finditer(self.text):
            if "#" in self.code[found.start():found.end()]:
                line = self.text.count("\n", 0, found.start(2)) + 1
                yield line, found[1] == "<", found[2]

    def at(self, offset):
        return f"{self.name}:{self.text.count(chr(10), 0, offset) + 1}"


def files_under(root, folders):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


class Tree:
    def __init__(self, root):
        self.root = root
        self.sources = [Source(root, path) for path in files_under(root, CODE_FOLDERS)
                        if path.suffix in (".c", ".h")]


def floors(tree):
    """Includes point strictly down, and to the front door of the other chapter."""
    for source in tree.sources:
        if source.parts[0] != "src":
            continue
        if source.chapter not in FLOORS:
            yield f"{source.name}: not in a chapter; chapters are {', '.join(FLOORS)}"
            continue
        for line, system, path in source.includes():
            at = f"{source.name}:{line}"
            chapter = path.split("/")[0]
            if system or chapter == source.chapter:
                continue
            if "/" not in path or chapter not in FLOORS:
                yield f'{at}: write "{path}" as a path from src/'
            elif FLOORS[chapter] >= FLOORS[source.chapter]:
                yield f'{at}: {source.chapter} must not know "{path}", which is not below it'
            elif chapter != "base" and path != f"{chapter}/{chapter}.h":
                yield f'{at}: include "{chapter}/{chapter}.h", the door, instead of "{path}"'


def include_order(tree):
    """A source file includes its own header first, so that the header stands alone."""
    names = {source.name for source in tree.sources}
    for source in tree.sources:
        own = source.name[:-2] + ".h"
        if not source.name.startswith("src/") or not source.name.endswith(".c"):
            continue
        first = next(iter(source.includes()), None)
        if own in names and (first is None or first[2] != own[len("src/"):]):
            yield f'{source.name}:{first[0] if first else 1}: include "{own[4:]}" first'


def stems(tree):
    """A file's name without suffix is unique: calls are named after their file."""
    seen = {}
    for source in tree.sources:
        path = pathlib.PurePosixPath(source.name)
        other = seen.setdefault(path.stem, path)
        if other.parent != path.parent:
            yield f"{path}: the stem {path.stem} is taken by {other}"


def banned_calls(tree):
    """No calls that overflow silently; memory and clocks only through base and os."""
    for source in tree.sources:
        banned = BANNED_EVERYWHERE
        if source.parts[0] in ("src", "include") and source.chapter not in ("base", "os"):
            banned = banned | BANNED_ABOVE
        for found in CALL.finditer(source.code):
            if found[1] in banned:
                yield f"{source.at(found.start())}: {found[1]}() is banned here"


def pure_core(tree):
    """The pure chapters know no header that does I/O, reads a clock or starts a thread."""
    for source in tree.sources:
        if source.chapter not in PURE:
            continue
        allowed = PURE_HEADERS | PURE_EXCEPTIONS.get(source.name, set())
        for line, system, path in source.includes():
            if system and path not in allowed:
                yield f"{source.name}:{line}: <{path}> has no place in a pure chapter"


def unfinished(tree):
    """What is left to do belongs in the tracker, not in the code."""
    for path in files_under(tree.root, CODE_FOLDERS + ("tools", "scripts")):
        if path.suffix in TEXT_SUFFIXES:
            text = path.read_text(encoding="utf-8", errors="replace")
            for found in UNFINISHED.finditer(text):
                name = path.relative_to(tree.root).as_posix()
                yield f"{name}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}"


def layout(tree):
    """clang-format settles layout. Versions disagree: 14, Debian 12's, is the judge."""
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        yield "clang-format is not installed"
        return
    if not tree.sources:
        return
    ran = subprocess.run([tool, "--dry-run", "-Werror", *(s.name for s in tree.sources)],
                         cwd=tree.root, stderr=subprocess.PIPE, text=True, check=False)
    wrong = re.findall(r"^(\S+?):\d+:\d+: error", ran.stderr, re.M)
    for name in sorted(set(wrong)):
        yield f"{name}: run clang-format -i on it"
    if ran.returncode != 0 and not wrong:
        yield ran.stderr.strip()


RULES = (floors, include_order, stems, banned_calls, pure_core, unfinished, layout)


def notes(tree):
    """Length is told, not judged: a long flat switch may be the plainest code."""
    for source in tree.sources:
        lines = source.code.split("\n")
        if len(lines) > FILE_LINES_MAX:
            yield f"{source.name}: {len(lines)} lines"
        opened = None
        for number, line in enumerate(lines):
            if line.rstrip() == "{":
                opened = number
            elif line.rstrip() == "}" and opened is not None:
                if number - opened > FUNCTION_LINES_MAX:
                    yield f"{source.name}:{opened + 1}: a function of {number - opened} lines"
                opened = None


def main(arguments):
    tap = "--tap" in arguments
    roots = [argument for argument in arguments if argument != "--tap"]
    root = pathlib.Path(roots[0] if roots else pathlib.Path(__file__).parent.parent).resolve()
    tree = Tree(root)
    failed = 0
    if tap:
        print(f"1..{len(RULES)}")
    for number, rule in enumerate(RULES, 1):
        findings = list(rule(tree))
        failed += bool(findings)
        if tap:
            print(f"{'not ok' if findings else 'ok'} {number} - {rule.__name__}")
        elif findings:
            print(f"{rule.__name__}: {rule.__doc__.splitlines()[0]}")
        for finding in findings:
            print(f"{'# ' if tap else '    '}{finding}")
    if not tap:
        for note in notes(tree):
            print(f"note: {note}")
        print(f"tidy: {len(tree.sources)} files, {failed} of {len(RULES)} rules broken")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
