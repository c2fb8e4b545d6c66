#!/usr/bin/env python3
"""install_test.py BUILD LIBRARY... - what `make install` leaves, as a stranger uses it.

Installs BUILD into an empty folder and works from another one, with pkg-config alone. The
LIBRARIES are the pure chapters' archives: their objects are looked at one by one.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/tools"))

import tap  # noqa: E402

BUILD = sys.argv[1]
PURE_LIBRARIES = sys.argv[2:]
EXAMPLES = ROOT / "examples/embed"

# What a step may ask of the C library: to work on memory it is given, text, numbers, jumps.
STEP_SYMBOLS = re.compile(
    r"^(mem\w+|bcmp|str(len|n?cmp|n?casecmp|chr|rchr|pbrk|spn|cspn|tod|toll?|toull?)|v?snprintf|"
    r"_?_?(sig)?setjmp|_?longjmp|_GLOBAL_OFFSET_TABLE_|__cpu_model|"
    r"__popcount\w+|__stack_chk_fail|__isoc\d+_strto\w+|__\w+_chk|"
    r"(floor|ceil|trunc|rint|round|fmod|pow|exp|log|sqrt|fabs|ldexp|frexp|modf|nearbyint|"
    r"l?lrint|l?lround|log10|log2|isnan|isinf|fmax|fmin|nextafter)f?|__u?(div|mod)ti3)$")
EXCEPTIONS = {
    "arena.c.o": {"malloc", "free"},  # growing arenas: a step has fixed ones
    "memory.c.o": {"calloc", "realloc", "free"},
    "reason_domain.c.o": {"qsort"},  # proofs are for `check`, not for a step
    "ensure.c.o": {"fprintf", "stderr", "abort"},  # a process that found itself broken
}


def run(*words, **more):
    return subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, **more)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="interlock-install-")
        cls.root = os.path.join(cls.folder, "root")
        installed = run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet",
                        "--destdir", cls.root)
        assert installed.returncode == 0, installed.stderr + installed.stdout
        cls.files = [str(path) for path in pathlib.Path(cls.root).rglob("*")]
        folders = {os.path.dirname(path) for path in cls.files if path.endswith(".pc")}
        assert len(folders) == 1, folders
        cls.libraries = os.path.dirname(folders.pop())
        cls.environment = {**os.environ, "PKG_CONFIG_SYSROOT_DIR": cls.root,
                           "PKG_CONFIG_PATH": cls.libraries + "/pkgconfig",
                           "LD_LIBRARY_PATH": cls.libraries}

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.empty = tempfile.mkdtemp(dir=self.folder)

    def find(self, name):
        """A file that was installed, by the end of its path."""
        found = [path for path in self.files if path.endswith("/" + name)]
        self.assertEqual(len(found), 1, f"{name}: {found}")
        return found[0]

    def flags(self, *words):
        answer = run("pkg-config", *words, env=self.environment)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        return answer.stdout.split()

    def build(self, source, package, compiler, *options):
        for name in (source, "payment.yaml"):
            shutil.copy(EXAMPLES / name, self.empty)
        words = [compiler, *options, "-Wall", "-Wextra", "-Werror", source, "-o", "program",
                 *self.flags("--cflags", "--libs", package)]
        built = run(*words, cwd=self.empty)
        self.assertEqual(built.returncode, 0, f"{' '.join(words)}\n{built.stderr}")

    def play(self, *words, before=()):
        played = run(*before, "./program", *words, cwd=self.empty, env=self.environment)
        self.assertEqual(played.returncode, 0, played.stderr + played.stdout)
        return played.stdout

    def dependencies(self):
        return run("ldd", "./program", cwd=self.empty, env=self.environment).stdout

    def compilers(self):
        found = [name for name in ("gcc", "clang") if shutil.which(name)]
        self.assertTrue(found)
        return found

    def test_everything_is_there(self):
        names = {os.path.basename(path) for path in self.files}
        for name in ("interlock", "interlock.h", "libinterlock.so", "libinterlock.so.0",
                     "libinterlock.a", "libinterlock-core.a", "interlock.pc",
                     "interlock-core.pc", "interlock-static.pc", "interlock.1", "interlock.5",
                     "il_crowd.3", "il_expr.3", "il_instance.3", "il_machine.3"):
            self.assertIn(name, names)
        answer = run(self.find("bin/interlock"), "--version")
        self.assertEqual(answer.returncode, 0)
        version = self.flags("--modversion", "interlock")[0]
        self.assertIn(version, answer.stdout)
        header = pathlib.Path(self.find("interlock.h")).read_text(encoding="utf-8")
        self.assertIn(f'#define IL_VERSION "{version}"', header)

    def test_shells_find_their_completions(self):
        program = self.find("bin/interlock")
        for shell, place in (("bash", "share/bash-completion/completions/interlock"),
                             ("zsh", "share/zsh/site-functions/_interlock")):
            script = pathlib.Path(self.find(place)).read_text(encoding="utf-8")
            self.assertEqual(script, run(program, "completion", shell).stdout)
            self.assertIn("_interlock", script)

    def test_uninstall_takes_everything_away(self):
        root = os.path.join(self.empty, "root")
        log = pathlib.Path(BUILD) / "meson-logs/install-log.txt"
        before = log.read_text(encoding="utf-8") if log.exists() else ""
        try:
            installed = run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet",
                            "--destdir", root)
            self.assertEqual(installed.returncode, 0, installed.stderr)
            self.assertNotEqual([], self.left_in(root))
            gone = run("ninja", "-C", BUILD, "uninstall")
            self.assertEqual(gone.returncode, 0, gone.stdout + gone.stderr)
            self.assertEqual([], self.left_in(root))
        finally:
            log.write_text(before, encoding="utf-8")

    def left_in(self, root):
        return [str(path) for path in pathlib.Path(root).rglob("*") if not path.is_dir()]

    def test_nothing_but_il_is_to_be_seen(self):
        shared = run("nm", "-D", "--defined-only", self.find("libinterlock.so")).stdout
        names = {line.split()[-1] for line in shared.splitlines()}
        self.assertIn("il_engine_open@@INTERLOCK_0.1", names)
        self.assertEqual([], [name for name in names if not name.startswith("il_")
                              and not name.startswith("INTERLOCK_0.1")])
        for archive in ("libinterlock.a", "libinterlock-core.a"):
            listed = run("nm", "-g", "--defined-only", self.find(archive)).stdout
            names = re.findall(r"^\w+ \w (\S+)$", listed, re.M)
            self.assertIn("il_instance_send", names)
            self.assertEqual([], [name for name in names if not name.startswith("il_")])

    def test_the_header_declares_what_the_library_has(self):
        header = pathlib.Path(self.find("interlock.h")).read_text(encoding="utf-8")
        declared = set(re.findall(r"\b(il_\w+)\(", re.sub(r"/\*.*?\*/", "", header, flags=re.S)))
        declared -= set(re.findall(r"typedef \w+ (il_\w+)\(", header))
        shared = run("nm", "-D", "--defined-only", self.find("libinterlock.so")).stdout
        exported = set(re.findall(r" T (il_\w+)@@", shared))
        self.assertEqual(declared, exported)

    def test_the_header_stands_alone_in_every_language(self):
        for name, compiler, options in (("h.c", "cc", ["-std=c99", "-pedantic"]),
                                        ("h.c", "cc", ["-std=c17", "-pedantic"]),
                                        ("h.cc", "c++", ["-std=c++11", "-pedantic"])):
            if not shutil.which(compiler):
                continue
            path = os.path.join(self.empty, name)
            pathlib.Path(path).write_text("#include <interlock.h>\n", encoding="utf-8")
            built = run(compiler, *options, "-Wall", "-Wextra", "-Werror", "-c", path, "-o",
                        "/dev/null", *self.flags("--cflags", "interlock-core"))
            self.assertEqual(built.returncode, 0, built.stderr)

    def check_turnstile(self, told):
        self.assertIn('COIN         "OPEN"   {"coins":1}\n'
                      "  wake me at 13000 ms\n"
                      '  do greet with {"guest":1}\n'
                      '(restored)   "OPEN"   {"coins":1}\n', told)
        self.assertTrue(told.endswith('(10 s later) "LOCKED" {"coins":1}\n'), told)

    def test_the_core_is_stepped_by_hand(self):
        for compiler in self.compilers():
            self.build("turnstile.c", "interlock-core", compiler)
            self.check_turnstile(self.play())
        needed = self.dependencies()
        for library in ("interlock", "uv", "curl", "sqlite", "yaml", "libz"):
            self.assertNotIn(library, needed)

    def test_expressions_need_no_machine(self):
        for compiler in self.compilers():
            self.build("rules.c", "interlock-core", compiler)
            self.assertEqual("yes yes yes \nyes no yes \nno yes yes \n"
                             "refused: order/total is less than 0\n", self.play())

    def test_the_core_links_into_a_program_without_any_shared_library(self):
        self.build("turnstile.c", "interlock-core", "cc", "-static")
        self.check_turnstile(self.play())

    def test_the_core_is_clean_under_valgrind(self):
        if not shutil.which("valgrind"):
            self.skipTest("valgrind is not installed")
        self.build("turnstile.c", "interlock-core", "cc", "-g")
        self.check_turnstile(self.play(before=("valgrind", "-q", "--error-exitcode=1",
                                               "--leak-check=full", "--show-leak-kinds=all")))

    def play_example_of(self, page):
        """Compiles what stands under EXAMPLES, as the inside of a main()."""
        text = (ROOT / "docs/man" / page).read_text(encoding="utf-8")
        example = re.search(r"^\.Bd -literal.*?\n(.*?)^\.Ed", text, re.M | re.S)[1]
        path = os.path.join(self.empty, "example.c")
        pathlib.Path(path).write_text(
            "#include <interlock.h>\n#include <stdio.h>\n#include <string.h>\n"
            "int main(void)\n{\n" + example.replace("\\e", "\\") + "return 0;\n}\n",
            encoding="utf-8")
        built = run("cc", "-Wall", "-Wextra", "-Werror", path, "-o",
                    os.path.join(self.empty, "program"),
                    *self.flags("--cflags", "--libs", "interlock-core"))
        self.assertEqual(built.returncode, 0, built.stderr)
        return self.play()

    def test_examples_of_manual_pages_are_programs(self):
        self.assertEqual("true\n", self.play_example_of("il_expr.3"))
        self.assertEqual('wake me at 6000\n"SHUT"\n"OPEN"\n',
                         self.play_example_of("il_instance.3"))

    def check_payments(self):
        first = self.play("payments.db")
        self.assertIn("20 payments, 0 of them known before, 20 ended\n40 calls\n", first)
        self.assertIn('"value":"PAID"', first)
        self.assertIn('"kind":"rejected"', first)
        self.assertIn("20 of them known before, 20 ended\n0 calls\n", self.play("payments.db"))
        why = run(self.find("bin/interlock"), "why", "p03", "--db", "payments.db", cwd=self.empty)
        self.assertEqual(why.returncode, 0, why.stderr)
        self.assertIn("PAID", why.stdout)
        refused = run(self.find("bin/interlock"), "run", "payment.yaml", "--input", "/dev/null",
                      cwd=self.empty)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("`call` steps run in programs that embed Interlock", refused.stderr)

    def test_a_function_is_a_step_of_the_shared_library(self):
        for compiler in self.compilers():
            self.build("payment.c", "interlock", compiler)
            self.assertIn("libinterlock.so.0", self.dependencies())
            self.check_payments()
            for path in pathlib.Path(self.empty).glob("payments.db*"):
                path.unlink()

    def test_a_function_is_a_step_of_the_static_library(self):
        self.build("payment.c", "interlock-static", "cc")
        self.assertNotIn("libinterlock", self.dependencies())
        self.check_payments()

    def test_a_static_link_needs_no_more_than_the_package_says(self):
        flags = self.flags("--static", "--libs", "interlock")
        flags = ["-l:libinterlock.a" if flag == "-linterlock" else flag for flag in flags]
        shutil.copy(EXAMPLES / "payment.c", self.empty)
        built = run("cc", "payment.c", "-o", "program", *self.flags("--cflags", "interlock"),
                    *flags, cwd=self.empty)
        self.assertEqual(built.returncode, 0, built.stderr)

    def test_it_works_from_cpp(self):
        compiler = shutil.which("c++") or shutil.which("clang++")
        if compiler is None:
            self.skipTest("there is no C++ compiler")
        for package in ("interlock", "interlock-static"):
            self.build("mailer.cc", package, compiler, "-std=c++17", "-pthread")
            told = self.play(f"{package}.db")
            self.assertIn('"sent":"posted one"', told)
            self.assertIn('"value":"RETURNED"', told)


class Core(unittest.TestCase):
    """The pure chapters, object by object."""

    def undefined(self):
        for library in PURE_LIBRARIES:
            listed = run("nm", "-u", "-A", library)
            self.assertEqual(listed.returncode, 0, listed.stderr)
            defined = run("nm", "-A", "--defined-only", library).stdout
            own = {line.split()[-1] for line in defined.splitlines()}
            for line in listed.stdout.splitlines():
                place, name = line.rsplit(" U ", 1)
                yield re.split(r"[:\[/]", place.strip().rstrip(":"))[-1].rstrip("]:"), name, own

    def test_nothing_in_it_asks_for_a_clock_for_files_or_for_memory(self):
        own = set()
        wanted = set()
        for place, name, defined in self.undefined():
            own |= defined
            wanted.add((place, name))
        self.assertGreater(len(wanted), 50)
        outside = {(place, name) for place, name in wanted
                   if name not in own and not STEP_SYMBOLS.match(name)}
        self.assertIn(("arena.c.o", "malloc"), outside)  # the looking works
        self.assertEqual(set(), {(place, name) for place, name in outside
                                 if name not in EXCEPTIONS.get(place, set())})


tap.main(Installed, Core)
