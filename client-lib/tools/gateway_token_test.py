#!/usr/bin/python3
"""signet-gateway that wants access tokens bound to the certificate of the handshake (RFC 8705)."""
import http.server
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import unittest

import certificates
from access_tokens import Issuer, base64url, key_set
from fake_agent import FakeAgent
from ipc import agent_pb2 as agent
from tools_under_test import TIMEOUT, Gateway, assert_refused, fetch

TOKEN = """
[[token]]
name = "as"
issuer = "https://as.example"
audience = "https://api.example"
jwks = "keys.json"
"""
API = """
[[path]]
prefix = "/api"
mode = "none"
token = "as"
"""


class TokenTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.ca = certificates.authority("ca", "Users")
        cls.ca_pem, _ = cls.ca.write(cls.folder.name)
        cls.server_pem, cls.server_key = certificates.server(cls.ca).write(cls.folder.name)
        cls.issuer, cls.rsa = Issuer(), Issuer("two", "RS256")
        with open(os.path.join(cls.folder.name, "keys.json"), "w", encoding="utf-8") as file:
            file.write(key_set(cls.issuer, cls.rsa))
        cls.user = certificates.client(cls.ca, "jane")
        cls.thief = certificates.authority("thief")  # signs its own certificate, which is fine
        for each in (cls.user, cls.thief):
            each.write(cls.folder.name)

    def write(self, text):
        path = os.path.join(self.folder.name, f"{self.id()}.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start(self, text='handshake_certificate = "request"' + TOKEN + API, *arguments):
        gateway = Gateway(self.server_pem, self.server_key, "--config", self.write(text), *arguments)
        self.addCleanup(self.stop, gateway)
        return gateway

    def stop(self, gateway):
        code, log = gateway.stop()
        self.assertEqual(code, 0, log)
        self.assertNotRegex(log, "Sanitizer|runtime error|eyJ")

    def curl(self, gateway, path, *tokens, identity=None, options=()):
        """Status, fields and body."""
        for each in tokens:
            options = (*options, "--header", f"Authorization: {each}")
        if identity:
            name = os.path.join(self.folder.name, identity.name)
            options = (*options, "--cert", f"{name}.pem", "--key", f"{name}.key")
        run = subprocess.run(
            ["curl", "--silent", "--show-error", "--http2", "--cacert", self.ca_pem, "--include",
             "--resolve", f"localhost:{gateway.port}:127.0.0.1", *options,
             f"https://localhost:{gateway.port}{path}"],
            capture_output=True, text=True, timeout=TIMEOUT, check=True)
        head, body = run.stdout.replace("\r", "").split("\n\n", 1)
        lines = head.split("\n")
        return int(lines[0].split()[1]), dict(each.split(": ", 1) for each in lines[1:]), body


class Configuration(TokenTest):
    def test_each_refusal_names_the_line_and_what_to_write(self):
        user = '[[certificate]]\nname = "user"\nca = "ca.pem"\n'  # lines 1 to 3
        token = TOKEN.lstrip()  # 5 lines
        wish = 'handshake_certificate = "request"\n'
        path = API.lstrip()  # 4 lines
        for text, line, expected in [
                ('handshake_certificate = "require"', 1, '"request" or "none"'),
                (user.replace("user", "handshake"), 2, "take another name"),
                (token.replace("name", "nome"), 2, 'unknown key "nome" in [[token]]'),
                (token.replace('issuer = "https://as.example"', ""), 1, "has no issuer"),
                (token.replace('audience = "https://api.example"', ""), 1, "has no audience"),
                (token.replace('jwks = "keys.json"', ""), 1, "has no jwks"),
                (token.replace("keys.json", "none.json"), 5, "name a file with a JWK Set"),
                (token.replace("keys.json", "ca.pem"), 5, '{"keys": [...]}'),
                (token + "types = []", 6, "at least one"),
                (token + "clock_skew = 601", 6, "from 0 to 600"),
                (token + token, 7, "a second token"),
                (wish + path, 5, "[[token]]"),
                (token + path, 9, 'handshake_certificate = "request"'),
                (wish + token + path + 'token_bound_to = ["user"]', 11, "certificates"),
                (wish + token + path + "token_bound_to = []", 11, "at least one"),
                (wish + token + path + "token_to_backend = 1", 11, "neither true nor false"),
                (path.replace('token = "as"', 'token_bound_to = ["handshake"]'), 4, "token ="),
                (user + token + path.replace('"none"', '"require"\ncertificates = ["user"]') +
                 'token_bound_to = ["user", "handshake"]', 14, "handshake_certificate")]:
            with self.subTest(text):
                file = self.write(text)
                assert_refused(self, ["--config", file], f"{file}:{line}: ", expected)


class Tokens(TokenTest):
    def test_a_token_goes_with_its_certificate(self):
        gateway = self.start()
        for issuer in (self.issuer, self.rsa):
            for scheme in ("Bearer", "bEARER"):
                status, _, body = self.curl(gateway, "/api/x", f"{scheme} {issuer.token(self.user)}",
                                            identity=self.user)
                self.assertEqual((status, body), (200, '{"path":"/api/x"}\n'))
        self.assertEqual(self.curl(gateway, "/apis")[0], 200)

    def test_a_client_may_sign_its_own_certificate(self):
        status, _, _ = self.curl(self.start(), "/api", f"Bearer {self.issuer.token(self.thief)}",
                                 identity=self.thief)
        self.assertEqual(status, 200)

    def test_what_is_no_good_token_is_a_401_with_a_challenge(self):
        gateway = self.start()
        now = int(time.time())
        good = self.issuer.token(self.user)
        header, claims, signature = good.split(".")
        stranger = Issuer()  # of the same kid
        cases = {
            "token-unbound": self.issuer.token(None),
            "token-expired": self.issuer.token(self.user, exp=now - 61),
            "token-not-yet-valid": self.issuer.token(self.user, nbf=now + 300),
            "token-other-certificate": self.issuer.token(self.thief),
            "token-issuer": self.issuer.token(self.user, iss="https://evil.example"),
            "token-audience": self.issuer.token(self.user, aud=["https://other.example"]),
            "token-key": Issuer("three").token(self.user),
            "token-signature": stranger.token(self.user),
            "token-signature ": f"{header}.{base64url(b'{}')}.{signature}",
            "token-algorithm": self.issuer.token(self.user, {"alg": "none"}, secret=b"") + "AAAA",
            "token-malformed": self.issuer.token(self.user, {"alg": "none"}, secret=b""),
            "token-algorithm ": self.rsa.token(self.user, {"alg": "HS256"},
                                               secret=self.rsa.public_pem()),
            "token-algorithm  ": self.rsa.token(self.user, {"alg": "HS256"},
                                                secret=json.dumps(self.rsa.jwk).encode()),
            "token-type": self.issuer.token(self.user, {"typ": "JWT"}),
            "token-malformed ": "garbage",
            "token-malformed  ": "\x80\xff",
            "token-malformed   ": "a" * 12000,
            "token-malformed    ": good + ".x",
            "token-malformed     ": good + " " + good,
        }
        for error, token in cases.items():
            with self.subTest(error):
                status, fields, body = self.curl(gateway, "/api", f"Bearer {token}",
                                                 identity=self.user)
                self.assertEqual((status, json.loads(body)["error"]), (401, error.strip()))
                self.assertRegex(fields["www-authenticate"],
                                 r'^Bearer realm="/api", error="invalid_token", '
                                 r'error_description="[^"\\]+"$')
                self.assertEqual(fields["cache-control"], "no-store")
                self.assertEqual(gateway.next_record()["error"], error.strip())

    def test_no_token_is_a_401_that_says_no_error(self):
        gateway = self.start()
        for tokens in [(), ("Basic amFuZTpzZWNyZXQ=",), ("DPoP x",), ("Bearerx",)]:
            with self.subTest(tokens):
                status, fields, body = self.curl(gateway, "/api", *tokens, identity=self.user)
                self.assertEqual((status, json.loads(body)["error"]), (401, "token-missing"))
                self.assertEqual(fields["www-authenticate"], 'Bearer realm="/api"')

    def test_a_stolen_token_without_a_certificate_or_beside_another_is_refused(self):
        gateway = self.start()
        token = f"Bearer {self.issuer.token(self.user)}"
        for tokens, identity, error in [
                ((token,), None, "token-no-certificate"),
                ((token,), self.thief, "token-other-certificate"),
                ((token, token), self.user, "token-repeated"),
                ((token, "Basic x"), self.user, "token-repeated"),
                (("Bearer",), self.user, "token-malformed")]:
            with self.subTest(tokens):
                status, fields, body = self.curl(gateway, "/api", *tokens, identity=identity)
                self.assertEqual((status, json.loads(body)["error"]), (401, error))
                self.assertIn('error="invalid_token"', fields["www-authenticate"])

    def test_a_handshake_certificate_is_asked_for_only_where_it_is_configured(self):
        for wish, asked in [("none", False), ("request", True)]:
            gateway = self.start(f'handshake_certificate = "{wish}"')
            said = subprocess.run(
                ["openssl", "s_client", "-connect", gateway.address, "-alpn", "h2", "-msg"],
                input=b"", capture_output=True, timeout=TIMEOUT, check=False).stdout.decode("latin-1")
            self.assertEqual(re.search(r"<<<.*CertificateRequest", said) is not None, asked)

    def test_a_resumed_session_brings_no_certificate(self):
        """None is resumed: the certificate would be of another connection."""
        gateway = self.start()
        ticket = os.path.join(self.folder.name, "ticket")
        name = os.path.join(self.folder.name, "jane")
        said = subprocess.run(
            ["openssl", "s_client", "-connect", gateway.address, "-alpn", "h2", "-sess_out", ticket,
             "-cert", f"{name}.pem", "-key", f"{name}.key", "-ign_eof"], input=b"no preface of HTTP/2",
            capture_output=True, timeout=TIMEOUT, check=False).stdout
        self.assertIn(b"TLS_AES", said)
        self.assertNotIn(b"New Session Ticket", said)


class EachHttp(TokenTest):
    """By signet-fetch, over HTTP/2 and HTTP/3."""

    def fetch(self, gateway, paths, token, *options, identity=None):
        """Statuses and errors. The token comes from a file, as it should."""
        file = os.path.join(self.folder.name, "token")
        with open(file, "w", encoding="utf-8") as out:
            out.write(f"Authorization: Bearer {token}\n")
        if identity:
            name = os.path.join(self.folder.name, identity.name)
            options = (*options, "--cert", f"{name}.pem", "--key", f"{name}.key")
        result = fetch("--json", "--cacert", self.ca_pem, "--connect", gateway.address, "--header",
                       f"@{file}", *options, *[f"https://localhost{path}" for path in paths.split()])
        self.assertNotIn("eyJ", result.stdout + result.stderr)
        return list(zip(result.statuses(), [body.get("error") for body in result.bodies()]))

    def test_a_token_goes_with_the_certificate_of_the_handshake(self):
        gateway = self.start('handshake_certificate = "request"\nhttp3 = true' + TOKEN + API)
        token = self.issuer.token(self.user)
        for http in ((), ("--http3",)):
            for identity, expected in [(self.user, (200, None)),
                                       (self.thief, (401, "token-other-certificate")),
                                       (None, (401, "token-no-certificate"))]:
                with self.subTest(http=http, expected=expected):
                    self.assertEqual(
                        self.fetch(gateway, "/api /x", token, "--no-agent", *http, identity=identity),
                        [expected, (200, None)])

    def test_a_token_goes_with_a_certificate_of_mid_connection_where_that_is_configured(self):
        """Our extension: off, unless a path names the certificate."""
        user = '[[certificate]]\nname = "user"\nca = "ca.pem"\n'
        rule = API.replace('"none"', '"require"\ncertificates = ["user"]')
        gateway = self.start(
            'handshake_certificate = "request"\nhttp3 = true\n' + user + TOKEN
            + rule + 'token_bound_to = ["user"]\n' + rule.replace("/api", "/strict")
            + rule.replace("/api", "/either") + 'token_bound_to = ["handshake", "user"]\n'
            + rule.replace("/api", "/pass") + 'token_bound_to = ["user"]\nwithout = "pass"\n')
        path = os.path.join(self.folder.name, "agent.sock")
        fake = FakeAgent(path, [(self.user, agent.IDENTITY_KIND_USER)])
        self.addCleanup(fake.close)
        mine, other = self.issuer.token(self.user), self.issuer.token(self.thief)
        good, none = (200, None), (401, "token-no-certificate")
        wrong, declined = (401, "token-other-certificate"), (403, "declined")
        for http in ((), ("--http3",)):
            for token, identity, agents, paths, expected in [
                    (mine, None, ("--agent", path), "/api /either /pass", [good] * 3),
                    (mine, None, ("--agent", path), "/strict", [none]),
                    (mine, None, ("--agent", path), "/api /strict", [good, none]),
                    (mine, self.user, ("--agent", path), "/strict /either", [good] * 2),
                    (mine, self.thief, ("--agent", path), "/api /either /strict", [good, good, wrong]),
                    (other, None, ("--agent", path), "/api /either /pass", [wrong] * 3),
                    (other, self.thief, ("--agent", path), "/api /either", [wrong, good]),
                    (mine, None, ("--no-agent",), "/api /pass", [declined, none])]:
                with self.subTest(http=http, paths=paths, expected=expected):
                    self.assertEqual(
                        self.fetch(gateway, paths, token, *agents, *http, identity=identity), expected)

    def test_nobody_is_asked_for_a_certificate_for_the_sake_of_a_bad_token(self):
        user = '[[certificate]]\nname = "user"\nca = "ca.pem"\n'
        gateway = self.start(user + TOKEN + API.replace('"none"', '"require"\ncertificates = ["user"]')
                             + 'token_bound_to = ["user"]\n')
        path = os.path.join(self.folder.name, "agent.sock")
        fake = FakeAgent(path, [(self.user, agent.IDENTITY_KIND_USER)])
        self.addCleanup(fake.close)
        self.assertEqual(self.fetch(gateway, "/api", Issuer("new").token(self.user), "--agent", path),
                         [(401, "token-key")])
        self.assertEqual(fake.origins, [])


    def test_the_rule_of_a_path_counts_alone_and_its_token_comes_first(self):
        """docs/gateway.md has the same table."""
        rule = '[[path]]\nprefix = "{}"\nmode = "{}"\n{}\n'.format
        user, token = 'certificates = ["user"]', 'token = "as"'
        ca = os.path.join(self.folder.name, "ca.pem")
        gateway = self.start(
            'handshake_certificate = "request"\nhttp3 = true\n'
            '[[certificate]]\nname = "user"\nca = "ca.pem"\n' + TOKEN + rule("/", "none", "")
            + rule("/api", "none", token) + rule("/api/open", "none", "")
            + rule("/api/user", "require", user) + rule("/api/both", "require", f"{user}\n{token}")
            + rule("/api/both/offer", "offer", f"{user}\n{token}"),
            "--require", f"/extra={ca}", "--require", f"/api/open={ca}")
        path = os.path.join(self.folder.name, "rules.sock")
        fake = FakeAgent(path, [(self.user, agent.IDENTITY_KIND_USER)])
        self.addCleanup(fake.close)
        good, bad = self.issuer.token(self.user), Issuer("new").token(self.user)
        done, refused, denied = (200, None), (401, "token-key"), (403, "declined")
        for http in ((), ("--http3",)):
            for path_, with_bad, alone, with_agent, asked in [
                    # token:     bad      good     good, and the certificate of the middle
                    ("/x",       done,    done,    done,  False),
                    ("/api",     refused, done,    done,  False),
                    ("/api/x",   refused, done,    done,  False),
                    ("/api/open/x", done, done,    done,  False),
                    ("/api/open", denied, denied,  done,  True),
                    ("/extra",   denied,  denied,  done,  True),
                    ("/extra/x", done,    done,    done,  False),
                    ("/api/user", denied, denied,  done,  True),
                    ("/api/both", refused, denied, done,  True),
                    ("/api/both/offer", refused, done, done, True)]:
                with self.subTest(path_, http=http):
                    def answers(token, *options):
                        return self.fetch(gateway, path_, token, *options, *http, identity=self.user)
                    self.assertEqual(answers(bad, "--no-agent"), [with_bad])
                    self.assertEqual(answers(good, "--no-agent"), [alone])
                    if with_bad == refused:
                        self.assertEqual(answers(bad, "--agent", path), [refused])
                        self.assertEqual(fake.origins, [])
                    self.assertEqual(answers(good, "--agent", path), [with_agent])
                    self.assertEqual(bool(fake.origins), asked)
                    fake.calls.clear()

    def test_an_option_does_not_drop_a_token(self):
        """--require /api would be a rule of its own, for which none is needed."""
        ca = os.path.join(self.folder.name, "ca.pem")
        file = self.write('handshake_certificate = "request"' + TOKEN + API)
        for path in ("/api", "/api/", "/api/x"):
            assert_refused(self, ["--config", file, "--require", f"{path}={ca}"],
                           f"--require {path}={ca}: ", "write certificates in its [[path]]")


class Site(http.server.BaseHTTPRequestHandler):
    """Says what Authorization it got."""

    def do_GET(self):
        body = json.dumps(self.headers.get_all("Authorization")).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *unused):
        pass


class Backend(TokenTest):
    def test_the_backend_gets_the_token_unless_it_is_not_to(self):
        site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
        self.addCleanup(site.server_close)
        self.addCleanup(site.shutdown)
        threading.Thread(target=site.serve_forever, daemon=True).start()
        gateway = self.start(
            f'handshake_certificate = "request"\n[backend]\n'
            f'url = "http://127.0.0.1:{site.server_port}"\n{TOKEN}{API}'
            + API.replace("/api", "/api/kept") + "token_to_backend = false\n")
        token = f"Bearer {self.issuer.token(self.user)}"
        for path, tokens, expected in [("/api", (token,), [token]), ("/api/kept", (token,), None),
                                       ("/open", ("Basic x",), ["Basic x"])]:
            status, _, body = self.curl(gateway, path, *tokens, identity=self.user)
            self.assertEqual((status, json.loads(body)), (200, expected), path)
        self.assertEqual(self.curl(gateway, "/api")[0], 401)


if __name__ == "__main__":
    unittest.main()
