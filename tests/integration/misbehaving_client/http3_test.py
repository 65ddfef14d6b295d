#!/usr/bin/python3
"""Clients that break a rule over HTTP/3, of the client-certs draft (CC, A) or of RFC 9114 where the
control stream and SETTINGS are concerned: one behaviour for each rule."""
import unittest

import raw_http2 as h2
import raw_http3 as h3
from authenticator import FINISHED, message
from http3_steps import (ANY, CLIENT_CERT_AUTH, CODES, GREASE, LARGEST, PING, end_control_stream,
                         head_of, on_a_stream, reset_control_stream, settings)
from misbehaving_client import MisbehavingClientTest
from rows import rows
from server_steps import setting

WRONG = (h2.CERTIFICATE, 0, 0, message(FINISHED, bytes(48)))


def prove(peer, case, piece=None):
    peer.send(h2.CERTIFICATE, 0, 0, case.proof.build(), piece=piece)


def refuse_twice(peer, case):
    for _ in range(2):
        peer.send(*WRONG)


def prove_on_the_stream_that_waits(peer, case):
    peer.send(h2.CERTIFICATE, 0, 1, case.proof.build())


def send_back_the_request(peer, case):
    peer.send(h2.AUTHENTICATOR_REQUESTS, 0, 0, h2.requests_payload(case.request))


# -- how it must end


def ends(name, detail=ANY, path="/one", limit=4):
    """`row`: what the client does once the gateway has asked for what `path` wants."""
    def check(self, row):
        client = self.connect(limit)
        case = None
        if path:
            client.request(1, path, end=False)  # it has more to say there
            case = self.case(client, self.asked(client)[0])
        for step in row:
            self.take(client, step, case)
        self.assert_goaway(client, detail, CODES[name], name)
    return check


def proved(self, row):
    case, = self.ask()
    for step in row:
        self.take(case.client, step, case)
    self.assert_proved(case.client)


class Http3ClientTest(MisbehavingClientTest):
    CLIENT = h3.Client
    PROTOCOL = "http3"
    OPTIONS = ("--http3",)

    @staticmethod
    def take(client, step, case):
        if isinstance(step, tuple):
            client.send(*step)
        elif isinstance(step, bytes):
            client.send_bytes(step)
        elif step.__code__.co_argcount == 1:
            step(client)
        else:
            step(client, case)


@rows(ends("H3_MISSING_SETTINGS", path=None, limit=False),
      CC8_certificate_before_any_settings=[WRONG],
      CC8_unknown_frame_before_any_settings=[(GREASE, 0, 0, b"")])
@rows(ends("H3_SETTINGS_ERROR", "a certificate setting is there twice", path=None,
           limit=False),
      CC8_setting_twice_in_a_frame=[setting(4, 4)],
      CC7_setting_withdrawn_in_the_frame_that_gave_it=[setting(4, 0)])
@rows(ends("H3_FRAME_UNEXPECTED", path=None),
      CC7_settings_twice=[setting(4)],
      CC7_setting_withdrawn_before_any_request=[setting(0)])
@rows(ends("H3_FRAME_UNEXPECTED"),
      CC7_setting_withdrawn_while_a_request_is_unanswered=[setting(0)],
      CC7_setting_withdrawn_after_the_proof=[prove, setting(0)],
      CC8_settings_on_the_stream_that_waits=[(h2.SETTINGS, 0, 1, setting(4)[3])])
@rows(ends("H3_SETTINGS_ERROR", path=None, limit=False),
      CC8_setting_of_http2_that_is_reserved=[settings((2, 0))])
@rows(ends("H3_FRAME_ERROR", path=None, limit=False),
      CC8_setting_without_a_value=[
          h3.frame_head(h2.SETTINGS, 4) + h3.varint(CLIENT_CERT_AUTH)])
class ClientSettingsOverHttp3(Http3ClientTest):
    """Rows 1 to 8 of the draft's requirements, RFC 9114 section 7.2.4."""

    def test_CC3_a_client_without_the_setting_or_with_0_is_asked_nothing(self):
        for limit in (None, 0):
            client = self.connect(limit)
            client.request(1, "/one")
            self.assertEqual(self.answer(client, 1)["error"], "not-supported")

    def test_CC8_a_request_overtakes_the_settings(self):
        client = self.connect(False)
        client.request(1, "/one")
        client.send(*setting(4))
        prove(client, self.case(client, self.asked(client)[0]))
        self.assert_proved(client)

    def test_CC8_settings_arrive_byte_by_byte_behind_a_request_and_among_unknown_ones(self):
        client = self.connect(False)
        client.request(1, "/one")
        payload = h3.settings_payload([(GREASE, 1), (CLIENT_CERT_AUTH, 4), (1 << 61, 9)])
        for byte in h3.frame_head(h2.SETTINGS, len(payload)) + payload:
            client.send_bytes(bytes([byte]))
        prove(client, self.case(client, self.asked(client)[0]))
        self.assert_proved(client)


@rows(ends("H3_FRAME_UNEXPECTED", "CERTIFICATE without an outstanding request", path=None),
      CC24_unasked=[WRONG],
      CC24_unasked_of_no_bytes=[(h2.CERTIFICATE, 0, 0, b"")])
