#!/usr/bin/env bash
# Counts the instructions that reading a record and holding it against rules takes, prints them, and fails beyond the limits.
#
#   benches/instructions.sh             # wants valgrind and a C compiler; two minutes after the build
#   benches/instructions.sh --update    # also stores the end-to-end count, for later runs to be compared with
#
# Two runs of one binary print the same. callgrind counts instead of measuring time, and only inside the function `measured` (what
# it calls included), so that making the corpus, compiling the rules and starting are not in it. What could still differ is held
# fixed: random keys of hash maps and the allocator's state by a preloaded library (fixed.c says how); addresses, which hashbrown's
# maps take their keys from, by `setarch -R`; and the environment, which lies on the stack and moves it, is emptied.
set -euo pipefail
cd "$(dirname "$0")/.."

stored=benches/instructions.stored
export records=4000 work
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case "${1:-}" in
  "" | --update) ;;
  *) echo "usage: benches/instructions.sh [--update]" >&2 && exit 2 ;;
esac
for program in valgrind cc setarch; do
  command -v "$program" >/dev/null || {
    echo "$program is missing; on Debian: apt-get install valgrind gcc util-linux" >&2
    exit 2
  }
done

cc -O1 -fno-builtin-malloc -fno-builtin-calloc -shared -fPIC -o "$work/fixed.so" benches/fixed.c
binary=$(cargo bench --no-run --locked --quiet --no-default-features --features cli --bench measure --message-format json |
  sed -nE 's/.*"name":"measure".*"executable":"([^"]+)".*/\1/p')
export binary

# count NAME: one run. Its count goes to NAME.all, what it prints to NAME.said. `whole-57` is end to end with 57 rules.
count() {
  local arguments=("$1")
  [[ $1 == whole-* ]] && arguments=("${1#whole-}" --end-to-end)
  env -i LD_PRELOAD="$work/fixed.so" setarch -R valgrind --quiet --tool=callgrind --toggle-collect='*work::measured*' \
    --callgrind-out-file="$work/$1.out" "$binary" count "${arguments[@]}" --records "$records" >"$work/$1.said"
  sed -n 's/^summary: //p' "$work/$1.out" >"$work/$1.all"
}
export -f count

# The longest first: they run side by side.
printf '%s\n' 10000 all 1000 whole-57 core 100 57 10 none | xargs -P "$(nproc)" -I{} bash -euc 'count {}'

all() { cat "$work/$1.all"; }
# said RUN NAME: what the run printed under that name.
said() { sed -n "s/^$2 //p" "$work/$1.said"; }

# row NAME RUN: a line of the table, in numbers a record. Growth is compared with what 10 rules take, reading included.
row() {
  awk -v name="$1" -v all="$(all "$2")" -v read="$(all none)" -v ten="$(all 10)" -v records="$records" \
    -v tried="$(said "$2" tried)" -v matches="$(said "$2" matches)" 'BEGIN {
      printf "| %s | %.0f | %.0f | %+.0f | %.3f | %.2f | %.2f |\n", name, all / records, (all - read) / records,
        (all - ten) / records, all / ten, tried / records, matches / records }'
}

whole=$(($(all whole-57) / records))
printf 'Reading a record: %d instructions. From gzip file to finding with 57 rules: %d.\n\n' $(($(all none) / records)) "$whole"
echo "| rules | reading and matching | of it matching | growth over 10 rules | as a ratio | candidates | matches |"
echo "|---|---|---|---|---|---|---|"
row 10 10
row 57 57
row 100 100
row 1,000 1000
row 10,000 10000
row "the pack \`core\`: $(said core rules)" core
row "all packs: $(said all rules)" all
echo

failed=0
# limit NAME RUN RATIO: the growth from 10 rules.
limit() {
  awk -v name="$1" -v all="$(all "$2")" -v ten="$(all 10)" -v limit="$3" 'BEGIN {
    ratio = all / ten
    printf "%s rules over 10: %.3f (limit: %.2f): %s\n", name, ratio, limit, ratio <= limit ? "met" : "NOT met"
    exit ratio > limit }' || failed=1
}
limit 1,000 1000 1.10
limit 10,000 10000 1.60

# over NAME RUN RATIO: what the shipped rules, which match often, take over reading alone.
over() {
  awk -v name="$1" -v all="$(all "$2")" -v read="$(all none)" -v limit="$3" 'BEGIN {
    ratio = all / read
    printf "%s over reading: %.3f (limit: %.2f): %s\n", name, ratio, limit, ratio <= limit ? "met" : "NOT met"
    exit ratio > limit }' || failed=1
}
over "The pack core" core 1.40
over "All packs" all 1.85

# Other compilers, libraries and processors give other counts of the same source: then growth alone decides.
libc=$(getconf GNU_LIBC_VERSION 2>/dev/null || echo "another libc")
with="$(rustc --version | cut -d' ' -f1,2), $libc, $(valgrind --version), $(said none processor)"
if [[ ${1:-} == --update ]]; then
  cat >"$stored" <<END
# Instructions a record, from gzip file to finding, with 57 generated rules. \`make instructions-update\` writes this file.
$whole
$with
END
  echo "End to end: stored $whole."
  exit $failed
fi
before=$(sed -n 2p "$stored")
if [[ $with == "$(sed -n 3p "$stored")" ]]; then
  awk -v now="$whole" -v before="$before" 'BEGIN {
    change = 100 * (now - before) / before
    verdict = change > 3 ? "NOT met" : "met"
    if (change < -3) verdict = "met, and cheaper: store it with `make instructions-update`"
    printf "End to end: %d, stored %d: %+.2f %% (limit: +3 %%): %s\n", now, before, change, verdict
    exit change > 3 }' || failed=1
else
  echo "End to end: $whole, stored $before, which was counted with $(sed -n 3p "$stored"), not $with: not compared."
fi
exit $failed
