#!/usr/bin/env python3
"""unicode_tables.py - writes src/expr/unicode_categories.h and unicode_scripts.h.

General categories and case folding come from Python's unicodedata, scripts from Perl's
Unicode::UCD: both carry the Unicode Character Database, and must carry the same version.
Code points in a row that have the same value are one run; what has none is left out.
"""
import subprocess
import sys
import unicodedata

POINTS = 0x110000
PERL = """
use Unicode::UCD qw(prop_invmap);
my ($starts, $names) = prop_invmap("Script");
print Unicode::UCD::UnicodeVersion(), "\\n";
print "$starts->[$_] $names->[$_]\\n" for 0 .. $#$starts;
"""


def read_scripts():
    lines = subprocess.run(["perl", "-e", PERL], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    if lines[0] != unicodedata.unidata_version:
        sys.exit(f"Perl has Unicode {lines[0]}, Python {unicodedata.unidata_version}")
    starts = [line.split() for line in lines[1:]]
    runs = []
    for i, (start, name) in enumerate(starts):
        end = int(starts[i + 1][0]) if i + 1 < len(starts) else POINTS
        if name != "Unknown":
            runs.append((int(start), end - 1, name))
    return runs


def read_categories():
    runs = []
    for point in range(POINTS):
        name = unicodedata.category(chr(point))
        if runs and runs[-1][2] == name and runs[-1][1] == point - 1:
            runs[-1] = (runs[-1][0], point, name)
        elif name != "Cn":
            runs.append((point, point, name))
    return runs


def fold(character):
    """Simple case folding: that of one character to one."""
    for folded in (character.casefold(), character.lower()):
        if len(folded) == 1:
            return folded
    return character


def read_folds():
    """Runs of (first, last, step, distance): what else each character is when case is ignored."""
    orbits = {}
    for point in range(POINTS):
        if not 0xD800 <= point < 0xE000:
            orbits.setdefault(fold(chr(point)), []).append(point)
    pairs = sorted((a, b - a) for orbit in orbits.values() for a in orbit for b in orbit
                   if a != b)
    runs = []
    open_runs = {}
    for point, distance in pairs:
        run = open_runs.get(distance)
        step = 0 if run is None else point - run[1]
        if run is not None and step <= 2 and run[2] in (0, step):
            run[1:3] = [point, step]
        else:
            run = [point, point, 0, distance]
            open_runs[distance] = run
            runs.append(run)
    return [(first, last, max(step, 1), distance) for first, last, step, distance in runs]


def write_lines(file, items):
    line = "   "
    for item in items:
        if len(line) + len(item) > 95:
            print(line, file=file)
            line = "   "
        line += " " + item
    print(line + "\n};", file=file)


def write_runs(file, what, runs):
    names = sorted({name for _, _, name in runs})
    print(f"\nstatic const char *const unicode_{what}_names[] = {{", file=file)
    write_lines(file, (f'"{name}",' for name in names))
    print(f"\nstatic const struct unicode_run unicode_{what}_runs[] = {{", file=file)
    write_lines(file, (f"{{{first:#x}, {last - first}, {names.index(name)}}},"
                       for first, last, name in runs))


def write_folds(file, folds):
    print("\nstatic const struct unicode_fold unicode_folds[] = {", file=file)
    write_lines(file, (f"{{{first:#x}, {last:#x}, {step}, {distance}}},"
                       for first, last, step, distance in folds))


def open_table(name, what):
    file = open(f"src/expr/{name}", "w", encoding="ascii")
    print(f"""/*
 * {name} - {what}, by Unicode {unicodedata.unidata_version}.
 * Written by tools/unicode_tables.py; only unicode.c includes it.
 */
/* clang-format off */
#pragma once

#include "expr/unicode_run.h\"""", file=file)
    return file


with open_table("unicode_categories.h", "general categories of characters") as table:
    write_runs(table, "category", read_categories())
with open_table("unicode_scripts.h", "scripts of characters, and their other cases") as table:
    write_runs(table, "script", read_scripts())
    write_folds(table, read_folds())
