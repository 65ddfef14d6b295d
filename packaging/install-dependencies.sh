#!/usr/bin/env bash
# Installs what Signet needs from Debian 12's own packages. Does nothing when all of it is there.
#
# usage: packaging/install-dependencies.sh [build|demo|test|bench]...     (default: all but bench)
set -euo pipefail

build=(cmake ninja-build g++ pkg-config libasio-dev libabsl-dev libprotobuf-dev protobuf-compiler
  protobuf-compiler-grpc libgrpc++-dev nanopb libnanopb-dev libssl-dev libtss2-dev libp11-kit-dev
  libsystemd-dev libassuan-dev libtomlplusplus-dev libcli11-dev libnghttp2-dev libhttp-parser-dev
  libcjose-dev libcurl4-openssl-dev libgnutls28-dev libnghttp3-dev libngtcp2-dev
  libngtcp2-crypto-gnutls-dev libgtk-4-dev nlohmann-json3-dev scdoc libgtest-dev libgmock-dev python3)
demo=(swtpm softhsm2 openssl pinentry-curses)
test=(ccache git clang-14 clang-format-14 clang-tidy-16 libclang-rt-14-dev swtpm swtpm-tools
  tpm2-tools tpm2-openssl softhsm2 opensc opensc-pkcs11 pcscd vsmartcard-vpcd openssl binutils
  util-linux procps systemd groff-base curl python3-cryptography python3-protobuf
  android-libboringssl-dev python3-h2 python3-openssl nginx-light
  dbus-bin dbus-daemon python3-dbus python3-dbusmock pinentry-curses pinentry-tty python3-pyte
  nodejs npm xvfb xdotool at-spi2-core gir1.2-atspi-2.0 python3-gi fonts-dejavu-core)
bench=(openssh-client swtpm tpm2-tools softhsm2 openssl binutils)

case "${1:-}" in -h | --help) sed -n '2,4s/^# \?//p' "$0"; exit 0 ;; esac
[ $# -gt 0 ] || set -- build demo test

wanted=()
for group in "$@"; do
  case "$group" in
    build) wanted+=("${build[@]}") ;;
    demo) wanted+=("${demo[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    *) echo "install-dependencies: no group '$group': build, demo, test or bench" >&2; exit 2 ;;
  esac
done

# Each on a line, with what it provides: a nodejs that is not Debian's has npm in it.
installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}, ${Provides}\n' |
  sed -n 's/^installed //p' | tr ',' '\n' | sed 's/^ *//; s/ .*//')
missing=()
for package in "${wanted[@]}"; do
  grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "install-dependencies: as root, run: apt-get install ${missing[*]}" >&2
    exit 1
  }
  root=(sudo)
fi
echo "installing ${#missing[@]} packages: ${missing[*]}" >&2
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