@rows(ends("H3_FRAME_UNEXPECTED", "CERTIFICATE without an outstanding request"),
      CC24_two_wrong_answers_to_one_request=[refuse_twice],
      CC24_one_answer_to_two_frames=[prove, prove])
@rows(ends("H3_FRAME_UNEXPECTED", "CERTIFICATE without an outstanding request", path=None,
           limit=None),
      CC5_without_the_setting=[WRONG])
@rows(ends("H3_FRAME_UNEXPECTED", "CERTIFICATE without an outstanding request", path=None,
           limit=0),
      CC5_with_setting_0=[WRONG])
@rows(ends("H3_FRAME_UNEXPECTED", "CERTIFICATE on the wrong stream"),
      CC20_right_proof_on_the_stream_that_waits=[prove_on_the_stream_that_waits],
      CC20_certificate_of_no_bytes_on_the_stream_that_waits=[(h2.CERTIFICATE, 0, 1, b"")])
@rows(ends("H3_FRAME_UNEXPECTED", "AUTHENTICATOR_REQUESTS from a client"),
      CC18_requests_of_no_bytes=[(h2.AUTHENTICATOR_REQUESTS, 0, 0, b"")],
      CC18_requests_on_the_stream_that_waits=[(h2.AUTHENTICATOR_REQUESTS, 0, 1, b"x")],
      CC18_the_servers_own_requests=[send_back_the_request])
@rows(ends("H3_FRAME_UNEXPECTED", "a server certificate frame from a client"),
      CC27_server_certificate=[(h2.SERVER_CERTIFICATE, 0, 0, b"x")],
      CC27_server_certificate_on_the_stream_that_waits=[(h2.SERVER_CERTIFICATE, 0, 1, b"x")])
@rows(ends("H3_EXCESSIVE_LOAD", "a frame is too large"),
      CC35_certificate_larger_than_any=[head_of(h2.CERTIFICATE, LARGEST + 1)],
      CC35_certificate_of_2_62_bytes=[head_of(h2.CERTIFICATE, (1 << 62) - 1)])
@rows(ends("H3_STREAM_CREATION_ERROR"),
      CC22_certificate_on_a_second_control_stream=[
          on_a_stream(h3.CONTROL, setting(4), WRONG)])
@rows(ends("H3_CLOSED_CRITICAL_STREAM"),
      CC22_control_stream_ends=[end_control_stream],
      CC22_control_stream_ends_in_a_certificate=[
          head_of(h2.CERTIFICATE, 99), end_control_stream],
      CC22_control_stream_is_reset=[reset_control_stream])
@rows(ends("H3_FRAME_UNEXPECTED"),
      CC40_ping_of_http2=[(PING, 0, 0, bytes(8))],
      CC40_data_on_the_control_stream=[(h2.DATA, 0, 0, b"x")])
class ClientFramesOverHttp3(Http3ClientTest):
    """Rows 5, 18, 20, 24, 25, 27, 35 and 40 of the draft's requirements."""


@rows(proved,
      CC38_between_unknown_frames=[(GREASE, 0, 0, b"x"), (GREASE, 0, 0, b""), prove,
                                   (0x1f4f4a2, 0, 0, bytes(16384))],
      CC40_frames_of_ours_on_a_stream_of_no_known_type=[on_a_stream(GREASE, WRONG, WRONG), prove])
class OddClientsOverHttp3(Http3ClientTest):
    """What no rule forbids does no harm."""

    def test_CC22_a_proof_in_pieces(self):
        case, = self.ask()
        prove(case.client, case, piece=7)
        self.assert_proved(case.client)

    def test_CC24_an_answer_that_comes_with_the_request_answers_nothing(self):
        client = self.connect()
        with client.together():
            client.request(1, "/one")
            client.send(*WRONG)
        self.assert_goaway(client, "CERTIFICATE without an outstanding request",
                           CODES["H3_FRAME_UNEXPECTED"], "H3_FRAME_UNEXPECTED")

    def test_CC34_another_connection_is_nobodys(self):
        case, = self.ask()
        prove(case.client, case)
        self.assert_proved(case.client)
        other = self.connect()
        self.assert_knows_nobody(other, 1)

    def test_EA48_a_proof_of_another_connection_is_worth_nothing(self):
        theirs, = self.ask()
        self.assert_refused(lambda case: theirs.proof.build(), "invalid",
                            "the proof is not valid: .*does not echo the context.*")

    def assert_knows_nobody(self, client, stream=3):
        super().assert_knows_nobody(client, stream)


class SilentClientsOverHttp3(Http3ClientTest):
    OPTIONS = ("--http3", "--decision-timeout", "0.5")

    def test_CC8_settings_that_never_come_hold_up_a_request_no_longer_than_an_answer(self):
        client = self.connect(False)
        client.request(1, "/one")
        self.assertEqual(self.answer(client, 1)["error"], "not-supported")

    def test_CC22_half_a_certificate_holds_up_a_request_no_longer_than_an_answer(self):
        case, = self.ask()
        data = case.proof.build()
        case.client.send_bytes(head_of(h2.CERTIFICATE, len(data)) + data[:100])
        self.assertEqual(self.answer(case.client, 1)["error"], "timeout")
        case.client.send_bytes(data[100:])
        case.client.request(3, "/whoami")
        self.assert_proved(case.client, 3)


if __name__ == "__main__":
    unittest.main()
