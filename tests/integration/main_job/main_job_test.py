"""The main job: a server asks in mid-connection, a TPM key and a token key answer."""
import unittest

from tests.support.stand import PIN, Stand


class MainJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = cls.enterClassContext(Stand())
        cls.stand.start_tpm()
        cls.stand.make_token()
        cls.stand.start_agent()
        assert cls.stand.unlock().code == 0
        cls.stand.enrol("laptop", "tpm", "device")
        cls.stand.enrol("alice", "card", "user")
        cls.stand.start_gateway(require=("/login=device,user", "/person=user"))
        cls.stand.allow("laptop", "alice")

    def test_ProvesDeviceAndUserOnOneConnection(self):
        outcome = self.stand.fetch("/", "/login", "/whoami")
        self.assertEqual(outcome.code, 0, outcome)
        said = outcome.json
        self.assertEqual([r["status"] for r in said["responses"]], [200, 200, 200])
        self.assertEqual(said["authenticator_requests"], 2)
        self.assertEqual(said["certificates_sent"], 2)
        self.assertEqual(said["empty_sent"], 0)
        self.assertEqual([i["name"] for i in said["identities"]], ["laptop", "alice"])
        self.assertEqual([i["kind"] for i in said["identities"]], ["device", "user"])
        self.assertEqual(said["declined"], [])
        self.assertIsNone(said["connection_error"])
        self.assertIn("laptop", said["responses"][1]["body"])
        self.assertIn("alice", said["responses"][1]["body"])
        self.assertIn("alice", said["responses"][2]["body"])

    def test_LandingPageAsksForNothing(self):
        said = self.stand.fetch("/").json
        self.assertEqual(said["responses"][0]["status"], 200)
        self.assertEqual(said["authenticator_requests"], 0)
        self.assertEqual(said["certificates_sent"], 0)

    def test_IdentityStaysWithItsConnection(self):
        self.assertEqual(self.stand.fetch("/login").code, 0)
        outcome = self.stand.fetch("/whoami")
        self.assertEqual(outcome.code, 22)
        self.assertEqual(outcome.json["responses"][0]["status"], 403)

    def test_LimitOfOneStillProvesBothInOrder(self):
        said = self.stand.fetch("/login", options=("--limit", "1")).json
        self.assertEqual(said["responses"][0]["status"], 200)
        self.assertEqual([i["name"] for i in said["identities"]], ["laptop", "alice"])

    def test_ProvedIdentityIsNotAskedAgain(self):
        said = self.stand.fetch("/person", "/login").json
        self.assertEqual([r["status"] for r in said["responses"]], [200, 200])
        self.assertEqual([i["name"] for i in said["identities"]], ["alice", "laptop"])

    def test_OtherCodePointsWorkOnBothSides(self):
        numbers = ("--code-point", "h2.certificate=0xe1", "--code-point", "h2.client-cert-auth=0xe0c1")
        with Stand() as other:
            other.environment["SIGNET_RUNTIME_DIR"] = str(self.stand.dir / "run")
            other.authorities = self.stand.authorities
            other.start_gateway(*numbers)
            other.dir, gateway = other.dir, other.origin
            self.stand.must("policy", "allow", gateway, "--identity", "laptop")
            self.stand.must("policy", "allow", gateway, "--identity", "alice")
            self.assertEqual(other.fetch("/login", options=numbers).json["certificates_sent"], 2)
            unmatched = other.fetch("/login")
            self.assertEqual(unmatched.code, 22, unmatched)
            self.assertEqual(unmatched.json["authenticator_requests"], 0)

    def test_ListsWhatItHolds(self):
        identities = {i["name"]: i for i in self.stand.must("identity", "list", "--json").json["identities"]}
        self.assertEqual(set(identities), {"laptop", "alice"})
        for name, backend, kind in (("laptop", "tpm", "device"), ("alice", "card", "user")):
            identity = identities[name]
            self.assertEqual(set(identity), {"name", "kind", "backend", "algorithm", "hardware", "subject",
                                             "issuer", "not_after", "usable", "reason", "found"})
            self.assertEqual((identity["backend"], identity["kind"]), (backend, kind))
            self.assertEqual((identity["algorithm"], identity["hardware"], identity["usable"]),
                             ("p256", True, True))
            self.assertIn(name, identity["subject"])
            self.assertIn(f"Test {kind} CA", identity["issuer"])

    def test_KeysAreWhereTheySay(self):
        state = self.stand.dir / "state" / "identities"
        self.assertIn("TSS2 PRIVATE KEY", (state / "laptop" / "key.pem").read_text())
        self.assertTrue((state / "alice" / "key.uri").read_text().startswith("pkcs11:"))

    def test_NoSecretInAnyLog(self):
        self.stand.fetch("/login", options=("--verbose",))
        for log in self.stand.dir.glob("*.log"):
            self.assertNotIn(PIN, log.read_text(errors="replace"), log.name)


if __name__ == "__main__":
    unittest.main()
