"""What the agent records of its decisions, and what is left of it after a crash, an intruder and a
full disk."""
import base64
import json
import os
import re
import signal
import subprocess
import unittest

from tests.support import agent_socket
from tests.support.stand import BIN, PIN, Stand, rule, wait_for

HANDSHAKE_CONTEXT = b"a handshake context of 32 bytes!"
WRONG_PIN = "1357902468"
REQUEST_CONTEXT = b"the context of a request"


def heads(log):
    return re.findall(r"^audit: head=([0-9a-f]{64}) records=\d+$", log, re.M)


def field(number, value):
    return bytes([number << 3 | 2, len(value)]) + value


def ask(stand, origin):
    """An authenticate call whose secrets are known."""
    extensions = bytes.fromhex("000d000400020403")
    body = bytes([len(REQUEST_CONTEXT)]) + REQUEST_CONTEXT + len(extensions).to_bytes(2, "big") + extensions
    request = b"\x0d" + len(body).to_bytes(3, "big") + body
    call = b"\x08\x01" + field(2, HANDSHAKE_CONTEXT) + field(3, request) + field(4, origin.encode())
    with agent_socket.connect(stand) as connection:
        connection.sendall(agent_socket.frame(b"\x08\x01" + field(2, call)))
        return agent_socket.receive(connection)


class Trail(unittest.TestCase):
    def files(self):
        return sorted((self.stand.dir / "state/audit").iterdir())

    def lines(self):
        return [json.loads(line) for file in self.files() for line in file.read_text().splitlines()]

    def verify(self, *options):
        return self.stand.signet("audit", "verify", "--state-dir", self.stand.dir / "state", *options)


class Decisions(Trail):
    @classmethod
    def setUpClass(cls):
        cls.stand = cls.enterClassContext(Stand())
        cls.stand.add_software()
        cls.stand.make_token()
        cls.stand.rules = [rule("https://localhost:*", "alice", "deny")]
        cls.stand.start_agent()
        assert cls.stand.unlock(pin=WRONG_PIN).code == 6
        assert cls.stand.unlock().code == 0
        cls.stand.enrol("laptop", "file", "device")
        cls.stand.enrol("alice", "card", "user")
        cls.stand.start_gateway(require=("/device=device", "/user=user"))
        cls.stand.allow("laptop")

    def test_ARecordSaysWhoGotWhatWhereAndByWhichRule(self):
        self.assertEqual(self.stand.fetch("/device").json["certificates_sent"], 1)
        given = self.stand.wait_for_record(outcome="authenticated")
        self.assertEqual((given["event"], given["identity"], given["origin"], given["program"], given["uid"]),
                         ("authenticate", "laptop", self.stand.origin, str(BIN / "signet-fetch"), os.getuid()))
        self.assertEqual(given["gid"], os.getgid())
        self.assertGreater(given["start_time"], 0)
        self.assertGreater(given["duration_us"], 0)
        file, line = given["rule"].rsplit(":", 1)
        self.assertEqual(file, str(self.stand.dir / "state/policy.toml"))
        self.assertEqual(open(file).read().splitlines()[int(line) - 1], "[[rule]]")

        self.assertEqual(self.stand.fetch("/user").json["certificates_sent"], 0)
        denied = self.stand.wait_for_record(outcome="denied", identity="alice", origin=self.stand.origin)
        line = int(denied["rule"].removeprefix(f"{self.stand.config}:"))
        self.assertEqual(self.stand.config.read_text().splitlines()[line - 1], "[[rule]]")
        listed = self.stand.must("audit", "list", "--outcome", "denied").out
        self.assertIn(denied["rule"], listed)

    def test_UnlockingAndAdministrationAreRecorded(self):
        added = self.stand.wait_for_record(event="rule-add", identity="laptop")
        unlocking = [(r["backend"], r["outcome"]) for r in self.stand.records(event="unlock")]
        self.assertEqual(unlocking, [("card", "wrong-pin"), ("card", "done")])
        for event in ("identity-create", "identity-csr", "identity-import"):
            done = [r["identity"] for r in self.stand.records(event=event)]
            self.assertEqual(done, ["laptop", "alice"])
        self.assertEqual((added["detail"], added["origin"]), ("allow", self.stand.origin))
        self.assertEqual(added["program"], str(BIN / "signet"))
        self.assertEqual(self.stand.signet("identity", "remove", "nobody", "--yes").code, 5)
        self.stand.wait_for_record(event="identity-remove", identity="nobody", outcome="not-found")
        self.stand.processes["signetd"].send_signal(signal.SIGHUP)
        self.stand.wait_for_record(event="reload", outcome="done")
        good = self.stand.config.read_text()
        self.stand.config.write_text(good + "colour = 1\n")
        self.stand.processes["signetd"].send_signal(signal.SIGHUP)
        refused = self.stand.wait_for_record(event="reload", outcome="refused")
        self.assertIn("colour", refused["detail"])
        self.stand.config.write_text(good)

    def test_NothingSecretIsInIt(self):
        answer = ask(self.stand, "https://secrets.example")
        self.assertIn(b"signet policy allow https://secrets.example", answer)  # it was read, and denied
        self.stand.wait_for_record(origin="https://secrets.example")
        written = b"".join(file.read_bytes() for file in self.files()) + self.stand.log("signetd").encode()
        written = re.sub(rb"[0-9a-f]{64}", b"", written)  # hashes may hold any six digits
        for secret in (PIN.encode(), WRONG_PIN.encode(), HANDSHAKE_CONTEXT, REQUEST_CONTEXT):
            for form in (secret, secret.hex().encode(), secret.hex().upper().encode(),
                         base64.b64encode(secret).rstrip(b"=")):
                self.assertNotIn(form, written)


