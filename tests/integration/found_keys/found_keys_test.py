"""Keys and certificates that are on a token already become identities by themselves."""
import subprocess
import unittest

from tests.support.stand import PIN, Stand, openssl, softhsm_module, wait_for


class FoundKeys(unittest.TestCase):
    def setUp(self):
        self.stand = self.enterContext(Stand())
        self.stand.make_token("card")
        self.stand.make_token("stick")  # in the same module
        self.ca = self.stand.dir / "ca"

    def pkcs11_tool(self, token, *arguments):
        subprocess.run(["pkcs11-tool", "--module", softhsm_module(), "--token-label", token, "--login",
                        "--pin", PIN, *map(str, arguments)], env=self.stand.environment, check=True,
                       capture_output=True)

    def put(self, token, label, number, certified=True):
        """A key and its certificate, made elsewhere."""
        key, csr = self.ca / f"{label}.key", self.ca / f"{label}.csr"
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={label}", "-keyout", key, "-out", csr)
        subprocess.run(["softhsm2-util", "--import", key, "--token", token, "--label", label, "--id",
                        number, "--pin", PIN], env=self.stand.environment, check=True,
                       capture_output=True)
        chain = self.stand.authority("user").sign(csr, self.ca / f"{label}.pem")
        if certified:
            der = self.ca / f"{label}.der"
            openssl("x509", "-in", chain, "-outform", "DER", "-out", der)
            self.pkcs11_tool(token, "--write-object", der, "--type", "cert", "--id", number, "--label",
                             label)
        return chain

    def identities(self):
        listed = self.stand.must("identity", "list", "--json").json["identities"]
        return {identity["name"]: identity for identity in listed}

    def proves(self, name):
        """The subjects of what the server got when only this identity may be given."""
        self.stand.must("policy", "allow", self.stand.origin, "--identity", name)
        outcome = self.stand.fetch("/user")
        self.stand.must("policy", "deny", self.stand.origin, "--identity", name)
        return [identity["subject"] for identity in outcome.json["identities"]]

    def test_TokensOfOneModuleGiveTheirIdentities(self):
        self.put("card", "alice", "01")
        self.put("stick", "bob", "01")
        self.stand.start_agent()
        wait_for("both identities", lambda: set(self.identities()) == {"card.alice", "stick.bob"})
        alice = self.identities()["card.alice"]
        self.assertEqual((alice["kind"], alice["subject"], alice["found"], alice["hardware"]),
                         ("user", "CN=alice", True, True))
        self.assertFalse(alice["usable"])
        self.assertIn("signet token unlock card", alice["reason"])
        self.assertEqual(self.stand.unlock("card").code, 0)
        self.assertEqual(self.stand.unlock("stick").code, 0)
        self.assertTrue(self.identities()["card.alice"]["usable"])

        self.stand.start_gateway(require=("/user=user",))
        self.assertEqual(self.stand.fetch("/user").json["identities"], [])  # no rule, no identity
        self.assertEqual(self.proves("card.alice"), ["CN=alice"])
        self.assertEqual(self.proves("stick.bob"), ["CN=bob"])
        # Of two tokens in one module, each has its own PIN state.
        self.stand.must("token", "lock", "card")
        self.assertFalse(self.identities()["card.alice"]["usable"])
        self.assertEqual(self.proves("stick.bob"), ["CN=bob"])

    def test_AKeyIsNotDestroyedThatWasMadeElsewhere(self):
        self.put("card", "alice", "01")
        self.stand.start_agent()
        wait_for("the identity", self.identities)
        self.assertEqual(self.stand.unlock("card").code, 0)
        for options in ((), ("--forget",)):
            outcome = self.stand.signet("identity", "remove", "card.alice", "--yes", *options)
            self.assertEqual(outcome.code, 1, outcome)
            self.assertIn("with the tool that manages the token", outcome.err)
        self.assertIn("card.alice", self.identities())

    def test_AKeyWithoutACertificateGetsOneAsAnyOther(self):
        chain = self.put("card", "bare", "07", certified=False)
        self.stand.start_agent()
        wait_for("the identity", self.identities)
        self.assertEqual(self.stand.unlock("card").code, 0)
        self.assertIn("certificate", self.identities()["card.bare"]["reason"])
        csr = self.ca / "asked.csr"
        self.stand.must("identity", "csr", "card.bare", "--subject", "/CN=asked", "--out", csr)
        chain = self.stand.authority("user").sign(csr, self.ca / "asked.pem")
        self.stand.must("identity", "import", "card.bare", chain)
        bare = self.identities()["card.bare"]
        self.assertEqual((bare["subject"], bare["usable"], bare["found"]), ("CN=asked", True, False))
        # It is enrolled now: it stays without being found.
        self.stand.stop("signetd")
        self.stand.start_agent()
        self.assertEqual(self.identities()["card.bare"]["subject"], "CN=asked")

    def test_AKeyThatSignetMadeIsListedOnce(self):
        self.stand.start_agent()
        self.assertEqual(self.stand.unlock("card").code, 0)
        self.stand.enrol("mine", "card", "user")
        self.assertEqual(set(self.identities()), {"mine"})
        self.stand.stop("signetd")
        self.stand.start_agent()
        wait_for("the token", lambda: self.stand.backend_status("card")["state"] == "locked")
        self.assertEqual(set(self.identities()), {"mine"})

    def test_ATokenThatComesLaterIsSeenWithoutAsking(self):
        later = '[[backend]]\nname = "later"\ntype = "pkcs11"\n' \
                f'module = "{softhsm_module()}"\ntoken = "later"\n'
        self.stand.backends.append(later)
        self.stand.start_agent()
        wait_for("the failure", lambda: self.stand.backend_status("later")["state"] == "failed")
        self.stand.make_token("later")
        self.put("later", "carol", "01")
        wait_for("the identity", lambda: "later.carol" in self.identities())


if __name__ == "__main__":
    unittest.main()
