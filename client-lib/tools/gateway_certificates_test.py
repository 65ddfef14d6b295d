#!/usr/bin/python3
"""signet-gateway that proves further certificates of its own (secondary server certificates)."""
import json
import os
import tempfile
import unittest

import certificates
import raw_http2 as h2
import raw_http3 as h3
from authenticator import entries_of, split, validate_unasked
from tools_under_test import Gateway, assert_refused

ORIGIN = 0x0c
START = '[[server_certificate]]\ncert = "b.pem"\nkey = "b.key"\n'
REQUEST = '[[server_certificate]]\ncert = "c.pem"\nkey = "c.key"\nwhen = "request"\n'


def origins_in(payload):
    """The entries of an ORIGIN frame (RFC 8336 section 2.1)."""
    origins = []
    while payload:
        size = int.from_bytes(payload[:2], "big")
        origins.append(payload[2:2 + size].decode("ascii"))
        payload = payload[2 + size:]
    return origins


class CertificatesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.ca = certificates.authority("ca")
        cls.ca_pem, _ = cls.ca.write(cls.folder.name)
        issuing = certificates.authority("issuing", issuer=cls.ca)
        cls.server_pem, cls.server_key = certificates.server(cls.ca).write(cls.folder.name)
        cls.b, cls.c = (certificates.server(issuing, f"{name}.example", name) for name in "bc")
        for each in (cls.b, cls.c, certificates.server(cls.ca, "*.example.org", "any"),
                     certificates.client(cls.ca, "clients", "b.example"),
                     certificates.client(cls.ca, "unnamed", "d.example", usage=certificates.SERVER)):
            each.write(cls.folder.name)

    def write(self, text):
        path = os.path.join(self.folder.name, f"{self.id()}.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start(self, text, *arguments):
        gateway = Gateway(self.server_pem, self.server_key, "--config", self.write(text), *arguments)
        self.addCleanup(self.stop, gateway)
        return gateway

    def stop(self, gateway):
        code, log = gateway.stop()
        self.assertEqual(code, 0, log)
        self.assertNotRegex(log, "Sanitizer|runtime error")

    def client(self, gateway, takes=1, kind=h2):
        settings = {h2.SERVER_CERT_AUTH: takes} if takes is not None else None
        client = kind.Client(gateway.port, self.ca_pem, settings)
        self.addCleanup(client.close)
        return client

    def answer(self, client, stream, authority, path="/"):
        """The answer to a request for the authority; what comes before it is in `seen`."""
        client.request(stream, path, authority=authority)
        self.seen = []
        while True:
            frame = client.read()
            if frame[0] == h2.HEADERS and frame[2] == stream:
                break
            self.seen.append(frame)
        return json.loads(client.read_body(stream))

    def proofs(self, client, frames):
        return [validate_unasked(client.keys("server"), payload)
                for kind, _, stream, payload in frames
                if kind == h2.SERVER_CERTIFICATE and stream == 0]


class Http2(CertificatesTest):
    def test_proves_at_the_start_and_names_the_origins(self):
        gateway = self.start(START)
        client = self.client(gateway)
        settings = client.expect(h2.SETTINGS)[3]
        self.assertIn(bytes.fromhex("f0c500000001"), [settings[i:i + 6]
                                                      for i in range(0, len(settings), 6)])
        port = gateway.port
        self.assertEqual(origins_in(client.expect(ORIGIN)[3]),
                         [f"https://localhost:{port}", f"https://b.example:{port}"])
        _, _, stream, payload = client.expect(h2.SERVER_CERTIFICATE)
        self.assertEqual(stream, 0)
        context, chain = validate_unasked(client.keys("server"), payload)
        self.assertEqual(len(context), 32)
        self.assertEqual(chain, [each.der for each in self.b.chain])
        self.assertEqual(len(chain), 2)

    def test_proves_for_each_connection_anew(self):
        gateway = self.start(START)
        first, second = (self.client(gateway) for _ in range(2))
        payloads = [each.expect(h2.SERVER_CERTIFICATE)[3] for each in (first, second)]
        self.assertNotEqual(*(validate_unasked(client.keys("server"), payload)[0]
                              for client, payload in zip((first, second), payloads)))
        with self.assertRaises(ValueError):
            validate_unasked(second.keys("server"), payloads[0])

    def test_proves_when_a_request_names_the_origin(self):
        gateway = self.start(START + REQUEST)
        client = self.client(gateway)
        self.answer(client, 1, "localhost")
        self.assertEqual([chain[0] for _, chain in self.proofs(client, self.seen)], [self.b.der])
        answer = self.answer(client, 3, f"C.example:{gateway.port}")
        self.assertEqual(answer, {"path": "/"})
        self.assertEqual([chain[0] for _, chain in self.proofs(client, self.seen)], [self.c.der])
        self.answer(client, 5, f"c.example:{gateway.port}")
        self.assertEqual(self.proofs(client, self.seen), [], "once is enough")

    def test_proves_before_it_answers_a_connect(self):
        client = self.client(self.start(REQUEST + 'origins = ["https://c.example"]\n'))
        client.send(h2.HEADERS, h2.END_HEADERS, 1, b"\x02\x07CONNECT\x01\x0dc.example:443")
        client.expect(h2.SERVER_CERTIFICATE)
        client.expect(h2.HEADERS)

    def test_proves_nothing_to_who_does_not_take_part(self):
        gateway = self.start(START + REQUEST)
        for takes in (None, 0):
            client = self.client(gateway, takes)
            self.answer(client, 1, "localhost")
            kinds = [frame[0] for frame in self.seen]
            self.assertEqual(self.answer(client, 3, f"c.example:{gateway.port}")["error"],
                             "misdirected")
            kinds += [frame[0] for frame in self.seen]
            self.assertNotIn(h2.SERVER_CERTIFICATE, kinds)
            self.assertNotIn(ORIGIN, kinds)

    def test_answers_421_for_an_origin_that_it_does_not_serve(self):
        gateway = self.start(START)
        client = self.client(gateway)
        client.expect(h2.SERVER_CERTIFICATE)
        for stream, authority in enumerate(["b.example", "other.example", f"b.example:{gateway.port + 1}",
                                            "b.example.:443"]):
            answer = self.answer(client, 2 * stream + 1, authority)
            self.assertEqual(answer["error"], "misdirected", authority)
        for stream, authority in enumerate(["localhost", "localhost:8443", "127.0.0.1",
                                            f"B.EXAMPLE:{gateway.port}"]):
            self.assertEqual(self.answer(client, 2 * stream + 101, authority), {"path": "/"}, authority)

    def test_serves_any_authority_when_it_has_no_further_certificate(self):
        client = self.client(self.start("idle_timeout = 60\n"))
        settings = client.expect(h2.SETTINGS)[3]
        self.assertNotIn(bytes.fromhex("f0c5"), settings)
        self.assertEqual(self.answer(client, 1, "other.example"), {"path": "/"})

    def test_ends_the_connection_of_a_client_that_breaks_the_rules(self):
        gateway = self.start(START)
        withdrawn = self.client(gateway)
        withdrawn.send_settings({h2.SERVER_CERT_AUTH: 0})
        self.assertEqual(withdrawn.expect_goaway(), 1)
        self.assertIn("withdrew", gateway.next_record()["detail"])
        proving = self.client(gateway)
        proving.send(h2.SERVER_CERTIFICATE, 0, 0, b"x")
        self.assertEqual(proving.expect_goaway(), 1)
        self.assertIn("from a client", gateway.next_record()["detail"])
        self.assertEqual(self.client(gateway, 2).expect_goaway(), 1)
        self.assertIn("not 1", gateway.next_record()["detail"])


class Http3(CertificatesTest):
    def test_proves_at_the_start_and_when_a_request_names_the_origin(self):
        gateway = self.start(START + REQUEST, "--http3")
        client = self.client(gateway, kind=h3)
        self.assertEqual(origins_in(client.expect(ORIGIN)[3]),
                         [f"https://{name}:{gateway.port}"
                          for name in ("localhost", "b.example", "c.example")])
        for expected in (self.b, self.c):
            _, body, _ = split(client.expect(h2.SERVER_CERTIFICATE)[3])[0]
            self.assertEqual(entries_of(body, body[1:33]), [each.der for each in expected.chain])
            client.request(1 if expected is self.b else 3, "/",
                           authority=f"c.example:{gateway.port}")

    def test_proves_nothing_to_who_does_not_take_part(self):
        gateway = self.start(START, "--http3")
        client = self.client(gateway, None, h3)
        client.request(1, "/")
        client.expect(h2.HEADERS)
        client.request(3, "/", authority=f"b.example:{gateway.port}")
        self.assertEqual(json.loads(client.read_body(3))["error"], "misdirected")


class Configuration(CertificatesTest):
    def test_each_refusal_names_the_line_and_what_to_write(self):
        first = '[[server_certificate]]\ncert = "b.pem"\n'
        for text, line, expected in [
                (first, 1, "key"),
                (START * 65, 3 * 64 + 2, "more than 64"),
                (first + 'key = "c.key"\n', 2, "not the key of the first certificate"),
                (first + 'key = "none.key"\n', 2, "PEM key without passphrase"),
                ('[[server_certificate]]\ncert = "b.key"\nkey = "b.key"\n', 2, "PEM chain"),
                (START + 'when = "later"\n', 4, '"start" or "request"'),
                (START + 'origins = ["b.example"]\n', 4, '"https://HOST[:PORT]"'),
                (START + 'origins = ["https://b.example/"]\n', 4, '"https://HOST[:PORT]"'),
                (START + 'origins = ["https://c.example"]\n', 4, "not for c.example"),
                (START.replace("b.", "unnamed.") + 'origins = ["https://d.example"]\n', 4,
                 "not for d.example"),
                (START.replace("b.", "clients."), 2, "not for TLS servers"),
                (START + 'origin = "https://b.example"\n', 4, 'unknown key "origin"'),
                (START.replace("b.", "any."), 1, "without a wildcard")]:
            path = self.write(text)
            assert_refused(self, ["--listen", "127.0.0.1:0", "--cert", self.server_pem, "--key",
                                  self.server_key, "--config", path], f"{path}:{line}: ", expected)

    def test_takes_origins_of_a_wildcard(self):
        client = self.client(self.start(START.replace("b.", "any.") +
                                        'origins = ["https://d.example.org", "https://e.example.org:444"]\n'))
        self.assertEqual(origins_in(client.expect(ORIGIN)[3])[1:],
                         ["https://d.example.org", "https://e.example.org:444"])
        self.assertEqual(self.answer(client, 1, "d.example.org"), {"path": "/"})
        self.assertEqual(self.answer(client, 3, "e.example.org:444"), {"path": "/"})
        self.assertEqual(self.answer(client, 5, "f.example.org")["error"], "misdirected")


if __name__ == "__main__":
    unittest.main()
