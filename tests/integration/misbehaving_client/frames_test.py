#!/usr/bin/python3
"""Clients that break rules of the client-certs draft (CC), of RFC 9261 (EA) or of HTTP/2 with their
settings and frames, and clients that are only odd."""
import contextlib
import struct
import time
import unittest

import certificates
import raw_http2 as h2
from authenticator import FINISHED, context_of, decline, message
from misbehaving_client import MisbehavingClientTest
from rows import rows

FRAME_SIZE_ERROR = 6
NO_ERROR = 0
WRONG = (h2.CERTIFICATE, 0, 0, message(FINISHED, bytes(48)))
HALF_A_HEADER_BLOCK = (h2.HEADERS, 0, 3, b"\x87")


def setting(*values, stream=0, number=h2.CLIENT_CERT_AUTH):
    return (h2.SETTINGS, 0, stream, b"".join(struct.pack("!HI", number, each) for each in values))


def prove(client, case, flags=0, stream=0, piece=None):
    client.send(h2.CERTIFICATE, flags, stream, case.proof.build(), piece=piece)


def refuse(client, case):
    client.send(h2.CERTIFICATE, 0, 0, decline(case.keys, case.request))


def largest_and_one(client, case):
    """A CERTIFICATE above what the gateway takes."""
    size = next((value for number, value in struct.iter_unpack("!HI", client.settings)
                 if number == h2.MAX_FRAME_SIZE), 16384)
    client.send(h2.CERTIFICATE, 0, 0, bytes(size + 1))


# -- how it must end


def broken(detail, *how, path="/one", limit=4):
    """`row`: what the client does once the gateway has asked for what `path` wants."""
    def check(self, row):
        client = self.connect(limit)
        client.settings = client.expect(h2.SETTINGS)[3]
        case = None
        if path:
            client.request(1, path)
            case = self.case(client, self.asked(client)[0])
        for step in row:
            if callable(step):
                step(client, case)
            else:
                client.send(*step)
        self.assert_goaway(client, detail, *how)
    return check


def proved(self, row):
    case, = self.ask()
    row(case.client, case)
    self.assert_proved(case.client)


@rows(broken("CERTIFICATE without an outstanding request", path=None),
      CC24_unasked=[WRONG],
      CC24_unasked_of_no_bytes=[(h2.CERTIFICATE, 0, 0, b"")],
      CC24_unasked_with_all_flags=[(h2.CERTIFICATE, 0xff, 0, b"x")])
@rows(broken("CERTIFICATE without an outstanding request"),
      CC24_two_wrong_answers_to_one_request=[WRONG, WRONG],
      CC24_one_answer_to_two_frames=[prove, prove],
      CC24_refusal_after_a_proof=[prove, refuse],
      CC24_proof_after_a_refusal=[refuse, prove])
@rows(broken("CERTIFICATE without an outstanding request", path=None, limit=None),
      CC5_without_the_setting=[WRONG])
@rows(broken("CERTIFICATE without an outstanding request", path=None, limit=0),
      CC5_with_setting_0=[WRONG])
@rows(broken("CERTIFICATE on the wrong stream"),
      A13_on_the_stream_that_waits=[(h2.CERTIFICATE, 0, 1, b"x")],
      A13_on_an_idle_stream=[(h2.CERTIFICATE, 0, 3, b"x")],
      A13_on_a_stream_of_the_server=[(h2.CERTIFICATE, 0, 2, b"x")],
      A13_right_proof_on_the_stream_that_waits=[lambda client, case: prove(client, case, stream=1)])
@rows(broken("AUTHENTICATOR_REQUESTS from a client"),
      CC18_requests=[(h2.AUTHENTICATOR_REQUESTS, 0, 0,
                      h2.requests_payload(h2.certificate_request(b"x")))],
      CC18_requests_of_no_bytes=[(h2.AUTHENTICATOR_REQUESTS, 0, 0, b"")],
      CC18_requests_on_a_stream=[(h2.AUTHENTICATOR_REQUESTS, 0, 1, b"x")],
      CC18_the_servers_own_requests=[lambda client, case: client.send(
          h2.AUTHENTICATOR_REQUESTS, 0, 0, h2.requests_payload(case.request))])
@rows(broken("a server certificate frame from a client"),
      CC27_server_certificate=[(h2.SERVER_CERTIFICATE, 0, 0, b"x")],
      CC27_server_certificate_of_no_bytes=[(h2.SERVER_CERTIFICATE, 0, 0, b"")],
      CC27_server_certificate_on_a_stream=[(h2.SERVER_CERTIFICATE, 0, 1, b"x")],
      CC27_right_proof_in_a_server_certificate=[lambda client, case: client.send(
          h2.SERVER_CERTIFICATE, 0, 0, case.proof.build())])
