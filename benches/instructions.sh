#!/usr/bin/env bash
# Counts the instructions that reading a record and holding it against rules takes, and prints them as a table.
#
#   benches/instructions.sh [RECORDS]      # 4000 unless told; wants valgrind and a C compiler
#
# Two runs of one binary print the same. callgrind counts instead of measuring time, and only inside the function `measured` (what
# it calls included), so that making the corpus and compiling the rules are not in it. What could still differ is held fixed:
# random keys of hash maps and the allocator's state by a preloaded library (fixed.c says how); addresses, which hashbrown's
# maps take their keys from, by `setarch -R`; and the environment, which lies on the stack and moves it, is emptied.
set -euo pipefail
cd "$(dirname "$0")/.."

records=${1:-4000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cc -O1 -fno-builtin-malloc -fno-builtin-calloc -shared -fPIC -o "$work/fixed.so" benches/fixed.c
binary=$(cargo bench --no-run --locked --quiet --no-default-features --features cli --bench matching --message-format json |
  sed -nE 's/.*"name":"matching".*"executable":"([^"]+)".*/\1/p')

# count RULES: sets `all` to the instructions for all records, and `printed` to what the run says of itself.
count() {
  printed=$(env -i LD_PRELOAD="$work/fixed.so" setarch -R valgrind --quiet --tool=callgrind --toggle-collect='*measured*' \
    --callgrind-out-file="$work/out" "$binary" --records "$records" --rules "$1")
  all=$(sed -n 's/^summary: //p' "$work/out")
}

# of NAME: a number that the run printed.
of() { sed -n "s/^$1 //p" <<<"$printed"; }

# row NAME: a line of the table, in numbers a record. Growth is compared with what 10 rules take, reading included.
row() {
  awk -v name="$1" -v all="$all" -v read="$read" -v ten="$ten" -v records="$records" \
    -v tried="$(of tried)" -v matches="$(of matches)" 'BEGIN {
      printf "| %s | %.0f | %.0f | %+.0f | %+.2f %% | %.2f | %.2f |\n", name, all / records, (all - read) / records,
        (all - ten) / records, 100 * (all - ten) / ten, tried / records, matches / records }'
}

count none
read=$all
count 10
ten=$all
printf 'Reading a record: %d instructions.\n\n' $((read / records))
echo "| rules | reading and matching | of it matching | growth over 10 rules | in % | candidates | matches |"
echo "|---|---|---|---|---|---|---|"
row 10
for rules in 100 1000 10000; do
  count "$rules"
  row "$rules"
  [ "$rules" = 1000 ] && thousand=$all
done
count core
row "the shipped pack: $(of rules)"
awk -v ten="$ten" -v thousand="$thousand" 'BEGIN {
  growth = 100 * (thousand - ten) / ten
  printf "\n1,000 rules over 10: %+.2f %% (limit: +10 %%): %s\n", growth, growth <= 10 ? "met" : "NOT met"
  exit growth > 10 }'
