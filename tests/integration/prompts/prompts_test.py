"""A person is asked: one prompt for what is equal, a choice of all that fits, a PIN that goes to its
token unread, and nobody waits longer than the deadline. What a person does is scripted; that the
window does it is tested beside it."""
import json
import shutil
import subprocess
import time
import unittest

from tests.support.prompter import Prompter
from tests.support.stand import BIN, PIN, Stand, wait_for

DEADLINE = 5  # seconds; signet-fetch's own is 30


class Prompts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = cls.enterClassContext(Stand())
        cls.stand.make_token()
        cls.stand.add_software()
        cls.prompter = Prompter(cls.stand)
        cls.stand.start_agent()
        assert cls.stand.unlock().code == 0
        cls.stand.enrol("laptop", "file", "device")
        cls.stand.enrol("alice", "card", "user")
        cls.stand.enrol("bob", "file", "user")

    def setUp(self):
        # A new port is a new origin: no rule of another test holds there.
        self.stand.start_gateway(require=("/user=user", "/both=user,device"))

    def ask(self, *identities):
        for identity in identities:
            self.stand.must("policy", "ask", self.stand.origin, "--identity", identity)

    def start_fetch(self, path, *options, program=BIN / "signet-fetch"):
        return subprocess.Popen(
            [program, "--cacert", self.stand.dir / "ca" / "server.pem", "--json",
             "--verbose", *options, self.stand.origin + path], env=self.stand.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def unlocks(self, proofs=1):
        """The tries of the PIN since the token was locked, when so many proofs are on record, too."""
        wait_for("the records", lambda: len(self.stand.records(
            event="authenticate", outcome="authenticated", origin=self.stand.origin)) == proofs)
        events = [record["event"] for record in self.stand.records()]
        return events[::-1][:events[::-1].index("lock")].count("unlock")

    def test_OnePinServesTwentyRequestsAtOnce(self):
        self.stand.allow("alice")
        self.stand.must("token", "lock", "card")
        go = self.stand.dir / "go"
        self.prompter.does(f"wait {go}", f"choose 0 {PIN}")
        fetches = [self.start_fetch("/user") for _ in range(20)]
        wait_for("the prompt", self.prompter.shown)
        go.touch()
        outcomes = [fetch.communicate() for fetch in fetches]
        go.unlink()
        self.assertEqual([fetch.returncode for fetch in fetches], [0] * 20, outcomes)
        self.assertEqual(self.prompter.prompts(), 1)
        self.assertEqual(self.unlocks(proofs=20), 1, "one try of the PIN")
        self.assertNotIn("consent: true", self.prompter.shown()[0], "no rule asks")

    def test_APersonChoosesAmongAllThatFit(self):
        self.ask("alice", "bob")
        self.prompter.does("choose 0")
        first = self.stand.fetch("/user").json["identities"]
        self.prompter.does("choose 1")
        second = self.stand.fetch("/user").json["identities"]
        self.assertEqual({first[0]["name"], second[0]["name"]}, {"alice", "bob"})
        shown = self.prompter.shown()[0]
        for part in (self.stand.origin, "signet-fetch", "CN=alice", "CN=bob", "a file", "consent: true"):
            self.assertIn(part, shown)

    def test_AWrongPinIsSaidAndMayBeCorrected(self):
        self.stand.allow("alice")
        self.stand.must("token", "lock", "card")
        self.prompter.does("choose 0 000000", "receive", "receive", f"choose 0 {PIN}")
        self.assertEqual(self.stand.fetch("/user").json["identities"][0]["name"], "alice")
        self.assertEqual(self.unlocks(), 2)
        self.assertEqual(sum("got refuse" in line for line in self.prompter.log()), 1)
        for text in (self.stand.log("signetd"), "\n".join(self.prompter.log()),
                     self.stand.must("audit", "list", "--json").out):
            self.assertNotIn(PIN, text)
            self.assertNotIn("000000", text.replace("000000000", ""))

    def test_ANoDeclinesAndThreeSilenceTheProgram(self):
        self.ask("bob")
        self.prompter.does("leave")
        # A program of its own: the others' tests must not be silenced with it.
        program = shutil.copy2(BIN / "signet-fetch", self.stand.dir / "pest")
        reasons = [json.loads(self.start_fetch("/user", program=program).communicate()[0])
                   ["declined"][0]["reason"] for _ in range(4)]
        self.assertEqual(reasons, ["consent", "consent", "consent", "limit"])
        self.assertEqual(self.prompter.prompts(), 3)

    def test_ASilentPersonHoldsTheDeviceNoLongerThanTheDeadline(self):
        self.ask("bob")
        self.stand.allow("laptop")
        self.prompter.does()
        begun = time.monotonic()
        out, log = self.start_fetch("/both", "--deadline", str(DEADLINE)).communicate()
        took = time.monotonic() - begun
        said = json.loads(out)
        self.assertEqual([d["reason"] for d in said["declined"]], ["deadline"])
        self.assertEqual([i["name"] for i in said["identities"]], ["laptop"])
        self.assertEqual((said["certificates_sent"], said["empty_sent"]), (1, 1))
        self.assertRegex(log, "(?m)^> authenticator 2: proved device")
        self.assertGreater(took, DEADLINE - 0.5)
        self.assertLess(took, 25)  # less than without a deadline of its own, on a slow machine
        wait_for("the prompt to close", lambda: self.prompter.log()[-1:] == ["closed"])

    def test_WhoLeavesTakesThePromptAlong(self):
        self.ask("bob")
        self.prompter.does()
        fetch = self.start_fetch("/user")
        wait_for("the prompt", self.prompter.shown)
        fetch.kill()
        fetch.communicate()
        wait_for("the prompt to close", lambda: self.prompter.log()[-1:] == ["closed"])

    def test_WhatIsUnlockedElsewhereIsNotAskedForAnyMore(self):
        self.stand.allow("alice")
        self.stand.must("token", "lock", "card")
        self.prompter.does()
        fetch = self.start_fetch("/user")
        wait_for("the prompt", self.prompter.shown)
        self.assertEqual(self.stand.unlock().code, 0)
        outcome = fetch.communicate()
        self.assertEqual(fetch.returncode, 0, outcome)
        wait_for("the prompt to close", lambda: self.prompter.log()[-1:] == ["closed"])
        self.assertEqual(self.unlocks(), 1)

    def test_NothingOfTheCallerReachesThePrompter(self):
        self.ask("bob")
        self.prompter.does("choose 0")
        self.stand.environment.update(DISPLAY=":666", WAYLAND_DISPLAY="evil", GPG_TTY="/dev/evil",
                                      XAUTHORITY="/evil", LD_PRELOAD="")
        try:
            self.assertEqual(self.stand.fetch("/user").code, 0)
        finally:
            for name in ("DISPLAY", "WAYLAND_DISPLAY", "GPG_TTY", "XAUTHORITY", "LD_PRELOAD"):
                self.stand.environment.pop(name)
        environment = [line for line in self.prompter.log() if line.startswith("env ")]
        self.assertIn("env DISPLAY=:77", environment)
        self.assertNotIn("evil", str(environment))
        self.assertNotIn("666", str(environment))

    def test_WithoutAPrompterTheAnswerIsThereAtOnce(self):
        self.ask("bob")
        program = self.prompter.folder / "signet-prompter"
        program.rename(program.with_suffix(".away"))
        try:
            declined = self.stand.fetch("/user").json["declined"]
        finally:
            program.with_suffix(".away").rename(program)
        self.assertEqual([d["reason"] for d in declined], ["consent"])
        self.assertIn("nobody can be asked", declined[0]["detail"])
        self.assertIn("install", declined[0]["detail"])


if __name__ == "__main__":
    unittest.main()