@rows(broken("the client withdrew the client certificate setting"),
      CC7_setting_withdrawn_while_a_request_is_unanswered=[setting(0)],
      CC7_setting_withdrawn_and_given_again=[setting(0, 4)],
      CC7_setting_withdrawn_after_the_proof=[prove, setting(0)])
@rows(broken("the client withdrew the client certificate setting", path=None),
      CC7_setting_withdrawn_before_any_request=[setting(0)],
      CC7_setting_raised_and_withdrawn_in_one_frame=[setting(9, 0)])
@rows(broken("SETTINGS expected", path=None, limit=False),
      CC8_certificate_before_any_settings=[WRONG],
      CC8_requests_before_any_settings=[(h2.AUTHENTICATOR_REQUESTS, 0, 0, b"")])
@rows(broken("SETTINGS: stream_id != 0"), CC8_setting_on_a_stream=[setting(4, stream=1)])
@rows(broken("", FRAME_SIZE_ERROR, "FRAME_SIZE_ERROR"),
      CC8_setting_of_5_bytes=[(h2.SETTINGS, 0, 0, setting(4)[3][:5])])
@rows(broken("too large frame size", FRAME_SIZE_ERROR, "FRAME_SIZE_ERROR"),
      CC39_certificate_above_the_frame_size=[largest_and_one])
@rows(broken(".*CONTINUATION.*"),
      CC40_wrong_certificate_inside_a_header_block=[HALF_A_HEADER_BLOCK, WRONG],
      CC40_right_certificate_inside_a_header_block=[HALF_A_HEADER_BLOCK, prove],
      CC40_requests_inside_a_header_block=[
          HALF_A_HEADER_BLOCK, (h2.AUTHENTICATOR_REQUESTS, 0, 0, b"")],
      CC40_unknown_frame_inside_a_header_block=[HALF_A_HEADER_BLOCK, (0xee, 0, 0, b"")])
class ClientFrames(MisbehavingClientTest):
    """Rows 5, 7, 8, 18, 24, 25, 27, 39 and 40 of the draft's requirements."""


@rows(proved,
      CC38_all_flags=lambda client, case: prove(client, case, flags=0xff),
      CC38_reserved_bit=lambda client, case: prove(client, case, stream=0x80000000),
      CC22_byte_by_byte=lambda client, case: prove(client, case, piece=1),
      CC22_records_of_100_bytes=lambda client, case: prove(client, case, piece=100),
      CC38_between_unknown_frames=lambda client, case: (
          client.send(0xee, 0xff, 0, b"x"), client.send(0xee, 0, 7, b""), prove(client, case),
          client.send(0xee, 0, 0, bytes(16384))),
      A19_after_goaway_without_error=lambda client, case: (
          client.send(h2.GOAWAY, 0, 0, struct.pack("!II", 0, NO_ERROR)), prove(client, case)),
      A11_after_the_limit_was_lowered=lambda client, case: (
          client.send(*setting(1)), prove(client, case)),
      CC35_after_2000_pings=lambda client, case: (
          [client.send(h2.PING, 0, 0, bytes(8)) for _ in range(2000)], prove(client, case)),
      CC35_after_2000_unknown_frames=lambda client, case: (
          [client.send(0xee, 0, 0, b"x") for _ in range(2000)], prove(client, case)))
