#!/usr/bin/env bash
# Installs what is needed, builds the release preset and runs the benchmarks; --help tells more.
set -euo pipefail
cd "$(dirname "$0")/../.."

case " $* " in
  *" --help "* | *" -h "*) ;;
  *)
    packaging/install-dependencies.sh build bench
    cmake --preset release --log-level=WARNING
    cmake --build --preset release -j "$(nproc)" --target signetd signet_cli signet-backend \
      libsignet recording_tcti signet-bench signet-bench-allocations \
      signet_openssl_provider provider-load
    ;;
esac
SIGNET_BIN_DIR="$PWD/build/release/bin" exec /usr/bin/python3 -B -m tests.bench.bench "$@"
