"""Programs that know nothing of Signet use keys of the agent through OpenSSL's provider signet.so."""
import base64
import subprocess
import time
import unittest

from tests.integration.openssl.fixture import CONFIGURATION, PROVIDER, SANITIZED, WithProvider
from tests.support.python.nginx import Nginx
from tests.support.stand import BIN, PATIENCE, wait_for

# A server that wants a certificate, and one that goes there with a key of the agent.
SERVERS = """
  server {{
    listen 127.0.0.1:{inner} ssl;
    ssl_protocols TLSv1.3;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    ssl_verify_client on; ssl_client_certificate {authority};
    location / {{ return 200 "$ssl_client_verify $ssl_client_s_dn"; }}
  }}
  server {{
    listen 127.0.0.1:{outer};
    location / {{
      proxy_pass https://127.0.0.1:{inner};
      proxy_ssl_session_reuse off;
      proxy_ssl_protocols TLSv1.3;
      proxy_ssl_certificate {folder}/laptop.pem;
      proxy_ssl_certificate_key {folder}/laptop.key;
    }}
  }}
"""
# What an application written in Python does; run with the configuration in its environment.
PYTHON_CLIENT = """
import concurrent.futures, socket, ssl, sys
port, certificate, key, ca, count = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.load_cert_chain(certificate, key)
def connect(_):
    with socket.create_connection(("127.0.0.1", int(port)), timeout=50) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secure:
            secure.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            return b"CN=new" in b"".join(iter(lambda: secure.recv(65536), b""))
with concurrent.futures.ThreadPoolExecutor(int(count)) as pool:
    print(sum(pool.map(connect, range(int(count)))))
"""


