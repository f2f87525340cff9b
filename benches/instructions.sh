#!/usr/bin/env bash
# Counts the instructions that reading a record and holding it against rules takes, and prints them as a table.
#
#   benches/instructions.sh [RECORDS]      # 2000 unless told; wants valgrind and a C compiler
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

records=${1:-2000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo '#include <string.h>
#include <sys/types.h>
ssize_t getrandom(void *to, size_t bytes, unsigned flags) { (void)flags; memset(to, 7, bytes); return bytes; }' |
  cc -shared -fPIC -x c -o "$work/fixed.so" -

binary=$(cargo bench --no-run --locked --quiet --no-default-features --features cli --bench matching --message-format json |
  sed -nE 's/.*"name":"matching".*"executable":"([^"]+)".*/\1/p')

# count RULES: sets `instructions` to those of all records, and `printed` to what the run says of itself.
count() {
  printed=$(env -i LD_PRELOAD="$work/fixed.so" setarch -R valgrind --quiet --tool=callgrind --toggle-collect='*measured*' \
    --callgrind-out-file="$work/$1" "$binary" --records "$records" --rules "$1")
  instructions=$(sed -n 's/^\(totals\|summary\): //p' "$work/$1" | tail -1)
}

# of NAME: a number that the run printed.
of() { sed -n "s/^$1 //p" <<<"$printed"; }

# row NAME: a line of the table. Numbers a record; the growth is over reading and matching with 10 rules.
row() {
  awk -v name="$1" -v all="$instructions" -v read="$read" -v ten="${ten:-0}" -v records="$records" \
    -v tried="$(of tried)" -v matches="$(of matches)" 'BEGIN {
      growth = ten ? sprintf("%+.0f | %+.1f %%", (all - ten) / records, 100 * (all - ten) / ten) : "| "
      printf "| %s | %.0f | %.0f | %s | %.2f | %.2f |\n",
        name, all / records, (all - read) / records, growth, tried / records, matches / records }'
}

echo "| rules | instructions a record | of which matching | growth over 10 rules | in % | candidates | matches |"
echo "|---|---|---|---|---|---|---|"
count none
read=$instructions
row "none: reading alone"
count 10
ten=$instructions
row 10
for rules in 100 1000 10000; do
  count "$rules"
  row "$rules"
  [ "$rules" = 1000 ] && thousand=$instructions
done
count core
row "the shipped pack ($(of rules))"
awk -v ten="$ten" -v thousand="$thousand" 'BEGIN {
  growth = 100 * (thousand - ten) / ten
  printf "\n1,000 rules over 10: %+.1f %% instructions a record (limit: +10 %%): %s\n", growth, growth <= 10 ? "met" : "NOT met"
  exit growth > 10 }'
