#!/usr/bin/env bash
# Shows the main job on this machine: a server asks for a device and a user certificate in the
# middle of an HTTP/2 connection; a TPM and a PKCS#11 token answer. Then a server proves a second
# origin. Installs, builds, starts all in a private folder, stops it again, leaves nothing behind.
#
# usage: packaging/demo.sh [--desktop] [--keep] [--bin FOLDER]
#   --desktop     a person logs in to a web site: asks you, in a window or on this terminal
#   --keep        leave the private folder (logs, keys, certificates) for a look
#   --bin FOLDER  the programs there, in place of installing and building
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."

keep=no desktop=no bin=
while [ $# -gt 0 ]; do
  case "$1" in
    --desktop) desktop=yes ;;
    --keep) keep=yes ;;
    --bin)
      bin=$(cd "$here" && realpath -- "${2:-nothing}")
      [ -x "$bin/signetd" ] || { echo "demo.sh: no signetd in '${2:-}'; see --help" >&2; exit 2; }
      shift
      ;;
    -h | --help) sed -n '2,9s/^# \?//p' "$0"; exit 0 ;;
    *) echo "demo.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
  esac
  shift
done
# Before minutes of building: can anybody be asked?
[ $desktop = no ] || . packaging/desktop/place.sh

bold=$(tput bold 2>/dev/null || true) plain=$(tput sgr0 2>/dev/null || true)
[ -t 1 ] || bold='' plain=''
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
run() { printf '  $ %s\n' "${*/#"$bin/"/}"; "$@" | sed 's/^/    /'; }