@unittest.skipIf(SANITIZED, "programs of Debian can't load a sanitized library")
class Applications(WithProvider):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = cls.start_server()

    def curl(self, name, *options, port=None):
        return self.run_program("curl", "-sS", "--cacert", self.ca, "--cert", self.dir / f"{name}.pem",
                                "--key", self.dir / f"{name}.key", *options,
                                f"https://localhost:{port or self.port}/", timeout=PATIENCE)

    def s_client(self, name, *options):
        return self.run_program("openssl", "s_client", "-connect", f"localhost:{self.port}", "-CAfile",
                                self.ca, "-cert", self.dir / f"{name}.pem", "-key",
                                self.dir / f"{name}.key", "-quiet", *options,
                                stdin="GET / HTTP/1.0\r\n\r\n")

    def test_CurlAuthenticatesWithEveryKindOfKey(self):
        for name in ("laptop", "old", "new", "big", "huge"):
            with self.subTest(name):
                outcome = self.curl(name)
                self.assertEqual(outcome.code, 0, outcome)
                self.assertRegex(outcome.out, rf"[Ss]ubject: ?.*{name}")

    def test_SClientAuthenticates(self):
        outcome = self.s_client("laptop")
        self.assertRegex(outcome.out, r"[Ss]ubject: ?.*laptop", outcome)

    def test_PythonAuthenticates64TimesAtOnceAndAfterTheAgentRestarts(self):
        client = ("/usr/bin/python3", "-c", PYTHON_CLIENT, self.port, self.dir / "new.pem",
                  self.dir / "new.key", self.ca)
        outcome = self.run_program(*client, 64)
        self.assertEqual(outcome.out.strip(), "64", outcome)
        self.stand.stop("signetd")
        self.stand.start_agent()
        self.assertEqual(self.run_program(*client, 2).out.strip(), "2")

    def test_NginxAuthenticatesToAnUpstreamThatVerifies(self):
        nginx = Nginx(self.dir, lambda inner, outer: SERVERS.format(
            folder=self.dir, inner=inner, outer=outer, authority=self.stand.authority("device").pem),
            ports=2, workers=2, environment=self.environment)
        self.addCleanup(nginx.close)
        for _ in range(4):  # both workers, most likely
            outcome = self.run_program("curl", "-sS", "--retry", "20", "--retry-connrefused",
                                       f"http://127.0.0.1:{nginx.ports[1]}/",
                                       environment=self.stand.environment)
            self.assertEqual(outcome.out, "SUCCESS CN=laptop", nginx.log())

    def test_WithoutAnAgentTheErrorIsClearAndSoon(self):
        elsewhere = dict(self.environment, SIGNET_AGENT_SOCKET=str(self.dir / "none.sock"))
        begin = time.monotonic()
        outcome = self.run_program("openssl", "s_client", "-connect", f"localhost:{self.port}",
                                   "-cert", self.dir / "laptop.pem", "-key", self.dir / "laptop.key",
                                   environment=elsewhere)
        self.assertLess(time.monotonic() - begin, 9)  # the deadline of a signature is 10 s
        self.assertIn("is signetd running?", outcome.err)

    def test_WithoutARuleTheErrorNamesIt(self):
        self.stand.must("policy", "deny", "--purpose", "tls-client", "--identity", "big")
        try:
            outcome = self.s_client("big")
        finally:
            self.stand.must("policy", "allow", "--purpose", "tls-client", "--identity", "big")
        self.assertNotEqual(outcome.code, 0)
        self.assertIn("signet policy allow --purpose tls-client --identity big", outcome.err)

    def test_Tls12IsRefusedAndAudited(self):
        outcome = self.s_client("laptop", "-tls1_2")
        self.assertNotEqual(outcome.code, 0)
        self.assertIn("let the server speak TLS 1.3", outcome.err)
        wait_for("the record", lambda: "let the server speak TLS 1.3" in str(self.stand.records()))

    def test_CurlWhichShowsNoTextOfErrorsSaysWhereToLook(self):
        outcome = self.curl("laptop", "--tls-max", "1.2")
        self.assertNotEqual(outcome.code, 0)
        self.assertIn("signet::no key or signature of signetd (see signet audit list)", outcome.err)

    def test_AKeyMayBeFreedAfterOpenSslHasEnded(self):
        outcome = self.run_program(BIN.parent / "tests" / "provider-load", "held", self.dir / "laptop.key")
        self.assertEqual(outcome.code, 0, outcome)

    def test_RequestsAreSignedForTheKeyItself(self):
        request = ("openssl", "req", "-new", "-key", self.dir / "laptop.key", "-subj", "/CN=x")
        refused = self.run_program(*request)
        self.assertNotEqual(refused.code, 0)
        self.assertIn("signet policy allow --purpose csr --identity laptop", refused.err)
        self.stand.must("policy", "allow", "--purpose", "csr", "--identity", "laptop")
        made = self.run_program(*request)
        self.assertEqual(made.code, 0, made)
        self.assert_verifies(made.out)

    def test_RequestsAreSignedWithEveryKindOfKey(self):
        pss = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")
        for name, options in (("big", ()), ("huge", ()), ("new", ()), ("old", ()), ("old", pss)):
            with self.subTest(name):
                self.stand.must("policy", "allow", "--purpose", "csr", "--identity", name)
                made = self.run_program("openssl", "req", "-new", "-key", self.dir / f"{name}.key", "-subj",
                                        "/CN=x", *options)
                self.assert_verifies(made.out)

    def assert_verifies(self, request):
        verified = subprocess.run(["openssl", "req", "-verify", "-noout"], input=request, text=True,
                                  capture_output=True)
        self.assertEqual(verified.returncode, 0, verified.stderr)

    def test_NothingElseIsSigned(self):
        text = self.dir / "text"
        text.write_text("pay 100")
        for command in (("pkeyutl", "-sign", "-rawin", "-inkey", self.dir / "new.key", "-in", text),
                        ("dgst", "-sha256", "-sign", self.dir / "laptop.key", text)):
            outcome = self.run_program("openssl", *command)
            self.assertNotEqual(outcome.code, 0)
            self.assertIn("nothing else is signed", outcome.err)
            self.assertNotIn("only its public part", outcome.err)  # as `dgst` begins anew

    def test_ThePublicPartComesOutAndNoPrivateOne(self):
        public = self.run_program("openssl", "pkey", "-in", self.dir / "laptop.key", "-pubout")
        shown = self.stand.must("identity", "show", "laptop", "--json").json["identity"]
        self.assertEqual(public.out, shown["public_key_pem"])
        private = self.run_program("openssl", "pkey", "-in", self.dir / "laptop.key")
        self.assertNotEqual(private.code, 0)
        self.assertNotIn("PRIVATE KEY", private.out)

    def test_TheStoreGivesKeyAndChainAndListsNames(self):
        one = self.run_program("openssl", "storeutl", "-noout", "-text", "signet:laptop")
        self.assertRegex(one.out, "CN ?= ?laptop")
        self.assertIn("Total found: 2", one.out)
        every = self.run_program("openssl", "storeutl", "signet:")
        for name in ("laptop", "old", "new", "big", "huge"):
            self.assertIn(f"signet:{name}", every.out, every)

    def test_AFileOfThatNameIsNotTakenForTheIdentity(self):
        folder = self.dir / "planted"
        folder.mkdir()
        self.stand.enrol("unruled", "file", "device")
        planted = (self.dir / "server.key").read_text() + self.ca.read_text()
        for name in ("laptop", "unruled"):
            (folder / f"signet:{name}").write_text(planted)
        one = self.run_program("openssl", "storeutl", "-noout", "-text", "signet://laptop", cwd=folder)
        self.assertRegex(one.out, "CN ?= ?laptop", one)
        token = self.run_program(BIN / "signet", "oauth", "token", "unruled", "--client-id", "x", "--issuer",
                                 "https://[::1]:1", environment=self.stand.environment, cwd=folder)
        self.assertIn("signet policy allow --purpose tls-client --identity unruled", token.err)
        self.assertRegex(token.err, '^signet: identity "unruled": no rule')

    def test_OrdinaryKeysStillWork(self):
        both = self.dir / "both.pem"  # a certificate comes first
        both.write_text(self.ca.read_text() + (self.dir / "server.key").read_text())
        outcome = self.run_program("openssl", "pkey", "-in", both, "-pubout")
        self.assertEqual(outcome.code, 0, outcome)
        made = self.run_program("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                                "ec_paramgen_curve:P-256")
        self.assertEqual(made.code, 0, made)

    def test_AConfigurationThatItDoesNotUnderstandIsNamed(self):
        wrong = self.dir / "wrong.cnf"
        for deadline in ("soon", "0", "10 s", "-1"):
            wrong.write_text(CONFIGURATION.format(module=PROVIDER) + f"deadline_ms = {deadline}\n")
            outcome = self.run_program("openssl", "storeutl", "signet:",
                                       environment=dict(self.environment, OPENSSL_CONF=str(wrong)))
            self.assertNotEqual(outcome.code, 0)
            self.assertIn(f"deadline_ms = {deadline} in the configuration", outcome.err)

    def test_AKeyFileThatIsNoReferenceAsItWasWrittenIsNone(self):
        def load(der):
            changed = self.dir / "changed.key"
            changed.write_text("-----BEGIN SIGNET PRIVATE KEY-----\n" +
                               base64.encodebytes(der).decode() + "-----END SIGNET PRIVATE KEY-----\n")
            return self.run_program("openssl", "pkey", "-in", changed, "-pubout").code

        lines = (self.dir / "laptop.key").read_text().splitlines()
        der = base64.b64decode("".join(lines[1:-1]))
        self.assertEqual(load(der), 0)
        for wrong in (b"", b"garbage", der[:-1], der + b"\0", der[:-8] + bytes(8),
                      der.replace(b"laptop", b"lapt\0p"), der.replace(b"laptop", b"lap\x1b[m")):
            with self.subTest(wrong):
                self.assertNotEqual(load(wrong), 0)

    def test_StaysLoadedSinceUnloadingWouldLeak(self):
        dynamic = subprocess.run(["readelf", "-d", PROVIDER], capture_output=True, text=True, check=True)
        self.assertIn("NODELETE", dynamic.stdout)

    def test_ExportsItsEntryAlone(self):
        symbols = subprocess.run(["nm", "-D", "--defined-only", PROVIDER], capture_output=True,
                                 text=True, check=True).stdout.split("\n")
        names = {line.split()[-1] for line in symbols if line} - {"__bss_start", "_edata", "_end"}
        self.assertEqual(names, {"OSSL_provider_init"})


if __name__ == "__main__":
    unittest.main()
