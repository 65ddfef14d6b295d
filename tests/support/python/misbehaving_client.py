"""A client that breaks rules, against the real signet-gateway, which one class of tests shares.

Its authenticators come from the second implementation of RFC 9261, so that each can be wrong in one
place and right in every other.
"""
import dataclasses
import json
import tempfile
import unittest

import certificates
import raw_http2 as h2
from authenticator import Proof
from tools_under_test import Gateway, only_cipher_suite

@dataclasses.dataclass
class Case:
    """One request of the gateway, and how to answer it rightly."""
    client: h2.Client
    request: bytes
    proof: Proof
    identity: certificates.Identity

    @property
    def keys(self):
        return self.proof.keys

    def spoilt(self, **fields):
        return dataclasses.replace(self.proof, **fields)


class MisbehavingClientTest(unittest.TestCase):
    """/one, /two and /three want so many identities; /open wants none."""

    CLIENT = h2.Client
    PROTOCOL = "http2"  # in the gateway's log
    OPTIONS = ()
    CIPHER_SUITE = "TLS_AES_256_GCM_SHA384"
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.authorities = [certificates.authority(name) for name in ("ca", "second", "third")]
        cls.ca = cls.authorities[0]
        files = [each.write(cls.folder.name)[0] for each in cls.authorities]
        cls.ca_pem = files[0]
        cls.alice = certificates.client(cls.ca, "alice")
        cls.gateway = Gateway(*certificates.server(cls.ca).write(cls.folder.name),
                              "--require", f"/one={files[0]}",
                              "--require", f"/two={files[0]},{files[1]}",
                              "--require", f"/three={','.join(files)}", *cls.OPTIONS,
                              environment=only_cipher_suite(cls.CIPHER_SUITE, cls.folder.name))
        cls.addClassCleanup(cls.stop_gateway)

    @classmethod
    def stop_gateway(cls):
        code, log = cls.gateway.stop()
        if code != 0 or "Sanitizer" in log or "runtime error" in log:
            raise AssertionError(f"signet-gateway ended with {code}:\n{log}")

    def connect(self, limit=4, **how):
        """`limit` None: the setting is not sent; False: no SETTINGS are."""
        settings = {} if limit is None else {h2.CLIENT_CERT_AUTH: limit}
        client = self.CLIENT(self.gateway.port, self.ca_pem, limit is not False and settings, **how)
        self.addCleanup(client.close)
        return client

    def asked(self, client):
        """The requests of the gateway's next AUTHENTICATOR_REQUESTS."""
        _, flags, stream, payload = client.expect(h2.AUTHENTICATOR_REQUESTS)
        self.assertEqual((flags, stream), (0, 0))
        return h2.requests_in(payload)

    def case(self, client, request, identity=None):
        identity = identity or self.alice
        proof = Proof(client.keys(), request, [each.der for each in identity.chain], identity.key)
        return Case(client, request, proof, identity)

    def ask(self, path="/one", limit=4, identity=None):
        """A connection on which the gateway has asked for what the path on stream 1 wants."""
        client = self.connect(limit)
        client.request(1, path)
        return [self.case(client, request, identity) for request in self.asked(client)]

    def answer(self, client, stream):
        return json.loads(client.read_body(stream))

    def requests_so_far(self, client):
        """The requests that came because of what was sent until now."""
        requests = []
        # The gateway has sent all that when it answers the first PING, but maybe behind the answer.
        for data in (b"the next", b"the last"):
            client.send(h2.PING, 0, 0, data)
            while (frame := client.read())[0] != h2.PING or frame[3] != data:
                if frame[0] == h2.AUTHENTICATOR_REQUESTS:
                    requests += h2.requests_in(frame[3])
        return requests

    def assert_knows_nobody(self, client, stream=99):
        client.request(stream, "/whoami")
        self.assertEqual(self.answer(client, stream)["error"], "no-identity")

    def assert_refused(self, spoil, error, detail):
        """The path is refused and the connection goes on, without an identity."""
        case, = self.ask()
        case.client.send(h2.CERTIFICATE, 0, 0, spoil(case))
        body = self.answer(case.client, 1)
        self.assertEqual(body.get("error"), error, body)
        self.assertRegex(body["detail"], f": {detail}$")
        self.assert_knows_nobody(case.client)

    def assert_proved(self, client, stream=1, identities=None):
        body = self.answer(client, stream)
        self.assertIn("identities", body)
        self.assertEqual([each["subject"] for each in body["identities"]],
                         [each.certificate.subject.rfc4514_string()
                          for each in identities or [self.alice]])

    def assert_goaway(self, client, detail, code=1, name="PROTOCOL_ERROR"):
        """The gateway finds the error, says which it is, and hangs up."""
        self.assertEqual(client.expect_goaway(), code)
        while client.read():
            pass
        while (record := self.gateway.next_record())["peer"] != client.address or \
                "error" not in record or "status" in record:
            pass
        self.assertEqual(record["error"], f"{self.PROTOCOL}: {name}")
        self.assertRegex(record["detail"], f"^(?:{detail})$")


# -- how it must end, for a table of functions of a Case


def invalid(detail):
    return lambda self, spoil: self.assert_refused(
        spoil, "invalid", f"the proof is not valid: {detail}")


def untrusted(detail):
    return lambda self, spoil: self.assert_refused(spoil, "untrusted", detail)


def proved(self, make):
    case, = self.ask()
    case.client.send(h2.CERTIFICATE, 0, 0, make(case))
    body = self.answer(case.client, 1)
    self.assertEqual(len(body.get("identities", ())), 1, body)