if [ -z "$bin" ]; then
  say "Building (the first time takes some minutes)"
  packaging/install-dependencies.sh build demo
  cmake --preset release --log-level=WARNING >/dev/null
  cmake --build --preset release -j "$(nproc)" --target signetd signet_cli signet-backend \
    signet-fetch signet-gateway ${prompter:+"$prompter"} | tail -n 1
  bin=$PWD/build/release/bin
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/signet-demo.XXXXXX")
pids=()
stop() {
  status=$?
  trap - EXIT INT TERM
  [ $status -eq 0 ] || { say "Failed. The last lines of each log:"; tail -n 5 "$dir"/*.log; }
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [ $keep = yes ]; then say "Left in $dir"; else rm -rf "$dir"; fi
  exit $status
}
trap stop EXIT
trap 'exit 130' INT TERM

# Waits until a condition holds, at most 60 s.
await() { # what, command...
  local what=$1
  shift
  for _ in $(seq 600); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  echo "demo.sh: waited 60 s for $what" >&2
  return 1
}

enrol() { # name, backend, kind, subject
  run "$bin/signet" identity create "$1" --backend "$2" --kind "$3" --algorithm p256
  "$bin/signet" identity csr "$1" --subject "$4" --out "$dir/ca/$1.csr" >/dev/null
  openssl x509 -req -in "$dir/ca/$1.csr" -CA "$dir/ca/$3.pem" -CAkey "$dir/ca/$3.key" \
    -CAcreateserial -days 1 -out "$dir/ca/$1.pem" 2>>"$dir/openssl.log" -extfile <(
    printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n')
  run "$bin/signet" identity import "$1" "$dir/ca/$1.pem"
}

say "1. A TPM (the swtpm simulator) and a smartcard (the SoftHSM token), both empty"
mkdir "$dir/tpm" "$dir/token" "$dir/ca"
swtpm socket --tpm2 --tpmstate dir="$dir/tpm" --server type=unixio,path="$dir/tpm.sock" \
  --ctrl type=unixio,path="$dir/tpm.sock.ctrl" --flags not-need-init,startup-clear \
  >"$dir/swtpm.log" 2>&1 &
pids+=($!)
await "the TPM's socket" test -S "$dir/tpm.sock"
export SOFTHSM2_CONF=$dir/softhsm2.conf
printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$dir/token" >"$SOFTHSM2_CONF"
softhsm2-util --init-token --free --label card --so-pin 12345678 --pin 1234 >"$dir/softhsm.log"
module=$(ls /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so 2>/dev/null | head -n 1)
echo "  TPM at $dir/tpm.sock, token 'card' in $module"

say "2. Two throw-away certificate authorities, one for devices and one for people, and a server key"
for ca in device user; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj "/CN=Demo $ca CA" -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout "$dir/ca/$ca.key" -out "$dir/ca/$ca.pem" 2>>"$dir/openssl.log"
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout "$dir/ca/server.key" -out "$dir/ca/server.pem" \
  2>>"$dir/openssl.log"
echo "  in $dir/ca"

if [ $desktop = yes ]; then
  . packaging/desktop/demo.sh
  exit
fi

say "3. signetd, the agent: it alone talks to the TPM and to the token"
cat >"$dir/signet.toml" <<TOML
[[backend]]
name = "tpm"
type = "tpm2"
tcti = "swtpm:path=$dir/tpm.sock"

[[backend]]
name = "card"
type = "pkcs11"
module = "$module"
token = "card"
TOML
"$bin/signetd" --config "$dir/signet.toml" --runtime-dir "$dir/run" --state-dir "$dir/state" \
  >"$dir/signetd.log" 2>&1 &
pids+=($!)
export SIGNET_RUNTIME_DIR=$dir/run
await "the agent" "$bin/signet" status
printf '  $ signet token unlock card --pin-stdin\n'
printf 1234 | "$bin/signet" token unlock card --pin-stdin | sed 's/^/    /'
run "$bin/signet" status

say "4. A key in the TPM and a key on the token, each certified for what it is"
enrol laptop tpm device "/O=Example/CN=laptop-0042"
enrol alice card user "/O=Example/CN=Alice"
run "$bin/signet" identity list

say "5. signet-gateway, a web server that wants both certificates for /login and for nothing else"
"$bin/signet-gateway" --listen 127.0.0.1:0 --cert "$dir/ca/server.pem" --key "$dir/ca/server.key" \
  --require "/login=$dir/ca/device.pem,$dir/ca/user.pem" >"$dir/gateway.out" 2>"$dir/gateway.log" &
pids+=($!)
await "the gateway" test -s "$dir/gateway.out"
port=$(sed 's/.*:\([0-9]*\)".*/\1/' "$dir/gateway.out")
origin=https://localhost:$port
echo "  listening at $origin"

say "6. Nobody gets a certificate unasked for: the person allows this site, once"
run "$bin/signet" policy allow "$origin" --identity laptop
run "$bin/signet" policy allow "$origin" --identity alice

say "7. One connection, three requests: /, /login, /whoami. Only /login makes the server ask"
"$bin/signet-fetch" --cacert "$dir/ca/server.pem" --json \
  "$origin/" "$origin/login" "$origin/whoami" >"$dir/fetch.json"
/usr/bin/python3 - "$dir/fetch.json" <<'PYTHON'
import json, sys
said = json.load(open(sys.argv[1]))
for response in said["responses"]:
    print(f"  GET {response['url']} -> {response['status']}")
    print(f"      {response['body'].strip()}")
print(f"  authenticator requests: {said['authenticator_requests']}, "
      f"certificates sent: {said['certificates_sent']}, declined: {said['empty_sent']}")
for identity in said["identities"]:
    print(f"  proved {identity['kind']}: {identity['subject']} ({identity['name']})")
statuses = [response["status"] for response in said["responses"]]
sys.exit(0 if statuses == [200, 200, 200] and said["certificates_sent"] == 2 else 1)
PYTHON

say "8. The other way: a server, shop.test, proves on one connection that it is pay.test, too"
for host in shop pay; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj "/CN=$host.test" -addext "subjectAltName=DNS:$host.test" \
    -keyout "$dir/ca/$host.key" -out "$dir/ca/$host.pem" 2>>"$dir/openssl.log"
done
cat "$dir"/ca/{shop,pay}.pem >"$dir/ca/sites.pem"
printf '%s\n' 'listen = "127.0.0.1:0"' 'cert = "shop.pem"' 'key = "shop.key"' \
  '[[server_certificate]]' 'cert = "pay.pem"' 'key = "pay.key"' >"$dir/ca/sites.toml"
"$bin/signet-gateway" --config "$dir/ca/sites.toml" >"$dir/sites.out" 2>"$dir/sites.log" &
pids+=($!)
await "the second gateway" test -s "$dir/sites.out"
port=$(sed 's/.*:\([0-9]*\)".*/\1/' "$dir/sites.out")
"$bin/signet-fetch" --cacert "$dir/ca/sites.pem" --no-agent --json \
  --resolve "shop.test:$port:127.0.0.1" --resolve "pay.test:$port:127.0.0.1" \
  "https://shop.test:$port/" "https://pay.test:$port/" >"$dir/sites.json"
/usr/bin/python3 - "$dir/sites.json" <<'PYTHON'
import json, sys
responses = json.load(open(sys.argv[1]))["responses"]
for response in responses:
    print(f"  GET {response['url']} -> {response['status']}, connection {response['connection']} "
          f"({response['use']}): {response['why']}")
sys.exit(0 if [each["use"] for each in responses] == ["new", "coalesced"] else 1)
PYTHON

say "Done. The client's signatures, in one TLS connection, were made in hardware (here: simulators)."
