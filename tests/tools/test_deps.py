#!/usr/bin/env python3
"""install-deps.sh installs exactly what is missing, or says exactly what that is.

Stand-ins for dpkg-query, id, sudo and apt-get are first in PATH; apt-get writes down how it
was called.
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]

import tap  # noqa: E402

DPKG_QUERY = """#!/bin/sh
shift 3 # -W -f FORMAT
for package; do
    case " $ABSENT " in
    *" $package "*) [ -z "$REMOVED" ] || echo "rc  $package" ;;
    *) echo "ii  $package" ;;
    esac
done
[ -z "$ABSENT" ]
"""
APT_GET = """#!/bin/sh
echo "$@" >>"$CALLS"
case "$*" in *install*) [ -z "$BROKEN" ] || { echo "E: no such package"; exit 100; } ;; esac
case "$*" in *update*) [ -z "$OFFLINE" ] || exit 100 ;; esac
"""
SUDO = """#!/bin/sh
[ -z "$PASSWORD" ] || { echo "sudo: a password is required" >&2; exit 1; }
[ "$1" != -n ] || shift
echo sudo >>"$CALLS"
exec "$@"
"""
ID = "#!/bin/sh\necho \"$USER_ID\"\n"


class Deps(unittest.TestCase):
    def install(self, profile="build", sudo=True, **variables):
        """(exit status, stderr, what apt-get and sudo were asked for)"""
        with tempfile.TemporaryDirectory() as folder:
            programs = {"dpkg-query": DPKG_QUERY, "apt-get": APT_GET, "id": ID}
            if sudo:
                programs["sudo"] = SUDO
            for tool in ("sh", "env", "grep", "mktemp", "rm", "tail", "true"):
                (pathlib.Path(folder) / tool).symlink_to(f"/usr/bin/{tool}")
            for name, text in programs.items():
                path = pathlib.Path(folder) / name
                path.write_text(text)
                path.chmod(0o755)
            calls = pathlib.Path(folder) / "calls"
            calls.touch()
            ran = subprocess.run(
                ["/bin/sh", ROOT / "scripts/install-deps.sh", profile], text=True, check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env={"PATH": folder, "CALLS": str(calls), "USER_ID": "0", "ABSENT": "",
                     **variables})
            return ran.returncode, ran.stderr, calls.read_text().splitlines()

    def test_all_present_is_silent(self):
        self.assertEqual(self.install(), (0, "", []))

    def test_root_installs_what_is_missing_after_an_update(self):
        status, _, calls = self.install(ABSENT="meson libyaml-dev")
        self.assertEqual(status, 0)
        self.assertTrue(calls[0].startswith("update"))
        self.assertTrue(calls[1].endswith(" meson libyaml-dev"), calls)

    def test_a_removed_package_with_leftovers_is_missing(self):
        _, _, calls = self.install(ABSENT="meson", REMOVED="1")
        self.assertTrue(calls[1].endswith(" meson"), calls)

    def test_a_name_that_contains_another_is_not_it(self):
        _, _, calls = self.install("test", ABSENT="clang")
        self.assertTrue(calls[1].endswith("recommends clang"), calls)

    def test_a_user_installs_through_sudo(self):
        status, _, calls = self.install(ABSENT="meson", USER_ID="1000")
        self.assertEqual((status, calls.count("sudo") >= 2), (0, True))

    def test_a_build_needs_no_second_compiler(self):
        self.assertEqual(self.install(ABSENT="clang libcmocka-dev clang-format"), (0, "", []))

    def test_without_sudo_the_list_is_told(self):
        status, said, calls = self.install(ABSENT="meson gcc", USER_ID="1000", sudo=False)
        self.assertEqual((status, calls), (1, []))
        self.assertIn("apt-get install -y --no-install-recommends gcc meson", said)

    def test_with_a_sudo_that_asks_the_list_is_told(self):
        status, said, calls = self.install(ABSENT="meson", USER_ID="1000", PASSWORD="1")
        self.assertEqual((status, calls), (1, []))
        self.assertIn("password", said)

    def test_a_failed_update_is_no_reason_to_stop(self):
        self.assertEqual(self.install(ABSENT="meson", OFFLINE="1")[0], 0)

    def test_a_failed_install_shows_why(self):
        status, said, _ = self.install(ABSENT="meson", BROKEN="1")
        self.assertEqual(status, 1)
        self.assertIn("E: no such package", said)

    def test_people_with_their_own_tools_can_skip_it(self):
        self.assertEqual(self.install(ABSENT="meson", INTERLOCK_DEPS="skip"), (0, "", []))


if __name__ == "__main__":
    tap.main(Deps)
