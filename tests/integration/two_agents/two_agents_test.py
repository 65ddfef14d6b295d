"""The agents of two users and that of the system: one socket gives both, and nobody another's.

docs/two-agents.md; threats of DESIGN.md section 7: another user.
"""
import json
import os
import shutil
import signal
import subprocess
import unittest

from tests.support.stand import BIN, Outcome, Stand, rule, wait_for

ALICE, BOB, STRANGER = 4801, 4802, 4803  # the system agent admits the first two
USERS = {ALICE: "alice", BOB: "bob", STRANGER: "carol"}


def as_uid(uid, *command):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *map(str, command)]


@unittest.skipUnless(os.getuid() == 0, "only root can act as several users")
class TwoAgents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = stand = cls.enterClassContext(Stand())
        cls.client = stand.dir / "client"  # a program of which a rule can tell one from another
        shutil.copy(BIN / "signet-fetch", cls.client)
        stand.start_tpm()
        stand.access = f"[access]\nuse = [0, {ALICE}, {BOB}]\nadmin = [0]\n"
        stand.rules = [rule("https://localhost:*", "laptop", "allow")]
        stand.start_agent()
        stand.enrol("laptop", "tpm", "device")
        stand.enrol("hidden", "tpm", "device")  # no rule there admits it
        for uid, name in USERS.items():
            cls.start_users_agent(uid)
            cls.enrol(uid, name)
        stand.start_gateway(require=("/login=device,user", "/device=device", "/user=user"))
        wait_for("the device's identity", lambda: "system.laptop" in cls.identities(ALICE))
        wait_for("the device's identity", lambda: "system.laptop" in cls.identities(BOB))

    @classmethod
    def folder(cls, uid):
        return cls.stand.dir / f"home-{uid}"

    @classmethod
    def start_users_agent(cls, uid):
        folder = cls.folder(uid)
        folder.mkdir(exist_ok=True)
        os.chown(folder, uid, uid)
        config = folder / "signet.toml"
        config.write_text(
            f'[[backend]]\nname = "file"\ntype = "software"\n[[backend]]\nname = "system"\n'
            f'type = "agent"\nsocket = "{cls.stand.dir}/run/agent.sock"\n' +
            rule("https://localhost:*", "system.laptop", "allow") +
            rule("https://localhost:*", USERS[uid], "allow", program=cls.client))
        cls.stand.start(f"signetd-{uid}", *as_uid(
            uid, BIN / "signetd", "--config", config, "--policy-dir", folder / "policy.d",
            "--runtime-dir", folder / "run", "--state-dir", folder / "state"))
        wait_for("the agent", lambda: cls.signet(uid, "status").code == 0)

    @classmethod
    def run_as(cls, uid, *command, agent_of=None):
        environment = dict(cls.stand.environment, SIGNET_RUNTIME_DIR=str(
            cls.folder(agent_of or uid) / "run"))
        return Outcome(subprocess.run(as_uid(uid, *command), input="1234\n", capture_output=True,
                                      text=True, env=environment, timeout=60))

    @classmethod
    def signet(cls, uid, *arguments, agent_of=None):
        return cls.run_as(uid, BIN / "signet", *arguments, agent_of=agent_of)

    @classmethod
    def enrol(cls, uid, name):
        folder = cls.stand.dir / "ca"
        created = cls.signet(uid, "identity", "create", name, "--backend", "file", "--kind", "user",
                             "--algorithm", "p256")
        assert created.code == 0, created
        request = cls.signet(uid, "identity", "csr", name, "--subject", f"/CN={name}")
        (folder / f"{name}.csr").write_text(request.out)
        chain = cls.stand.authority("user").sign(folder / f"{name}.csr", folder / f"{name}.pem")
        imported = cls.signet(uid, "identity", "import", name, chain)
        assert imported.code == 0, imported

    @classmethod
    def identities(cls, uid):
        listed = cls.signet(uid, "identity", "list", "--json")
        assert listed.code == 0, listed
        return {i["name"]: i for i in listed.json["identities"]}

    @classmethod
    def backend(cls, uid):
        status = cls.signet(uid, "status", "--json").json
        return next(b for b in status["backends"] if b["name"] == "system")

    def fetch(self, uid, *paths, client=None, agent_of=None):
        return self.run_as(uid, client or self.client, "--cacert",
                           self.stand.dir / "ca" / "server.pem", "--json",
                           *[self.stand.origin + path for path in paths], agent_of=agent_of)

    def given(self, *arguments, **options):
        """The names given, or the reasons why not."""
        said = self.fetch(*arguments, **options).json
        return [i["name"] for i in said["identities"]] or [d["reason"] for d in said["declined"]]

    # -- one socket, both ----------------------------------------------------------------------

    def test_OneConnectionProvesUserAndDeviceThroughOneSocket(self):
        said = self.fetch(ALICE, "/login", "/user").json
        self.assertEqual([r["status"] for r in said["responses"]], [200, 200], said)
        self.assertEqual([i["name"] for i in said["identities"]], ["system.laptop", "alice"])
        self.assertEqual([i["kind"] for i in said["identities"]], ["device", "user"])
        self.assertIn("laptop", said["responses"][0]["body"])
        self.assertIn("alice", said["responses"][0]["body"])
        self.stand.wait_for_record(self.folder(ALICE) / "state", identity="system.laptop",
                                   outcome="authenticated", backend="system")
        self.stand.wait_for_record(identity="laptop", event="authenticate", outcome="authenticated",
                                   uid=ALICE, pid=self.stand.processes[f"signetd-{ALICE}"].pid)

    def test_EachUserGetsTheirOwnAndTheDevicesAndNobodyElses(self):
        other = BIN / "signet-fetch"
        table = (  # who, with whose agent, which program, what for; what is given, or why not
            (ALICE, ALICE, None, "/user", "alice"), (ALICE, ALICE, None, "/device", "system.laptop"),
            (ALICE, ALICE, other, "/user", "denied"),
            (ALICE, ALICE, other, "/device", "system.laptop"),
            (ALICE, BOB, None, "/user", None), (ALICE, BOB, None, "/device", None),
            (BOB, BOB, None, "/user", "bob"), (BOB, BOB, None, "/device", "system.laptop"),
            (BOB, ALICE, None, "/user", None), (BOB, ALICE, other, "/device", None),
            (STRANGER, STRANGER, None, "/user", "carol"),
            (STRANGER, STRANGER, None, "/device", "no-identity"),
            (STRANGER, ALICE, None, "/device", None), (0, ALICE, None, "/user", "denied"),
            (0, BOB, None, "/device", "denied"))
        for uid, agent, client, path, outcome in table:
            with self.subTest(uid=uid, agent=agent, client=client, path=path):
                given = self.given(uid, path, client=client, agent_of=agent)
                if outcome is None:  # that agent's folder is its user's alone
                    self.assertFalse(set(given) & {*USERS.values(), "system.laptop"}, given)
                    self.assertEqual(len(given), 1)
                else:
                    self.assertEqual(given, [outcome])

    def test_NobodyListsAnothersIdentities(self):
        self.assertEqual(set(self.identities(ALICE)), {"alice", "system.laptop"})
        self.assertEqual(set(self.identities(BOB)), {"bob", "system.laptop"})
        self.assertEqual(set(self.identities(STRANGER)), {"carol"})
        for uid, agent in ((ALICE, BOB), (BOB, ALICE), (STRANGER, ALICE), (0, ALICE)):
            listed = self.signet(uid, "identity", "list", agent_of=agent)
            self.assertNotEqual(listed.code, 0, listed)
            self.assertNotIn(USERS[agent], listed.out)

    # -- how it looks ---------------------------------------------------------------------------

    def test_ListsThemAsThatAgentDescribesThem(self):
        self.wait_for_device(ALICE)
        wait_for("its listing", lambda: self.identities(ALICE)["system.laptop"]["usable"])
        laptop = self.identities(ALICE)["system.laptop"]
        self.assertEqual((laptop["backend"], laptop["kind"], laptop["hardware"], laptop["usable"]),
                         ("system", "device", True, True))
        self.assertFalse(laptop["found"])
        self.assertIn("laptop", laptop["subject"])
        self.assertEqual(self.backend(ALICE)["state"], "ready")
        explained = self.signet(ALICE, "policy", "explain", self.stand.origin, "--identity",
                                "system.laptop")
        self.assertIn("allow", explained.out)

    def test_IsAdministeredAtItsOwnAgentAlone(self):
        for command in (("identity", "create", "x", "--backend", "system", "--kind", "device",
                         "--algorithm", "p256"),
                        ("identity", "remove", "system.laptop", "--yes"),
                        ("identity", "csr", "system.laptop", "--subject", "/CN=x"),
                        ("identity", "import", "system.laptop", self.stand.dir / "ca" / "alice.pem"),
                        ("token", "unlock", "system", "--pin-stdin"), ("token", "lock", "system")):
            with self.subTest(command=command):
                refused = self.signet(ALICE, *command)
                self.assertNotEqual(refused.code, 0, refused)
                self.assertIn("another agent", refused.err)
                self.assertIn(f"signet --agent {self.stand.dir}/run/agent.sock", refused.err)
        self.assertIn("system.laptop", self.identities(ALICE))

    def test_SaysThatTheSystemAgentDoesNotAdmitTheUser(self):
        # Its agent asks again every ten seconds; another test's trouble may have come between.
        wait_for("the refusal", lambda: "[access] use" in self.backend(STRANGER)["last_error"])
        backend = self.backend(STRANGER)
        self.assertEqual(backend["state"], "failed")
        self.assertIn(f"add uid {STRANGER}", backend["next_step"])

    def wait_for_device(self, uid):
        """Its key must be there too, not only its name."""
        wait_for("the device to be given", lambda: self.given(uid, "/device") == ["system.laptop"])

    # -- trouble there --------------------------------------------------------------------------

    def test_RestartOfTheSystemAgentIsSeenAndHarmsNothingElse(self):
        self.stand.stop("signetd", signal.SIGKILL)
        wait_for("its end to be seen", lambda: "system.laptop" not in self.identities(BOB))
        backend = self.backend(BOB)
        self.assertEqual(backend["state"], "failed")
        self.assertTrue(backend["last_error"])
        self.assertIn("systemctl status signetd", backend["next_step"])
        self.assertEqual(self.given(BOB, "/user"), ["bob"])
        self.assertEqual(self.given(BOB, "/device"), ["no-identity"])
        self.stand.start_agent()
        for uid in (ALICE, BOB):
            self.wait_for_device(uid)

    def test_SystemAgentThatHangsHoldsUpNothingOfTheUsersOwn(self):
        self.wait_for_device(ALICE)
        system = self.stand.processes["signetd"]
        system.send_signal(signal.SIGSTOP)
        try:
            hanging = subprocess.Popen(
                as_uid(ALICE, self.client, "--cacert", self.stand.dir / "ca" / "server.pem", "--json",
                       self.stand.origin + "/device"), stdout=subprocess.PIPE, text=True,
                env=dict(self.stand.environment,
                         SIGNET_RUNTIME_DIR=str(self.folder(ALICE) / "run")))
            self.assertEqual(self.given(ALICE, "/user"), ["alice"])
            self.assertIsNone(hanging.poll())
        finally:
            system.send_signal(signal.SIGCONT)
        said = json.loads(hanging.communicate(timeout=60)[0])
        self.assertEqual([i["name"] for i in said["identities"]], ["system.laptop"], said)
        for uid in (ALICE, BOB):  # whose agents may have asked meanwhile, and given up
            self.wait_for_device(uid)

    # -- no loops -------------------------------------------------------------------------------

    def test_AgentsThatWouldGoInCirclesDoNotStart(self):
        folder = self.folder(ALICE)
        backend = '[[backend]]\nname = "x"\ntype = "agent"\nsocket = "{}"\n'
        for uid, socket, says in (
                (0, self.stand.dir / "run" / "agent.sock", "is for the agents of users"),
                (ALICE, folder / "other" / "agent.sock", "is this agent's own")):
            config = self.stand.dir / f"circle-{uid}.toml"
            config.write_text(backend.format(socket))
            ended = self.run_as(uid, BIN / "signetd", "--config", config, "--runtime-dir",
                                folder / "other", "--state-dir", folder / "other")
            self.assertEqual(ended.code, 78, ended)
            self.assertIn(says, ended.err)


if __name__ == "__main__":
    unittest.main()
