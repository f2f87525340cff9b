#!/usr/bin/env bash
# Counts the instructions that reading a record and holding it against rules takes, and prints them as a table.
#
#   benches/instructions.sh [RECORDS]      # 4000 unless told; wants valgrind and a C compiler
#
# The count is the same in every run of the same binary: callgrind counts instead of measuring time, and only inside the function
# `measured` (what it calls included), so that making the corpus and compiling the rules are not in it. Three things could
# still differ from run to run, and are held fixed:
#   - hash maps of std (inside serde_json) draw their keys from getrandom(2): a preloaded one answers with a constant;
#   - hash maps of hashbrown take theirs from addresses: `setarch -R` switches off their randomisation;
#   - the environment lies on the stack and moves it: it is emptied.
# Between machines the count differs where the libraries choose code by the processor (inflating, searching bytes), and
# between compilers; so compare counts of one machine, and ratios otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."

records=${1:-4000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo '#include <string.h>
#include <sys/types.h>
ssize_t getrandom(void *to, size_t bytes, unsigned flags) { (void)flags; memset(to, 7, bytes); return bytes; }' |
  cc -shared -fPIC -x c -o "$work/fixed.so" -

binary=$(cargo bench --no-run --locked --quiet --no-default-features --features cli --bench matching --message-format json |
  sed -nE 's/.*"name":"matching".*"executable":"([^"]+)".*/\1/p')

# count RULES: sets `all`, the instructions of reading and matching, `read`, those of reading alone with the same rules in memory
# (compiling leaves the heap in pieces, which costs the allocator some more instructions), and `printed`.
count() {
  counted "$1" --read-only
  read=$instructions
  counted "$1"
  all=$instructions
}

# counted RULES [--read-only]: sets `instructions` to those of all records, and `printed` to what the run says of itself.
counted() {
  printed=$(env -i LD_PRELOAD="$work/fixed.so" setarch -R valgrind --quiet --tool=callgrind --toggle-collect='*measured*' \
    --callgrind-out-file="$work/out" "$binary" --records "$records" --rules "$@")
  instructions=$(sed -n 's/^summary: //p' "$work/out")
}

# of NAME: a number that the run printed.
of() { sed -n "s/^$1 //p" <<<"$printed"; }

# row NAME: a line of the table. Numbers a record; growth is that of matching, compared with all that 10 rules take.
row() {
  awk -v name="$1" -v all="$all" -v read="$read" -v ten="$ten" -v matching="$matching" -v records="$records" \
    -v tried="$(of tried)" -v matches="$(of matches)" 'BEGIN {
      growth = all - read - matching
      printf "| %s | %.0f | %.0f | %.0f | %+.0f | %+.2f %% | %.2f | %.2f |\n", name, read / records, all / records,
        (all - read) / records, growth / records, 100 * growth / ten, tried / records, matches / records }'
}

echo "| rules | reading | reading and matching | matching | growth over 10 rules | in % | candidates | matches |"
echo "|---|---|---|---|---|---|---|---|"
count 10
ten=$all matching=$((all - read))
row 10
for rules in 100 1000 10000; do
  count "$rules"
  row "$rules"
  [ "$rules" = 1000 ] && thousand=$((all - read))
done
count core
row "the shipped pack: $(of rules)"
awk -v ten="$ten" -v growth="$((thousand - matching))" 'BEGIN {
  printf "\n1,000 rules over 10: %+.2f %% (limit: +10 %%): %s\n", 100 * growth / ten, growth <= ten / 10 ? "met" : "NOT met"
  exit growth > ten / 10 }'
