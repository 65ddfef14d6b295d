"""Identities as OAuth clients, with a real authorisation server: registration metadata, tokens that
are bound to the certificate, and what happens to them in other hands."""
import base64
import datetime
import hashlib
import json
import re
import shutil
import stat
import subprocess
import unittest

from tests.integration.oauth.authorisation_server import AuthorisationServer
from tests.integration.oauth.page import Page
from tests.integration.openssl.fixture import CONFIGURATION, PROVIDER, SANITIZED
from tests.support.python.nginx import Nginx
from tests.support.stand import BIN, PATIENCE, Stand, openssl, wait_for

SUBJECT_ALT_NAMES = {"--san-dns": "laptop.example.com", "--san-uri": "spiffe://example/laptop",
                     "--san-ip": "192.0.2.7", "--san-email": "laptop@example.com"}


class OauthClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = stand = cls.enterClassContext(Stand())
        stand.start_tpm()
        stand.add_software()
        stand.start_agent()
        cls.enrol("laptop", "tpm", "p256", "device")
        cls.enrol("other", "file", "p256", "device")
        cls.enrol("badge", "file", "rsa2048", "unknown")  # an authority that the server knows not
        cls.server = AuthorisationServer(stand, stand.authority("device"))
        cls.laptop = cls.server.register(cls.metadata("laptop", "--san-dns", "laptop.example.com"))

    @classmethod
    def enrol(cls, name, backend, algorithm, authority, rule=True):
        stand = cls.stand
        stand.must("identity", "create", name, "--backend", backend, "--kind", "device", "--algorithm",
                   algorithm)
        csr, chain = stand.dir / "ca" / f"{name}.csr", stand.dir / f"{name}.pem"
        stand.must("identity", "csr", name, "--subject", f"/O=Example/CN={name}", "--out", csr)
        names = ",".join(f"{option[6:].replace('dns', 'DNS').replace('uri', 'URI').replace('ip', 'IP')}"
                         f":{value}" for option, value in SUBJECT_ALT_NAMES.items())
        stand.authority(authority).sign(
            csr, chain, f"extendedKeyUsage=clientAuth\nsubjectAltName={names}")
        stand.must("identity", "import", name, chain)
        if rule:
            stand.must("policy", "allow", "--purpose", "tls-client", "--identity", name)

    @classmethod
    def metadata(cls, *arguments):
        return cls.stand.must("oauth", "metadata", *arguments).json

    def token(self, name="laptop", *options, client=None, issuer=None, **more):
        return self.stand.signet("oauth", "token", name, "--issuer", issuer or self.server.issuer,
                                 "--client-id", client or self.laptop, "--cacert",
                                 self.server.certificate, *options, **more)

    def must_token(self, *arguments, **options):
        outcome = self.token(*arguments, **options)
        self.assertEqual(outcome.code, 0, outcome)
        return outcome

    def assert_answer(self, url, name, token, *expected):
        """Status and body of an API called with a token and the certificate of an identity."""
        if SANITIZED:
            return  # Debian's curl can't load a sanitized library
        ran = subprocess.run(
            ["curl", "-sS", "--cacert", self.server.certificate, "--cert", self.stand.dir / f"{name}.pem",
             "--key", self.stand.dir / f"{name}.key", "--header", "@-", "--write-out", "\n%{http_code}",
             url], input=f"Authorization: Bearer {token}", capture_output=True, text=True,
            env=self.curl_environment(name), timeout=PATIENCE)
        body, _, status = ran.stdout.rpartition("\n")
        self.assertEqual((int(status or 0), body + ran.stderr), expected)

    def assert_refusal(self, url, name, token, error):
        """The same, of an API that answers 401 with a JSON object."""
        details = {"token-other-certificate": "the access token is bound to another certificate than "
                                              "that of this connection",
                   "token-audience": "the access token is for another audience"}
        self.assert_answer(url, name, token, 401, json.dumps(
            {"error": error, "detail": details[error]}, separators=(",", ":")) + "\n")

    def curl_environment(self, name):
        reference, configuration = self.stand.dir / f"{name}.key", self.stand.dir / "openssl.cnf"
        if not reference.exists():
            self.stand.must("identity", "reference", name, "--out", reference)
        configuration.write_text(CONFIGURATION.format(module=PROVIDER))
        return dict(self.stand.environment, OPENSSL_CONF=str(configuration))

    def thumbprint(self, name):
        """Not by Signet."""
        der = subprocess.run(["openssl", "x509", "-in", self.stand.dir / f"{name}.pem", "-outform",
                              "DER"], capture_output=True, check=True).stdout
        return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")

    def test_TheThumbprintIsWhatOpensslComputes(self):
        for name in ("laptop", "badge"):
            self.assertEqual(self.stand.must("oauth", "thumbprint", name).out.strip(),
                             self.thumbprint(name))
            hexadecimal = openssl("x509", "-in", self.stand.dir / f"{name}.pem", "-noout", "-sha256",
                                  "-fingerprint").partition("=")[2].replace(":", "")
            padded = self.thumbprint(name) + "="
            self.assertEqual(base64.urlsafe_b64decode(padded), bytes.fromhex(hexadecimal))

    def test_EachNameOfACertificateRegistersAClientOfItsOwn(self):
        options = [("--subject-dn",), *SUBJECT_ALT_NAMES.items()]
        for option in options:
            with self.subTest(option):
                client = self.server.register(self.metadata("laptop", *option))
                token = self.must_token("laptop", client=client).out
                self.assertTrue(token.strip())

    def test_TheServerKnowsACertificateOfUnknownOriginByItself(self):
        metadata = self.metadata("badge", "--method", "self_signed_tls_client_auth")
        self.assertEqual(metadata["jwks"], self.stand.must("oauth", "jwks", "badge").json)
        client = self.server.register(metadata)
        self.must_token("badge", client=client)
        refused = self.token("other", client=client)
        self.assertEqual(refused.code, 1)
        self.assertIn("invalid_client", refused.err)

    def test_AnotherNamesCertificateIsNotTheClient(self):
        refused = self.token("badge")
        self.assertEqual(refused.code, 1)
        self.assertIn("invalid_client", refused.err)
        self.assertIn("signet oauth metadata", refused.err)

    def test_ATokenWorksWithItsCertificateAndWithNoOther(self):
        token = self.must_token("laptop", "--resource", self.server.api, "--json").json
        self.assertEqual(token["cnf"], {"x5t#S256": self.thumbprint("laptop")})
        self.assertEqual(token["checked_by"], "claims")
        self.assert_answer(self.server.api, "laptop", token["access_token"],
                           200, f"hello {self.laptop}\n")
        self.assert_answer(self.server.api, "other", token["access_token"],
                           401, "bound to another certificate")

    def test_TheGatewayTakesATokenWithItsCertificateAndWithNoOther(self):
        (self.stand.dir / "gateway.toml").write_text(f"""
            listen = "127.0.0.1:0"
            cert = "login.pem"
            key = "login.key"
            handshake_certificate = "request"
            [[token]]
            name = "login"
            issuer = "{self.server.issuer}"
            audience = "https://gateway.example/"
            jwks = "{self.server.issuer}/jwks"
            jwks_ca = "login.pem"
            [[path]]
            prefix = "/api"
            mode = "none"
            token = "login"
            """)
        self.stand.start("gateway", BIN / "signet-gateway", "--config", self.stand.dir / "gateway.toml")
        self.addCleanup(self.stand.stop, "gateway")
        ready = self.stand.dir / "gateway.out"
        wait_for("the gateway", lambda: ready.read_text().endswith("\n"))
        url = f"https://localhost:{json.loads(ready.read_text())['listening'].rpartition(':')[2]}/api"
        token = self.must_token("laptop", "--resource", "https://gateway.example/").out.strip()
        self.assert_answer(url, "laptop", token, 200, '{"path":"/api"}\n')
        for name, resource, error in [("other", "https://gateway.example/", "token-other-certificate"),
                                      ("laptop", self.server.api, "token-audience")]:
            token = self.must_token("laptop", "--resource", resource).out.strip()
            self.assert_refusal(url, name, token, error)
            self.assertNotIn(token, self.stand.log("gateway"))

    def test_AnOpaqueTokenIsLookedAtByTheServer(self):
        token = self.must_token("laptop", "--json").json
        self.assertEqual(token["checked_by"], "introspection")
        self.assertNotIn(".", token["access_token"])

    def test_AnOpaqueTokenThatNobodyTellsOfIsNotHandedOut(self):
        blind = self.server.register(self.metadata("laptop", "--subject-dn"), client_name="blind")
        refused = self.token("laptop", client=blind)
        self.assertEqual((refused.code, refused.out), (1, ""))
        self.assertIn("--accept-opaque", refused.err)
        accepted = self.must_token("laptop", "--accept-opaque", "--json", client=blind).json
        self.assertEqual(accepted["checked_by"], "none")

    def test_ATokenThatIsNotBoundIsNotHandedOut(self):
        metadata = dict(self.metadata("laptop", "--subject-dn"),
                        tls_client_certificate_bound_access_tokens=False)
        unbound = self.server.register(metadata)
        for options in ((), ("--resource", self.server.api), ("--accept-opaque",)):
            refused = self.token("laptop", *options, client=unbound)
            self.assertEqual((refused.code, refused.out), (1, ""))
            self.assertIn("bound to no certificate", refused.err)

    def test_WithoutAliasesTheOrdinaryEndpointServes(self):
        client = self.server.register(self.metadata("laptop", "--san-dns", "laptop.example.com"),
                                      self.server.unaliased)
        self.must_token("laptop", client=client, issuer=self.server.unaliased)

    def test_TheMetadataOfAnotherIssuerIsRefused(self):
        refused = self.token(issuer=self.server.imposter)
        self.assertEqual((refused.code, refused.out), (1, ""))
        self.assertIn(f'the issuer "{self.server.issuer}", not of "{self.server.imposter}"', refused.err)
        self.assertIn("no metadata", self.token(issuer=self.server.issuer + "/elsewhere").err)
        self.assertEqual(self.token(issuer=self.server.issuer.replace("https", "http")).code, 2)

    def test_AServerOfUnknownOriginGetsNothing(self):
        refused = self.stand.signet("oauth", "token", "laptop", "--issuer", self.server.issuer,
                                    "--client-id", self.laptop)
        self.assertEqual(refused.code, 1)
        self.assertIn("certificate", refused.err)

    def test_AnExpiredCertificateAsksForNothing(self):
        self.enrol("brief", "file", "p256", "device")
        for seconds in (4, 15, 45):  # it must not end before it is imported
            end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
            chain = self.stand.authority("device").sign_until(
                end, self.stand.dir / "ca" / "brief.csr", self.stand.dir / "brief.pem")
            imported = self.stand.signet("identity", "import", "brief", chain)
            if imported.code == 0:
                break
        self.assertEqual(imported.code, 0, imported)
        wait_for("the certificate's end",
                 lambda: datetime.datetime.now(datetime.timezone.utc) >
                 end.replace(microsecond=0) + datetime.timedelta(seconds=1))
        refused = self.token("brief")
        self.assertNotEqual(refused.code, 0)
        self.assertIn("expired", refused.err)

    def test_WithoutARuleTheErrorNamesIt(self):
        self.enrol("unruled", "file", "p256", "device", rule=False)
        refused = self.token("unruled")
        self.assertNotEqual(refused.code, 0)
        self.assertIn("signet policy allow --purpose tls-client --identity unruled", refused.err)

    def test_WithoutAnAgentNobodyIsAsked(self):
        outcome = self.token("laptop", "--agent", self.stand.dir / "none.sock", issuer="https://[::1]:1")
        self.assertEqual(outcome.code, 3)
        self.assertIn("none.sock", outcome.err)

    def test_AnIdentityThatIsNotThereIsSaidAsByEveryCommand(self):
        refused = self.token("nobody")
        self.assertEqual(refused.code, 5, refused)
        self.assertIn("nobody", refused.err)

    def test_FilesOfTokensAreForTheirOwnerAlone(self):
        file, link = self.stand.dir / "token.header", self.stand.dir / "token.link"
        file.write_text("old")
        file.chmod(0o666)
        link.symlink_to(file.name)
        said = self.must_token("laptop", "--resource", self.server.api, "--out", link, "--header")
        self.assertTrue(link.is_symlink())
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        header, _, token = file.read_text().strip().rpartition(" ")
        self.assertEqual(header, "Authorization: Bearer")
        self.assertNotIn(token, said.out + said.err)
        self.assert_answer(self.server.api, "laptop", token, 200, f"hello {self.laptop}\n")

    @unittest.skipUnless(subprocess.run(["unshare", "--mount", "true"]).returncode == 0,
                         "this machine lets nobody mount")
    def test_WhereATokenCanNotBeKeptNobodyIsAskedForIt(self):
        folder = self.stand.dir / "small"
        folder.mkdir()
        script = (f"mount -t tmpfs -o size=16k none {folder} && cd {folder} && echo old > token && "
                  'eval "$1"; shift; "$@"; code=$?; ls -A; cat token; exit $code')
        for state, why in [("dd if=/dev/zero of=filler 2>/dev/null",
                            "write: No space left on device; make room there, or name another file"),
                           ("mount -o remount,ro .",
                            "create: Read-only file system; name another file")]:
            with self.subTest(why):
                ran = subprocess.run(
                    ["unshare", "--mount", "sh", "-c", script, "sh", state, BIN / "signet", "oauth",
                     "token", "laptop", "--issuer", "https://[::1]:1", "--client-id", "x", "--out",
                     folder / "token"], capture_output=True, text=True, env=self.stand.environment,
                    timeout=PATIENCE)
                self.assertEqual((ran.returncode, ran.stderr),
                                 (1, f"signet: file {folder}/token: {why}\n"))
                self.assertEqual(ran.stdout.replace("filler\n", ""), "token\nold\n")

    def test_WhoIsKilledWhileAPersonThinksLeavesNothing(self):
        folder = self.stand.dir / "killed"
        folder.mkdir()
        device = self.stand.start(
            "killed-device", BIN / "signet", "oauth", "token", "laptop", "--issuer", self.server.issuer,
            "--client-id", self.laptop, "--cacert", self.server.certificate, "--grant", "device_code",
            "--scope", "openid", "--out", folder / "token", "--refresh-token-file", folder / "refresh")
        wait_for("the code", lambda: "Waiting..." in self.stand.log("killed-device"))
        device.kill()
        device.wait(PATIENCE)
        self.assertEqual(list(folder.iterdir()), [])

    def test_APersonAgreesToADeviceAndTheGrantIsRefreshed(self):
        refresh = self.stand.dir / "refresh"
        device = self.stand.start(
            "device", BIN / "signet", "oauth", "token", "laptop", "--issuer", self.server.issuer,
            "--client-id", self.laptop, "--cacert", self.server.certificate, "--grant", "device_code",
            "--scope", "openid", "--scope", "offline_access", "--refresh-token-file", refresh, "--json")
        shown = lambda: re.search(r"^    (\S+)$", self.stand.log("device"), re.M)
        code = wait_for("the code", shown).group(1)
        self.assertIn(f"Open {self.server.issuer}/device ", self.stand.log("device").replace(
            self.server.aliases, self.server.issuer))
        self.server.approve(code)
        self.assertEqual(device.wait(PATIENCE), 0, self.stand.log("device"))
        self.assertEqual(stat.S_IMODE(refresh.stat().st_mode), 0o600)
        first = refresh.read_text()
        self.assertNotIn(first.strip(), (self.stand.dir / "device.out").read_text())

        fresh = self.must_token("laptop", "--grant", "refresh_token", "--refresh-token-file", refresh,
                                "--json").json
        second = refresh.read_text()
        self.assertNotEqual(second, first, "the server rotates it")
        userinfo = f"{self.server.aliases}/me"
        self.assert_answer(userinfo, "laptop", fresh["access_token"], 200, '{"sub":"alice"}')
        self.assert_answer(userinfo, "other", fresh["access_token"], 401,
                           '{"error":"invalid_token","error_description":"invalid token provided"}')

        by_stdin = self.must_token("laptop", "--grant", "refresh_token", "--refresh-token-file", "-",
                                   stdin=second)
        self.assertIn("--refresh-token-file FILE", by_stdin.err)
        again = self.token("laptop", "--grant", "refresh_token", "--refresh-token-file", refresh)
        self.assertIn("invalid_grant", again.err)

    @unittest.skipIf(SANITIZED, "programs of Debian can't load a sanitized library")
    def test_TheCommandsOfThePageWork(self):
        folder = self.stand.dir / "page"
        folder.mkdir()
        self.enrol("page", "file", "p384", "device", rule=False)
        shutil.copy(self.stand.dir / "page.pem", folder)
        (folder / "signet.cnf").write_text(CONFIGURATION.format(module=PROVIDER))
        page = Page(folder, "page", self.server, self.stand.environment)
        metadata, _ = json.JSONDecoder().raw_decode(page.run("oauth metadata"))
        page.client = self.server.register(metadata)
        page.run("--program")
        page.run("--out token.header")
        greeting = f"hello {page.client}\n"
        self.assertTrue(page.run("curl --cert").endswith(greeting))

        page.environment["OPENSSL_CONF"] = str(folder / "signet.cnf")
        [python] = page.blocks("python")
        self.assertEqual(page.execute("/usr/bin/python3", "-c", python), greeting)
        page.run("> token.nginx")
        self.assertEqual(stat.S_IMODE((folder / "token.nginx").stat().st_mode), 0o600)
        self.assertEqual(self.ask_nginx(page), greeting)
        page.run("device_code")
        self.assertTrue((folder / "refresh").read_text())

    def ask_nginx(self, page):
        [location] = page.blocks("nginx")
        nginx = Nginx(page.folder, lambda port: f"server {{ listen 127.0.0.1:{port}; {location} }}",
                      environment=page.environment)
        self.addCleanup(nginx.close)
        ran = subprocess.run(["curl", "-sS", f"http://127.0.0.1:{nginx.ports[0]}/"], capture_output=True,
                             text=True, env=self.stand.environment, timeout=PATIENCE)
        return ran.stdout or ran.stderr + nginx.log()

    def test_NoTokenIsInTheAgentsRecordsOrLogs(self):
        token = self.must_token("laptop").out.strip()
        self.stand.wait_for_record(purpose="tls-client", identity="laptop")
        self.assertNotIn(token, str(self.stand.records()) + self.stand.log("signetd"))


if __name__ == "__main__":
    unittest.main()
