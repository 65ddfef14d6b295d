# Part of packaging/demo.sh, which has started a TPM and a token and made two authorities: a person
# logs in to a web site in the middle of a connection.

say "3. A web site behind signet-gateway: a page for anyone, and a link to log in"
/usr/bin/python3 packaging/desktop/site.py >"$dir/site.out" 2>"$dir/site.log" &
pids+=($!)
await "the site" test -s "$dir/site.out"
cp "$dir/ca/user.pem" "$dir/ca/user-ca.pem"
sed "s/127.0.0.1:8443/127.0.0.1:0/; s/:8080/:$(tr -dc 0-9 <"$dir/site.out")/" \
  packaging/desktop/gateway.toml >"$dir/ca/gateway.toml"
"$bin/signet-gateway" --config "$dir/ca/gateway.toml" >"$dir/gateway.out" 2>"$dir/gateway.log" &
pids+=($!)
await "the gateway" test -s "$dir/gateway.out"
origin=https://localhost:$(sed 's/.*:\([0-9]*\)".*/\1/' "$dir/gateway.out")
echo "  listening at $origin; packaging/desktop/gateway.toml says what it asks for, and where"

say "4. signetd, the agent, with a rule that asks you"
cat >"$dir/signet.toml" <<TOML
[prompts]
$place

[[rule]]
origin = "$origin"
identity = "*"
decision = "ask"

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
"$bin/signetd" --config "$dir/signet.toml" --policy-dir "$dir/policy.d" --runtime-dir "$dir/run" \
  --state-dir "$dir/state" >"$dir/signetd.log" 2>&1 &
pids+=($!)
export SIGNET_RUNTIME_DIR=$dir/run
await "the agent" "$bin/signet" status

say "5. Two certificates for you, one for this computer; the card wants its PIN again afterwards"
printf 1234 | "$bin/signet" token unlock card --pin-stdin >/dev/null
enrol alice card user "/O=Example/CN=Alice"
enrol work tpm user "/O=Example/CN=Alice at work"
enrol laptop tpm device "/O=Example/CN=laptop-0042"
"$bin/signet" token lock card >/dev/null
run "$bin/signet" identity list

say "6. One connection: the page for anyone, the click on the link, your account"
echo "  Now you are asked. The card's PIN is 1234; the computer's certificate does not fit and is not shown."
"$bin/signet-fetch" --cacert "$dir/ca/server.pem" --deadline 120 --json \
  "$origin/" "$origin/login" "$origin/account" >"$dir/fetch.json" 2>"$dir/fetch.log" || [ $? -eq 22 ]
/usr/bin/python3 - "$dir/fetch.json" <<'PYTHON'
import html, json, re, sys
said = json.load(open(sys.argv[1]))
for response in said["responses"]:
    text = html.unescape(re.sub("<[^>]*>", " ", response["body"].partition("</title>")[2]))
    print(f"  GET {response['url']} -> {response['status']}\n      {' '.join(text.split())}")
for identity in said["identities"]:
    print(f"  proved {identity['kind']}: {identity['subject']} ({identity['name']})")
for declined in said["declined"]:
    print(f"  declined: {declined['detail']}")
sys.exit(0 if len(said["responses"]) == 3 else 1)
PYTHON

say "Done. One connection throughout, and no page but the one behind the link asked for anything."
