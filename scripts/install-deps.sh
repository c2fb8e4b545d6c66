#!/bin/sh
# install-deps.sh build|test|lint - install the Debian packages that are missing, if any.
#
# Silent and instant when everything is there. `build` is what `make` and `make run` need;
# `test` adds the second compiler and the test tools, `lint` one more. INTERLOCK_DEPS=skip turns
# it off for people who bring their own tools.
set -eu

packages="gcc libc6-dev pkg-config meson ninja-build libuv1-dev libmicrohttpd-dev
    libcurl4-openssl-dev libsqlite3-dev libyaml-dev libexpat1-dev
    zlib1g-dev libzstd-dev libpq-dev duktape-dev"
[ "${1:-build}" = build ] || packages="$packages clang libclang-rt-dev llvm clang-format
    libcmocka-dev python3 sqlite3"
[ "${1:-build}" != lint ] || packages="$packages clang-tidy"

# Elsewhere than on Debian and its relatives, meson says what it misses.
[ "${INTERLOCK_DEPS:-}" != skip ] && command -v dpkg-query >/dev/null || exit 0

present=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $packages 2>/dev/null || true)
missing=
for package in $packages; do
    printf '%s\n' "$present" | grep -q "^.i. *$package\$" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

refuse() {
    {
        echo "Interlock needs these Debian packages, which are not installed:"
        printf '    %s\n' $missing
        echo "$1 Please have them installed and try again:"
        echo "    apt-get update && apt-get install -y --no-install-recommends$missing"
    } >&2
    exit 1
}

if [ "$(id -u)" = 0 ]; then
    as_root=env
elif ! command -v sudo >/dev/null; then
    refuse "You are not root and there is no sudo."
elif [ -t 0 ] && [ -t 2 ]; then
    as_root=sudo
elif sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    refuse "You are not root and sudo would ask for a password."
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing:$missing"
$as_root apt-get update -qq >"$log" 2>&1 || true # a stale list may still do
if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends $missing >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    refuse "apt-get could not install them (its last words are above)."
fi
