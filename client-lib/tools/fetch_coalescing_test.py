#!/usr/bin/python3
"""When signet-fetch sends the URL of another origin on a connection that it has: secondary server
certificates, with a server by hand that proves what it likes."""
import os
import unittest

import certificates
import fake_agent
import raw_http2 as h2
from authenticator import Proof
from fetch_connections_test import STATUS_421, ConnectionsTest as _ConnectionsTest
from fetch_connections_test import SeveralConnections
from ipc import agent_pb2 as agent
from raw_http2 import AUTHENTICATOR_REQUESTS, certificate_request, requests_payload

ORIGIN = 0x0c


def prove(peer, identity, context=b"one"):
    """A SERVER_CERTIFICATE frame that nobody has asked for (RFC 9261 section 3)."""
    proof = Proof(peer.keys("server"), b"", [each.der for each in identity.chain], identity.key,
                  context=context)
    peer.send(h2.SERVER_CERTIFICATE, 0, 0, proof.build())


def origins(*names):
    """The payload of an ORIGIN frame (RFC 8336 section 2.1)."""
    return b"".join(len(name).to_bytes(2, "big") + name.encode() for name in names)


def answer(peer, status=h2.STATUS_200):
    stream = peer.expect(h2.HEADERS)[2]
    peer.send(h2.HEADERS, h2.END_HEADERS, stream, status)
    peer.send(h2.DATA, h2.END_STREAM, stream, b"a")


def wait_for_the_end(peer):
    while peer.read():
        pass


class CoalescingTest(_ConnectionsTest):
    """A server by hand at a.test, which proves certificates before its first answer, and a gateway
    at b.test, on another port."""

    def run_with(self, script, *options, path="/", support=None, at_gateway=True, more=()):
        """Fetches from a.test, then from b.test: at its gateway's port, or at that of a.test."""
        def whole(peer):
            peer.send_settings(support or {h2.SERVER_CERT_AUTH: 1})
            settings = peer.expect(h2.SETTINGS)[3]
            self.assertIn(h2.SERVER_CERT_AUTH.to_bytes(2, "big") + b"\0\0\0\x01", settings)
            script(peer)
            wait_for_the_end(peer)
        server = SeveralConnections(*self.files["a.test"], whole)
        self.addCleanup(server.finish)
        self.b = f"https://b.test:{self.gateway('b.test').port if at_gateway else server.port}"
        port = int(self.b.rsplit(":", 1)[1])
        return self.fetch(*options, f"https://a.test:{server.port}{path}", self.b + "/1",
                          *[self.b + each for each in more], ports={server.port, port})

    def of(self, result):
        """For each response its connection and the use of it, and what was passed over for b."""
        self.assertEqual(result.exit, 0, result.stderr)
        said = result.json["responses"]
        return ([(each["connection"], each["use"]) for each in said],
                [(each["connection"], each["reason"]) for each in said[1]["passed_over"]])


class Proved(CoalescingTest):
    def test_is_coalesced_where_a_lookup_leads_to_the_same_address(self):
        def script(peer):
            prove(peer, self.servers["b.test"])
            answer(peer)
            answer(peer)
            answer(peer)
        result = self.run_with(script, at_gateway=False, more=["/2"])
        self.assertEqual(self.of(result), ([(1, "new"), (1, "coalesced"), (1, "coalesced")], []))
        self.assertIn("a lookup leads there", result.json["responses"][1]["why"])
        self.assertEqual(result.json["server_certificates"],
                         [{"names": "b.test", "proved": True, "reason": "", "detail": ""}])

    def test_is_not_coalesced_where_a_lookup_leads_elsewhere(self):
        def script(peer):
            prove(peer, self.servers["b.test"])
            answer(peer)
        result = self.run_with(script, more=["/2"])
        self.assertEqual(self.of(result),
                         ([(1, "new"), (2, "new"), (2, "same-origin")], [(1, "dns")]))

    def test_is_coalesced_where_an_origin_frame_names_it_whatever_a_lookup_says(self):
        def script(peer):
            peer.send(ORIGIN, 0, 0, origins(self.b))
            prove(peer, self.servers["b.test"])
            answer(peer)
            answer(peer)
        result = self.run_with(script)
        self.assertEqual(self.of(result), ([(1, "new"), (1, "coalesced")], []))
        self.assertIn("ORIGIN", result.json["responses"][1]["why"])

    def test_is_not_coalesced_where_an_origin_frame_leaves_it_out(self):
        def script(peer):
            peer.send(ORIGIN, 0, 0, origins("https://c.test"))
            prove(peer, self.servers["b.test"])
            answer(peer)
        self.assertEqual(self.of(self.run_with(script)),
                         ([(1, "new"), (2, "new")], [(1, "not-proved")]))

    def test_is_not_coalesced_without_proof_though_an_origin_frame_names_it(self):
        def script(peer):
            peer.send(ORIGIN, 0, 0, origins(self.b))
            answer(peer)
        self.assertEqual(self.of(self.run_with(script)),
                         ([(1, "new"), (2, "new")], [(1, "not-proved")]))

    def test_is_not_coalesced_after_the_server_has_said_goodbye(self):
        """What is proved on one connection counts on no other."""
        def script(peer):
            prove(peer, self.servers["b.test"])
            answer(peer)
            peer.send(h2.GOAWAY, 0, 0, b"\0\0\0\x01\0\0\0\0")
        result = self.run_with(script)
        self.assertEqual(self.of(result)[0], [(1, "new"), (2, "new")])

    def test_goes_to_a_connection_of_its_own_after_421_and_stays_there(self):
        def script(peer):
            peer.send(ORIGIN, 0, 0, origins(self.b))
            prove(peer, self.servers["b.test"])
            answer(peer)
            answer(peer, STATUS_421)
        result = self.run_with(script, more=["/2"])
        self.assertEqual(self.of(result), ([(1, "new"), (2, "new"), (2, "same-origin")],
                                           [(1, "misdirected")]))

    def test_says_all_of_it_with_verbose(self):
        def script(peer):
            prove(peer, self.servers["b.test"])
            answer(peer)
        result = self.run_with(script, "--verbose")
        self.assertEqual(result.exit, 0, result.stderr)
        for expected in ["* secondary server certificates: negotiated",
                         "< server certificate 1 for b.test: proved",
                         f"* not connection 1 (dns): the server has proved that it is {self.b}, "
                         "but a lookup leads elsewhere"]:
            self.assertIn(expected, result.stderr)


