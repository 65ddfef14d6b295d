#!/usr/bin/env bash
# Many clients prove who they are, over and over, while backends and the agent are killed.
#
# usage: tests/soak/run.sh [--minutes N] [--clients N] [--seed N] [--json FILE]     (default: 10, 64)
#
# Builds the release if need be. Ends with 0 when no answer was wrong and nothing is left over.
set -euo pipefail
cd "$(dirname "$0")/../.."
case " $* " in *" -h "* | *" --help "*) sed -n '2,7s/^# \?//p' "$0"; exit 0 ;; esac
if [ -z "${SIGNET_BIN_DIR:-}" ]; then
  packaging/install-dependencies.sh build test
  cmake --preset release --log-level=WARNING
  cmake --build --preset release -j "$(nproc)"
  export SIGNET_BIN_DIR=build/release/bin
fi
exec /usr/bin/python3 -B -W ignore -m tests.soak.soak "$@"
