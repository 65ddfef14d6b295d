#!/usr/bin/env bash
# Installs what is needed, builds, and runs every check and every test.
#
# usage: tests/run.sh [--quick]
#   --quick   only the release build and its tests: no sanitizers, fuzzers, clang-tidy
#
# The last thing printed is CTest's summary of the release build; any earlier failure ends the run.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=no
case "${1:-}" in
  "") ;;
  --quick) quick=yes ;;
  -h | --help) sed -n '2,7s/^# \?//p' "$0"; exit 0 ;;
  *) echo "tests/run.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
esac

step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }
jobs=$(nproc)
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1  # hits across checkouts

build() { # preset
  step "build $1"
  cmake --preset "$1" -DSIGNET_WERROR=ON --log-level=WARNING
  cmake --build --preset "$1" -j "$jobs"
}
run_tests() { # preset
  step "test $1"
  ctest --preset "$1" -j $((jobs + 1))  # many wait for a process or a time limit
}

step "packages"
packaging/install-dependencies.sh

if [ "$quick" = no ]; then
  step "format"
  git ls-files '*.cc' '*.h' '*.c' | xargs clang-format-14 --dry-run --Werror

  build fuzz
  run_tests fuzz

  for preset in asan tsan; do
    build "$preset"
    run_tests "$preset"
  done

  build release
  step "clang-tidy"
  # clang reads g++'s compile commands; Asio must be told that clang has coroutines.
  git ls-files 'agent/*.cc' 'client-lib/*.cc' 'ipc/*.cc' 'providers/*.cc' | grep -v '_test\.cc$' |
    xargs -P "$jobs" -n 4 clang-tidy-16 --quiet -p build/release \
      --extra-arg=-DASIO_HAS_CO_AWAIT=1 --extra-arg=-DASIO_HAS_STD_COROUTINE=1 \
      --extra-arg=-Wno-unknown-warning-option
else
  build release
fi
run_tests release