class Life(Trail):
    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.stand.add_software()
        self.stand.start_agent()

    def change(self, edit):
        """Does to the lines of the file what an intruder does."""
        [file] = self.files()
        lines = file.read_text().splitlines(keepends=True)
        edit(lines)
        file.write_text("".join(lines))

    def test_TheChainGoesOnOverRestartsAndIsVerifiedWithoutAnAgent(self):
        for number in range(3):
            self.stand.must("identity", "create", f"a{number}", "--backend", "file", "--kind", "user")
            self.stand.stop("signetd")
            self.stand.start_agent()
        self.stand.wait_for_record(event="start", seq=10)
        self.assertEqual(self.verify().code, 0)  # while it runs
        self.stand.stop("signetd")
        noted = heads(self.stand.log("signetd"))
        self.assertEqual(len(noted), 4, "one for each stop")
        verified = self.verify("--json", *[o for head in noted for o in ("--head", head)])
        self.assertEqual(verified.code, 0, verified)
        self.assertEqual(verified.json["head"], noted[-1])
        self.assertEqual(verified.json["records"], len(self.lines()))
        self.assertEqual([r["event"] for r in self.lines()], ["start", "identity-create", "stop"] * 3 + ["start", "stop"])

    def test_WhatAnIntruderDidIsFound(self):
        for name in ("a", "b", "c"):
            self.stand.must("identity", "create", name, "--backend", "file", "--kind", "user")
        self.stand.stop("signetd")
        [head] = heads(self.stand.log("signetd"))
        [file] = self.files()
        whole = file.read_text()
        self.assertEqual(self.verify("--head", head).code, 0)

        def edit(lines):
            lines[2] = lines[2].replace('"identity":"b"', '"identity":"x"')
        for change, place in ((edit, ":3: was changed"),
                              (lambda lines: lines.pop(1), ":2: record 2 should stand before it"),
                              (lambda lines: lines.insert(1, lines.pop(2)), ":2: is out of its place")):
            self.change(change)
            outcome = self.verify()
            self.assertEqual(outcome.code, 1, outcome)
            self.assertIn(f"broken: {file}{place}", outcome.out)
            file.write_text(whole)
        self.change(lambda lines: lines.pop())
        self.assertEqual(self.verify().code, 0)
        outcome = self.verify("--head", head)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn(head, outcome.out)

    def test_AHalfWrittenLineIsKeptAndTheChainGoesOnAfterIt(self):
        self.stand.must("identity", "create", "a", "--backend", "file", "--kind", "user")
        self.stand.wait_for_record(event="identity-create")
        self.stand.stop("signetd", signal.SIGKILL)
        [file] = self.files()
        file.write_bytes(file.read_bytes()[:-20])
        self.stand.start_agent()
        self.stand.wait_for_record(event="start", seq=3)
        outcome = self.verify()
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn(f"note: {file}:2: half-written", outcome.out)
        listed = self.stand.signet("audit", "list")
        self.assertEqual(listed.code, 0)
        self.assertIn(f"{file}:2: no record", listed.err)


@unittest.skipUnless(subprocess.run(["unshare", "--mount", "true"]).returncode == 0,
                     "this machine lets nobody mount")