class OddClients(MisbehavingClientTest):
    """What no rule forbids does no harm."""

    def two(self, path="/two", limit=4):
        """The requests for the first two authorities, and who can answer them."""
        self.bob = certificates.client(self.authorities[1], "bob")
        first, second = self.ask(path, limit)[:2]
        return first, self.case(first.client, second.request, self.bob)

    def test_CC22_order_decides_who_answers_what(self):
        alice, bob = self.two()
        prove(alice.client, alice)
        prove(alice.client, bob)
        self.assert_proved(alice.client, identities=[self.alice, self.bob])

    def test_CC22_answers_in_the_wrong_order_are_both_invalid(self):
        alice, bob = self.two()
        prove(alice.client, bob)
        prove(alice.client, alice)
        self.assertEqual(self.answer(alice.client, 1)["error"], "invalid")
        self.assert_knows_nobody(alice.client)

    def test_CC22_refusals_in_the_wrong_order_are_both_invalid(self):
        alice, bob = self.two()
        refuse(alice.client, bob)
        refuse(alice.client, alice)
        self.assertEqual(self.answer(alice.client, 1)["error"], "invalid")

    def test_CC11_one_refusal_leaves_the_other_identity(self):
        alice, bob = self.two()
        refuse(alice.client, alice)
        prove(alice.client, bob)
        self.assertEqual(self.answer(alice.client, 1)["error"], "declined")
        alice.client.request(3, "/whoami")
        self.assert_proved(alice.client, 3, [self.bob])

    def test_EA68_a_proof_again_proves_nothing_more(self):
        alice, _ = self.two()
        prove(alice.client, alice)
        prove(alice.client, alice)
        body = self.answer(alice.client, 1)
        self.assertEqual(body["error"], "invalid")
        self.assertIn("does not echo the context", body["detail"])

    def test_EA37_a_right_proof_of_an_authority_that_was_not_asked_for_is_untrusted(self):
        alice, bob = self.two()
        carol = self.case(alice.client, alice.request, self.bob)
        prove(alice.client, carol)
        prove(alice.client, bob)
        self.assertEqual(self.answer(alice.client, 1)["error"], "untrusted")

    def test_EA48_a_proof_of_another_connection_is_worth_nothing(self):
        theirs, = self.ask()
        prove(theirs.client, theirs)
        self.assert_proved(theirs.client)
        for spoil, detail in (
                (lambda case: theirs.proof.build(), "does not echo the context"),
                (lambda case: case.spoilt(keys=theirs.keys).build(), "MAC of Finished"),
                (lambda case: case.spoilt(request=theirs.request).build(), "echo the context"),
                (lambda case: case.proof.build(
                    certificate_verify=case.spoilt(keys=theirs.keys).certificate_verify(
                        case.proof.certificate())), "signature"),
                (lambda case: decline(theirs.keys, case.request), "empty authenticator"),
                (lambda case: decline(case.keys, theirs.request), "empty authenticator")):
            self.assert_refused(spoil, "invalid", f"the proof is not valid: .*{detail}.*")

    def test_CC34_a_resumed_tls_session_is_nobodys(self):
        earlier, = self.ask()
        prove(earlier.client, earlier)
        self.assert_proved(earlier.client)
        client = self.connect(earlier=earlier.client)
        self.assertTrue(client.connection.session_reused or not earlier.client.connection.session)
        self.assert_knows_nobody(client, 1)
        client.request(3, "/one")
        case = self.case(client, self.asked(client)[0])
        self.assertNotEqual(case.keys, earlier.keys)
        prove(client, case)
        self.assert_proved(client, 3)

    def test_CC33_an_identity_is_all_streams_and_asked_for_once(self):
        case, = self.ask()
        prove(case.client, case)
        self.assert_proved(case.client)
        case.client.request(3, "/one")
        self.assert_proved(case.client, 3)
        self.assertEqual(self.requests_so_far(case.client), [])

    def test_CC3_a_client_without_the_setting_or_with_0_is_asked_nothing(self):
        for limit in (None, 0):
            client = self.connect(limit)
            client.request(1, "/one")
            self.assertEqual(self.answer(client, 1)["error"], "not-supported")
            self.assertEqual(self.requests_so_far(client), [])

    def test_CC3_the_setting_may_come_late(self):
        client = self.connect(0)
        client.send(*setting(2))
        client.request(1, "/one")
        prove(client, self.case(client, self.asked(client)[0]))
        self.assert_proved(client)

    def test_CC2_the_largest_limit_is_a_limit(self):
        client = self.connect(0xffffffff)
        client.request(1, "/three")
        self.assertEqual(len(self.asked(client)), 3)

    def test_CC13_never_more_are_outstanding_than_the_limit(self):
        client = self.connect(1)
        for stream, path in ((1, "/three"), (3, "/two"), (5, "/one")):
            client.request(stream, path)
        for _ in range(3):
            requests = self.requests_so_far(client)
            self.assertEqual(len(requests), 1)
            self.assertEqual(self.requests_so_far(client), [])
            refuse(client, self.case(client, requests[0]))

    def test_A11_a_lowered_limit_counts_for_the_next_request(self):
        client = self.connect(2)
        client.request(1, "/three")
        first, second = self.asked(client)
        client.send(*setting(1))
        refuse(client, self.case(client, first))
        self.assertEqual(self.requests_so_far(client), [])
        refuse(client, self.case(client, second))
        self.assertEqual(len(self.requests_so_far(client)), 1)

    def test_A11_a_raised_limit_counts_at_once(self):
        client = self.connect(1)
        client.request(1, "/three")
        self.assertEqual(len(self.requests_so_far(client)), 1)
        client.send(*setting(3))
        self.assertEqual(len(self.requests_so_far(client)), 2)

    def test_CC31_no_context_is_used_twice_even_across_connections(self):
        contexts = [context_of(case.request) for _ in range(20) for case in self.ask("/three")]
        self.assertEqual(len(set(contexts)), 60)
        self.assertEqual({len(context) for context in contexts}, {32})
        for place in range(24):  # random, so no byte is the same in all of them
            self.assertGreater(len({context[place] for context in contexts}), 10)

    def test_CC35_100_streams_that_wait_share_one_request(self):
        client = self.connect()
        for stream in range(1, 200, 2):
            client.request(stream, "/one")
        requests = self.requests_so_far(client)
        self.assertEqual(len(requests), 1)
        prove(client, self.case(client, requests[0]))
        for _ in range(100):
            client.expect(h2.DATA)

    def test_CC35_requests_that_are_reset_at_once_cost_one_request(self):
        client = self.connect()
        for stream in range(1, 200, 2):
            client.request(stream, "/one")
            client.send(h2.RST_STREAM, 0, stream, struct.pack("!I", 8))
        self.assertLessEqual(len(self.requests_so_far(client)), 1)

    def test_CC35_a_refusal_is_asked_for_again_only_by_a_new_request(self):
        case, = self.ask()
        for stream in range(3, 43, 2):
            refuse(case.client, case)
            self.assertEqual(self.answer(case.client, stream - 2)["error"], "declined")
            self.assertEqual(self.requests_so_far(case.client), [])
            case.client.request(stream, "/one")
            case = self.case(case.client, self.asked(case.client)[0])

    def test_A18_a_proof_counts_for_a_request_that_comes_with_it(self):
        case, = self.ask()
        with case.client.together():
            prove(case.client, case)
            case.client.request(3, "/whoami")
        self.assert_proved(case.client, 3)

    def test_CC24_an_answer_that_comes_with_the_request_answers_nothing(self):
        client = self.connect()
        with client.together():
            client.request(1, "/one")
            client.send(*WRONG)
        self.assert_goaway(client, "CERTIFICATE without an outstanding request")

    def test_CC29_hanging_up_after_a_proof_hurts_nobody(self):
        for spoil in (lambda case: case.proof.build(), lambda case: case.proof.build()[:100]):
            case, = self.ask()
            case.client.send(h2.CERTIFICATE, 0, 0, spoil(case))
            case.client.connection.close()
        self.assert_knows_nobody(self.connect())


