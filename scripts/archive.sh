#!/bin/sh
# archive.sh OUT.a LIBRARY.a... - one archive out of many, with nothing but il_* to be seen.
#
# Our functions are called loop_open and text_add; in somebody else's program so may his be.
# So everything is linked into one object whose hidden symbols become local.
set -eu
out=$1
shift
object=${out%.a}.o
rm -f "$out"
${LD:-ld} -r -o "$object" --whole-archive "$@"
${OBJCOPY:-objcopy} --localize-hidden "$object"
${AR:-ar} rcsD "$out" "$object"
rm -f "$object"