class FullDisk(Trail):
    def start(self, *sections):
        self.stand = self.enterContext(Stand())
        self.stand.add_software()
        self.stand.rules = [rule("https://localhost:*", "*", "allow"), *sections]
        self.stand.write_config()
        state = self.stand.dir / "state"
        state.mkdir()
        mount = f"mount -t tmpfs -o size=256k,mode=700 none {state} && exec \"$@\""
        self.agent = self.stand.start(
            "signetd", "unshare", "--mount", "sh", "-c", mount, "sh", BIN / "signetd", "--config", self.stand.config,
            "--runtime-dir", self.stand.dir / "run", "--state-dir", state).pid
        wait_for("the agent", lambda: self.stand.signet("status").code == 0)
        self.stand.enrol("alice", "file", "user")
        self.stand.start_gateway(require=("/user=user",))

    def in_its_mounts(self, *command):
        return subprocess.run(["nsenter", f"--mount=/proc/{self.agent}/ns/mnt", *map(str, command)],
                              capture_output=True, text=True, env=self.stand.environment)

    def fill(self):
        """Records go on until the page is full that the file has already."""
        self.in_its_mounts("dd", "if=/dev/zero", f"of={self.stand.dir}/state/filler", "bs=1k")
        def fails():
            ask(self.stand, "https://full.example")  # quicker than a process
            return "the trail can't be written: " in self.stand.log("signetd")
        wait_for("a full disk", fails)

    def make_room(self):
        self.in_its_mounts("rm", self.stand.dir / "state/filler")
        wait_for("the trail", lambda: "the trail is written again" in self.stand.log("signetd"))

    def check_trail(self):
        self.stand.fetch("/user")
        done = self.in_its_mounts(BIN / "signet", "audit", "verify")
        self.assertEqual(done.returncode, 0, done)
        listed = self.in_its_mounts(BIN / "signet", "audit", "list", "--json")
        return [r["outcome"] for r in json.loads(listed.stdout)["records"] if r.get("origin") == self.stand.origin]

    def test_SigningGoesOnAndNoRecordIsLost(self):
        self.start()
        self.fill()
        self.assertIn("No space left on device; make room", self.stand.log("signetd"))
        self.assertIn("signing goes on", self.stand.log("signetd"))
        for _ in range(3):
            self.assertEqual(self.stand.fetch("/user").json["certificates_sent"], 1)
        self.make_room()
        said = self.stand.log("signetd").count("event=authenticate outcome=authenticated")
        self.assertGreaterEqual(self.check_trail().count("authenticated"), said)

    def test_WhereRecordsAreRequiredNothingIsProvedUntilThereIsRoom(self):
        self.start("[audit]\nrequired = true\n")
        self.assertEqual(self.stand.fetch("/user").json["certificates_sent"], 1)
        self.fill()
        [declined] = self.stand.fetch("/user").json["declined"]
        self.assertEqual(declined["reason"], "denied")
        self.assertIn("No space left on device; make room", declined["detail"])
        self.assertIn("[audit] required", declined["detail"])
        self.make_room()
        self.assertEqual(self.stand.fetch("/user").json["certificates_sent"], 1)
        self.assertIn("denied", self.check_trail())


@unittest.skipUnless(subprocess.run(["unshare", "--mount", "true"]).returncode == 0,
                     "this machine lets nobody mount")
class Journal(Trail):
    """systemd's journald of its own, on folders of its own."""

    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.stand.add_software()
        self.stand.write_config()
        mount = ("mount -t tmpfs none /run && mount -t tmpfs none /var/log && "
                 "mkdir -p /run/log /run/systemd/journal && exec /lib/systemd/systemd-journald")
        journald = self.stand.start("journald", "unshare", "--mount", "sh", "-c", mount)
        self.journal = journald.pid
        wait_for("journald", lambda: journald.poll() is not None or
                 self.beside("test", "-S", "/run/systemd/journal/socket").returncode == 0)
        if journald.poll() is not None:
            self.skipTest("systemd-journald does not run here: " + self.stand.log("journald").strip())
        # As systemd.exec(5) does; systemd-cat of Debian 12 leaves the variable out.
        tell = 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"'
        self.stand.start("signetd", *self.enter(), "systemd-cat", "-t", "signetd", "sh", "-c", tell, "sh",
                         BIN / "signetd", "--config", self.stand.config, "--runtime-dir", self.stand.dir / "run",
                         "--state-dir", self.stand.dir / "state")
        wait_for("the agent", lambda: self.stand.signet("status").code == 0)

    def enter(self):
        return "nsenter", f"--mount=/proc/{self.journal}/ns/mnt"

    def beside(self, *command):
        return subprocess.run([*self.enter(), *command], capture_output=True, text=True)

    def entries(self, *matches):
        def read():
            found = self.beside("sh", "-c", 'journalctl -D /run/log/journal/* -o json "$@"', "sh", *matches)
            return [json.loads(line) for line in found.stdout.splitlines()]
        return wait_for(f"entries with {matches}", read)

    def test_RecordsAreEntriesWithFieldsAndSoAreHeads(self):
        self.stand.must("identity", "create", "alice", "--backend", "file", "--kind", "user")
        [entry] = self.entries("SIGNET_EVENT=identity-create")
        self.assertEqual((entry["SIGNET_IDENTITY"], entry["SIGNET_OUTCOME"], entry["SIGNET_BACKEND"],
                          entry["SIGNET_CALLER_UID"], entry["SIGNET_PROGRAM"], entry["SYSLOG_IDENTIFIER"]),
                         ("alice", "done", "file", str(os.getuid()), str(BIN / "signet"), "signetd"))
        self.assertEqual(entry["_PID"], str(self.stand.processes["signetd"].pid))
        self.assertIn("event=identity-create", entry["MESSAGE"])
        self.stand.stop("signetd")
        [noted] = self.entries("SIGNET_EVENT=head")
        verified = self.verify("--json", "--head", noted["SIGNET_HEAD"])
        self.assertEqual(verified.code, 0, verified)
        self.assertEqual(verified.json["head"], noted["SIGNET_HEAD"])
        self.assertEqual(int(noted["SIGNET_RECORDS"]), verified.json["last"])


if __name__ == "__main__":
    unittest.main()
