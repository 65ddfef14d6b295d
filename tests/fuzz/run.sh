#!/usr/bin/env bash
# Fuzzes for a while: every target, or those named, has an equal share of the time, on all cores.
#
# usage: tests/fuzz/run.sh MINUTES [TARGET]...      (a TARGET: session, http2, ...)
#
# What each target learns is kept under build/fuzz/tests/fuzz/found, and the next run starts from
# it. An input that breaks something is named at the end, with the command that shows it again.
# Exit status: 0 nothing was found, 1 something was, 2 the arguments are wrong.
set -euo pipefail
case "${1:-}" in
  -h | --help) sed -n '2,8s/^# \?//p' "$0"; exit 0 ;;
  '' | *[!0-9]* | 0) echo "tests/fuzz/run.sh: how many minutes? See --help" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/../.."
minutes=$1
shift

packaging/install-dependencies.sh build test
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
cmake --preset fuzz --log-level=WARNING >/dev/null
cmake --build --preset fuzz -j "$(nproc)" | tail -n 1

bin=build/fuzz/bin
all=()
for program in "$bin"/*_fuzz; do all+=("$(basename "$program" _fuzz)"); done
targets=("${@:-${all[@]}}")
for target in "${targets[@]}"; do
  [ -x "$bin/${target}_fuzz" ] && continue
  echo "tests/fuzz/run.sh: no target '$target'; there are: ${all[*]}" >&2
  exit 2
done
seconds=$((minutes * 60 * $(nproc) / ${#targets[@]}))
[ "$seconds" -gt 0 ] || seconds=1
logs=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM

fuzz() { # target
  local found=build/fuzz/tests/fuzz/found/$1
  mkdir -p "$found"
  if "$bin/$1_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$found/" "$found" "tests/fuzz/corpus/$1" \
    >"$logs/$1" 2>&1; then
    local runs coverage
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$logs/$1")
    coverage=$(grep -o ' cov: [0-9]*' "$logs/$1" | tail -n 1)
    echo "$1: $runs inputs in $seconds s,${coverage:-} edges; nothing found"
  else
    grep -v '^#' "$logs/$1" | tail -n 40
    local input
    input=$(sed -n 's/^.*Test unit written to //p' "$logs/$1" | tail -n 1)
    echo "$1: FOUND. To see it again: $bin/$1_fuzz ${input:-(it did not start)}"
    touch "$logs/failed"
  fi
}

echo "${#targets[@]} targets, $seconds s each, on $(nproc) cores"
for target in "${targets[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done
  fuzz "$target" &
done
wait
[ ! -e "$logs/failed" ]