@rows(proved, A2_proof_where_both_certificates_have_one_number=prove)
@rows(broken("CERTIFICATE without an outstanding request", path=None),
      A2_unasked_where_both_certificates_have_one_number=[WRONG])
class OneNumber(MisbehavingClientTest):
    OPTIONS = ("--code-point", "h2.server-certificate=0xf5")


class SlowClients(MisbehavingClientTest):
    OPTIONS = ("--decision-timeout", "0.5")

    def test_A7_half_a_certificate_in_time_and_half_too_late(self):
        case, = self.ask()
        data = case.proof.build()
        header = len(data).to_bytes(3, "big") + struct.pack("!BBI", h2.CERTIFICATE, 0, 0)
        case.client.connection.sendall(header + data[:100])
        self.assertEqual(self.answer(case.client, 1)["error"], "timeout")
        case.client.connection.sendall(data[100:])
        case.client.request(3, "/whoami")
        self.assert_proved(case.client, 3)

    def test_A7_a_client_that_never_answers_is_not_asked_twice(self):
        case, = self.ask()
        self.assertEqual(self.answer(case.client, 1)["error"], "timeout")
        with case.client.together():
            case.client.request(3, "/one")
            prove(case.client, case)
        self.assert_proved(case.client, 3)


def frame(kind, size, stream=0):
    """The header of a frame and its payload, byte by byte."""
    yield size.to_bytes(3, "big") + struct.pack("!BBI", kind, 0, stream)
    for _ in range(size):
        yield b"\0"


def hung_up(self, drips):
    """The gateway ends the connection long before all drips have come."""
    case, = self.ask()
    refuse(case.client, case)
    self.assertEqual(self.answer(case.client, 1)["error"], "declined")
    connection = case.client.connection
    connection.settimeout(0.1)
    said = b""
    for drip in drips():
        with contextlib.suppress(OSError):  # it hung up; what it said before that is still to be read
            connection.sendall(drip)
        try:
            more = connection.recv(65536)
        except TimeoutError:
            continue
        except OSError:
            break
        if not more:
            break
        said += more
        time.sleep(0.1)  # drips, not a flood
    else:
        self.fail("the connection outlived all drips")
    self.assertEqual((said[-14], said[-4:]), (h2.GOAWAY, bytes(4)), said)


@rows(hung_up,
      CC35_a_header_block_in_drips=lambda: frame(h2.HEADERS, 300, 3),
      CC35_a_certificate_in_drips=lambda: frame(h2.CERTIFICATE, 300),
      CC35_nothing_but_pings=lambda: [b"\0\0\x08\6" + bytes(5 + 8)] * 300,
      CC35_nothing_but_unknown_frames=lambda: [b"\0\0\0\xee" + bytes(5)] * 300)
class DrippingClients(MisbehavingClientTest):
    """Row 35: what is not said whole holds no place for ever."""

    OPTIONS = ("--idle-timeout", "1.5")


if __name__ == "__main__":
    unittest.main()
