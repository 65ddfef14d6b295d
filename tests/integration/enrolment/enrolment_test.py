"""From a key to a usable identity and to its end: create, csr, import, remove."""
import os
import signal
import socket
import ssl
import subprocess
import unittest

from tests.support.stand import PIN, Stand, openssl, softhsm_module, wait_for

EVERY_ALGORITHM = ("p256", "p384", "p521", "rsa2048", "rsa3072", "ed25519", "ed448")
MAKES = {"tpm": ("p256", "p384", "rsa2048"), "card": EVERY_ALGORITHM[:-1], "file": EVERY_ALGORITHM}


class Enrolment(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = cls.enterClassContext(Stand())
        cls.stand.start_tpm()
        cls.stand.make_token()
        cls.stand.add_software()
        cls.stand.start_agent()
        assert cls.stand.unlock().code == 0
        cls.ca = cls.stand.dir / "ca"
        cls.stand.authority("user")

    def create(self, name, backend="file", algorithm="p256", kind="user"):
        return self.stand.signet("identity", "create", name, "--backend", backend, "--kind", kind,
                                 "--algorithm", algorithm)

    def request(self, name, subject):
        """What openssl says of the certificate request for `subject`, whose signature it verifies."""
        file = self.ca / f"{name}.csr"
        self.stand.must("identity", "csr", name, "--subject", subject, "--out", file)
        return openssl("req", "-verify", "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb,utf8", "-in",
                       file).strip()

    def issue(self, name):
        """The leaf's PEM, signed by the CA `user`."""
        self.request(name, f"/CN={name}")
        leaf = self.stand.authority("user").sign(self.ca / f"{name}.csr", self.ca / f"{name}.pem")
        return leaf.read_text()

    def import_text(self, name, chain):
        file = self.ca / "chain.pem"
        file.write_bytes(chain if isinstance(chain, bytes) else chain.encode())
        return self.stand.signet("identity", "import", name, file)

    def test_EachBackendMakesItsAlgorithmsAndNamesThemOtherwise(self):
        made = []
        for backend, can in MAKES.items():
            for algorithm in EVERY_ALGORITHM:
                name = f"{backend}-{algorithm}"
                with self.subTest(name):
                    outcome = self.create(name, backend, algorithm)
                    if algorithm not in can:
                        self.assertEqual(outcome.code, 1, outcome)
                        for word in (backend, algorithm, *can):
                            self.assertIn(word, outcome.err)
                        self.assertEqual(self.stand.signet("identity", "show", name).code, 5)
                        continue
                    self.assertEqual(outcome.code, 0, outcome)
                    self.assertEqual(self.import_text(name, self.issue(name)).code, 0)
                    made.append(name)
        listed = {i["name"]: i for i in self.stand.must("identity", "list", "--json").json["identities"]}
        for name in made:
            self.assertTrue(listed[name]["usable"], listed[name])
            self.assertEqual(listed[name]["algorithm"], name.split("-")[1])
            self.assertEqual(listed[name]["hardware"], not name.startswith("file"))
        for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"):
            self.assert_all_prove_themselves(made, suite)

    def assert_all_prove_themselves(self, names, suite):
        """To a server with that cipher suite, on a connection each."""
        settings = self.stand.dir / "openssl.cnf"
        settings.write_text("openssl_conf = all\n[all]\nssl_conf = modules\n[modules]\n"
                            f"system_default = tls\n[tls]\nCiphersuites = {suite}\n")
        self.stand.environment["OPENSSL_CONF"] = str(settings)
        self.stand.start_gateway(require=("/user=user",))
        del self.stand.environment["OPENSSL_CONF"]
        anyone = ssl.create_default_context(cafile=self.ca / "server.pem")
        with socket.create_connection(("127.0.0.1", int(self.stand.origin.rpartition(":")[2]))) as tcp:
            with anyone.wrap_socket(tcp, server_hostname="localhost") as tls:
                self.assertEqual(tls.cipher()[0], suite)
        for name in names:
            with self.subTest(name, suite=suite):
                self.stand.must("policy", "allow", self.stand.origin, "--identity", name)
                outcome = self.stand.fetch("/user")
                self.assertEqual([i["name"] for i in outcome.json["identities"]], [name], outcome)
                self.stand.must("policy", "deny", self.stand.origin, "--identity", name)

    def test_RequestsCarryTheSubjectAsWritten(self):
        self.assertEqual(self.create("named").code, 0)
        for subject, read in (
                ("/CN=plain", "CN=plain"),
                ("/C=DE/O=Example/OU=One/OU=Two/CN=many", "CN=many,OU=Two,OU=One,O=Example,C=DE"),
                ("/O=Bücher AG/CN=Zoë 王", "CN=Zoë 王,O=Bücher AG"),
                (r"/O=A\/B/CN=back\\slash", r"CN=back\\slash,O=A/B"),
                ("/CN=a=b", "CN=a=b")):
            with self.subTest(subject):
                self.assertEqual(self.request("named", subject), f"subject={read}")
        for subject in ("CN=x", "/", "/CN", "/CN=", "/=x", "//CN=x", "/XX=1", "/C=DEU", "/CN=" + "x" * 65):
            with self.subTest(subject):
                outcome = self.stand.signet("identity", "csr", "named", "--subject", subject)
                self.assertEqual((outcome.code, outcome.out), (1, ""), outcome)
                self.assertIn("; write it as /CN=laptop", outcome.err)

    def test_ImportTakesChainsInOrderAndSaysWhatIsWrongWithOthers(self):
        self.assertEqual(self.create("me").code, 0)
        self.assertEqual(self.create("other").code, 0)
        other = self.issue("other")
        self.issue("me")  # for the request
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                "/CN=Between", "-keyout", self.ca / "between.key", "-out", self.ca / "between.csr")
        extensions = self.ca / "chain.ext"
        for subject, issuer, lines in (
                ("between", "user", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"),
                ("me", "between", "keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n")):
            extensions.write_text(lines)
            openssl("x509", "-req", "-in", self.ca / f"{subject}.csr", "-CA", self.ca / f"{issuer}.pem", "-CAkey",
                    self.ca / f"{issuer}.key", "-CAcreateserial", "-days", "1", "-extfile", extensions, "-out",
                    self.ca / f"{subject}.pem")
        leaf, between, top = ((self.ca / f"{n}.pem").read_text() for n in ("me", "between", "user"))
        der = subprocess.run(["openssl", "x509", "-in", self.ca / "me.pem", "-outform", "DER"],
                             check=True, capture_output=True).stdout

        for chain in (leaf, leaf + between, leaf + between + top,
                      "subject=somebody\n" + leaf + "and so on\n" + between + "the end",
                      b"Andr\xe9's\n" + leaf.encode(), (leaf + between).replace("\n", "\r\n")):
            outcome = self.import_text("me", chain)
            self.assertEqual(outcome.code, 0, outcome)
        for chain, said in (
                (between + leaf, 'certificate 2 ("CN=me"): this is the one for the key of "me"; put it first'),
                (leaf + top + between, "certificate 2"),
                (leaf + top, "it did not issue certificate 1"),
                (leaf + leaf, "it did not issue certificate 1"),
                (other, "it is for another key than that of \"me\"; "),
                (leaf + (self.ca / "between.key").read_text(), "private key; "),
                (leaf + "-----BEGIN CERTIFICATE-----\nMIIB", "does not decode; "),
                (leaf + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                 "certificate 2: not an X.509 certificate; "),
                (leaf + between + top * 9, "11 certificates, at most 10"),
                (der, "holds no PEM certificate; "),
                ("", "holds no PEM certificate; ")):
            with self.subTest(said):
                outcome = self.import_text("me", chain)
                self.assertEqual((outcome.code, outcome.out), (1, ""), outcome)
                self.assertTrue(outcome.err.startswith('signet: identity "me": '), outcome)
                self.assertIn(said, outcome.err)
        shown = self.stand.must("identity", "show", "me", "--json").json["identity"]
        self.assertEqual(shown["chain_pem"].count("BEGIN"), 2)  # what was good stays
        self.stand.start_gateway(require=("/user=user",))
        self.stand.must("policy", "allow", self.stand.origin, "--identity", "me")
        outcome = self.stand.fetch("/user")  # which knows the root alone
        self.assertEqual([i["name"] for i in outcome.json["identities"]], ["me"], outcome)
        self.assertIn('"issuer":"CN=Between"', outcome.json["responses"][0]["body"])

    def test_NamesAreSafeEverywhere(self):
        for name in ("", ".", "..", ".x", "-x", "a/b", "a b", "*", "ü", "x\n", "x" * 65):
            with self.subTest(name):
                outcome = self.stand.signet("identity", "create", "--backend", "file", "--kind", "user",
                                            "--", name)
                self.assertEqual(outcome.code, 1, outcome)
                self.assertIn("not a name; use 1 to 64", outcome.err)
        for name in ("x" * 64, "A.b_c-9"):
            self.assertEqual(self.create(name).code, 0)

    def test_RemovedKeyIsGoneAndTheNameFree(self):
        self.assertEqual(self.create("twice", "card").code, 0)
        self.assertEqual(self.create("twice", "card").code, 1)
        self.assertIn("twice", self.objects())
        self.stand.must("identity", "remove", "twice", "--yes")
        self.assertNotIn("twice", self.objects())
        self.assertEqual(self.stand.signet("identity", "remove", "twice", "--yes").code, 5)
        self.assertEqual(self.create("twice", "card").code, 0)

    def objects(self):
        return subprocess.run(["pkcs11-tool", "--module", softhsm_module(), "--login", "--pin", PIN, "-O"],
                              env=self.stand.environment, check=True, capture_output=True, text=True).stdout


class AbsentToken(unittest.TestCase):
    def test_IdentityIsKeptUnlessToldToForgetIt(self):
        with Stand() as stand:
            stand.make_token()
            stand.start_agent()
            self.assertEqual(stand.unlock().code, 0)
            stand.must("identity", "create", "alice", "--backend", "card", "--kind", "user")
            (stand.dir / "tokens").rename(stand.dir / "elsewhere")
            (stand.dir / "tokens").mkdir()
            os.kill(stand.backend_status("card")["pid"], signal.SIGKILL)
            wait_for("the token to be missed", lambda: stand.backend_status("card")["state"] == "failed")
            self.assertIn('no token has the label "card"', stand.must("status").out)
            outcome = stand.signet("identity", "remove", "alice", "--yes")
            self.assertNotEqual(outcome.code, 0)
            self.assertIn("signet identity remove alice --forget", outcome.err)
            self.assertIn("alice", stand.must("identity", "list").out)
            stand.must("identity", "remove", "alice", "--yes", "--forget")
            self.assertEqual(stand.must("identity", "list", "--json").json["identities"], [])


if __name__ == "__main__":
    unittest.main()