class NotUsed(CoalescingTest):
    def test_a_certificate_of_nobody_that_we_trust_is_no_error(self):
        stranger = certificates.server(certificates.authority("stranger"), "b.test", "strange")

        def script(peer):
            prove(peer, stranger)
            answer(peer)
        result = self.run_with(script)
        self.assertEqual(self.of(result), ([(1, "new"), (2, "new")], [(1, "not-proved")]))
        (told,) = result.json["server_certificates"]
        self.assertEqual((told["names"], told["proved"], told["reason"]),
                         ("b.test", False, "untrusted"))

    def test_a_certificate_for_another_host(self):
        other = certificates.server(self.ca, "other.test", "other")

        def script(peer):
            prove(peer, other)
            answer(peer)
        self.assertEqual(self.of(self.run_with(script)),
                         ([(1, "new"), (2, "new")], [(1, "not-proved")]))

    def test_a_proof_with_the_key_of_somebody_else_ends_the_connection(self):
        thief = certificates.server(self.ca, "b.test", "thief")
        thief.certificate = self.servers["b.test"].certificate

        def script(peer):
            prove(peer, thief)
            peer.expect(h2.GOAWAY)
        result = self.run_with(script)
        self.assertEqual(result.exit, 16, result.stderr)
        self.assertEqual(result.json["connection_error"]["name"], "SERVER_CERTIFICATE_INVALID")
        self.assertEqual(result.json["responses"], [])


class AfterAClientCertificate(CoalescingTest):
    def test_nothing_is_coalesced_any_more(self):
        user = certificates.client(certificates.authority("users"), "jane")
        path = os.path.join(self.folder.name, "agent.sock")
        fake = fake_agent.FakeAgent(path)
        fake.answer = lambda call: fake_agent.prove(call, user, agent.IDENTITY_KIND_USER)
        self.addCleanup(fake.close)

        def script(peer):
            peer.send(ORIGIN, 0, 0, origins(self.b))
            prove(peer, self.servers["b.test"])
            peer.send(AUTHENTICATOR_REQUESTS, 0, 0, requests_payload(certificate_request(b"who")))
            stream = peer.expect(h2.HEADERS)[2]
            peer.expect(h2.CERTIFICATE)
            peer.send(h2.HEADERS, h2.END_HEADERS, stream, h2.STATUS_200)
            peer.send(h2.DATA, h2.END_STREAM, stream, b"a")
        result = self.run_with(script, "--agent", path, "--verbose",
                               support={h2.SERVER_CERT_AUTH: 1, h2.CLIENT_CERT_AUTH: 1})
        self.assertEqual(self.of(result), ([(1, "new"), (2, "new")], [(1, "client-certificate")]))
        self.assertEqual(result.json["certificates_sent"], 1)
        self.assertIn("* not connection 1 (client-certificate): a client certificate was proved "
                      f"there, and it would speak for {self.b}, too\n", result.stderr)


if __name__ == "__main__":
    unittest.main()
