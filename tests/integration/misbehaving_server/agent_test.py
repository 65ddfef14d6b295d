#!/usr/bin/python3
"""Servers whose requests break no rule but fit nothing that the user has, against the real signetd:
they get empty authenticators, no error, and no signature."""
import socket
import types
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from authenticator import vector
from ipc import agent_pb2 as agent
from misbehaving_server import AWAIT_CERTIFICATE, MisbehavingServerTest, answered
from raw_http2 import certificate_request, extension, signature_algorithms
from rows import rows
from server_steps import ONE, TWO, ask, extensions
from tests.support.stand import Stand, rule

KEY_USAGE, EXTENDED_KEY_USAGE = b"\x55\x1d\x0f", b"\x55\x1d\x25"
ANY_EXTENDED_KEY_USAGE = b"\x55\x1d\x25\x00"
SERVER_AUTH = bytes.fromhex("2b06010505070301")
CLIENT_AUTH = bytes.fromhex("2b06010505070302")


def schemes(*numbers):
    return [ask(certificate_request(b"one", signature_algorithms(*numbers)))]


def authorities(*names):
    return [ask(extensions(extension(47, vector(2, b"".join(vector(2, each) for each in names)))))]


def name(common_name):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)]).public_bytes()


def filters(*pairs):
    """oid_filters of OIDs (DER, without tag and length) and values."""
    body = b"".join(vector(1, b"\6" + vector(1, oid)) + vector(2, values) for oid, values in pairs)
    return [ask(extensions(extension(48, vector(2, body))))]


def purposes(*oids):
    return b"\x30" + vector(1, b"".join(b"\6" + vector(1, each) for each in oids))


@rows(answered("D", asked=1),
      A17_only_rsa_schemes=schemes(0x0804, 0x0805, 0x0806),
      A17_only_edwards_curves=schemes(0x0807, 0x0808),
      A17_another_curve=schemes(0x0503),
      A17_only_old_schemes=schemes(0x0401, 0x0203, 0x0201),
      A17_only_unknown_schemes=schemes(0xfafa, 0, 0xffff),
      A17_chain_signed_with_another_scheme=[
          ask(extensions(signature_algorithms(0x0804, kind=50)))],
      A17_authority_nobody_knows=authorities(name("Stranger")),
      A17_authority_that_is_no_name=authorities(b"\xff" * 100),
      A17_authority_with_a_byte_more=authorities(name("Test user CA") + b"\0"),
      A17_500_authorities=authorities(*(name(f"Stranger {each}") for each in range(500))),
      EA37_filter_for_servers=filters((EXTENDED_KEY_USAGE, purposes(SERVER_AUTH))),
      EA37_filter_for_clients_and_servers=filters(
          (EXTENDED_KEY_USAGE, purposes(CLIENT_AUTH, SERVER_AUTH))),
      R12_filter_for_any_purpose=filters((EXTENDED_KEY_USAGE, purposes(ANY_EXTENDED_KEY_USAGE))),
      EA37_filter_for_authorities=filters((KEY_USAGE, b"\x03\x02\x02\x04")),
      EA37_filter_of_no_der=filters((EXTENDED_KEY_USAGE, b"\xff\xff\xff")),
      EA37_one_filter_fits_and_one_does_not=filters(
          (KEY_USAGE, b"\x03\x02\x07\x80"), (EXTENDED_KEY_USAGE, purposes(SERVER_AUTH))))
@rows(answered("P"),
      A17_right_authority_among_strangers=authorities(
          *(name(f"Stranger {each}") for each in range(500)), name("Test user CA")),
      A17_good_scheme_at_the_end=schemes(0xfafa, 0x0401, 0x0807, 0x0804, 0x0503, 0x0403),
      A17_good_scheme_a_thousand_times=schemes(*[0x0403] * 1000),
      EA37_filter_for_clients=filters((EXTENDED_KEY_USAGE, purposes(CLIENT_AUTH))),
      EA37_filter_for_signatures=filters((KEY_USAGE, b"\x03\x02\x07\x80")),
      EA37_filter_nobody_knows=filters((b"\x2a\x03\x04", b"\xff\xff")))
@rows(answered("PD"),
      CC32_asks_for_the_same_again=[ask(ONE), AWAIT_CERTIFICATE, ask(TWO)])
class UnfittingRequests(MisbehavingServerTest):
    """Ambiguity A17."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stand = cls.enterClassContext(Stand())
        cls.stand.add_software()
        cls.stand.rules.append(rule("https://localhost", "alice", "allow"))
        cls.stand.start_agent()
        cls.stand.enrol("alice", "file", "user")
        chain = x509.load_pem_x509_certificate(
            (cls.stand.dir / "ca" / "alice-chain.pem").read_bytes())
        leaf = types.SimpleNamespace(der=chain.public_bytes(serialization.Encoding.DER))
        cls.alice = types.SimpleNamespace(chain=[leaf])

    def answer(self, call):
        """What the real agent says to this call."""
        message = agent.ClientMessage(id=1, authenticate=call).SerializeToString()
        with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as stream:
            connection.connect(str(self.stand.dir / "run" / "agent.sock"))
            connection.sendall(vector(4, message))
            size = int.from_bytes(stream.read(4), "big")
            return agent.AgentMessage.FromString(stream.read(size)).authenticate


if __name__ == "__main__":
    unittest.main()
