#!/usr/bin/python3
"""Servers that break a rule over HTTP/3, of the client-certs draft (CC, A) or of RFC 9114 where the
control stream and SETTINGS are concerned: one behaviour for each rule. What requests_test.py says of
the requests themselves is true of every HTTP version."""
import unittest

import authenticator
import certificates
import raw_http2 as h2
import raw_http3 as h3
from http3_steps import (ANY, CLIENT_CERT_AUTH, CODES, GREASE, LARGEST, PING, end_control_stream,
                         head_of, on_a_stream, reset_control_stream, settings)
from misbehaving_server import (AWAIT_AGENT, AWAIT_CERTIFICATE, AWAIT_REQUEST, NO_SETTINGS,
                                RESPOND, STREAM, Conduct, MisbehavingServerTest, answered, cut,
                                refused)
from raw_http2 import SIGNATURE_ALGORITHMS, certificate_request, extension, requests_payload
from rows import rows
from server_steps import (ONE, THREE, TWO, ask, drip, extensions, listed, numbered, setting,
                          silent)

MALFORMED = "AUTHENTICATOR_REQUESTS is malformed: "


def ends(name, detail, **expected):
    return refused(detail, CODES[name], name, **expected)


def said(step):
    """A step of the peer alone."""
    return lambda conversation: step(conversation.peer)


def on_the_request_stream(data):
    return lambda conversation: conversation.peer.send_bytes(data, STREAM)


def close_with(code):
    return lambda conversation: conversation.peer.close_connection(code)


class Http3ServerTest(MisbehavingServerTest):
    SERVER = h3.Server
    FETCH_OPTIONS = ("--http3",)
    CONNECTION_ERROR = 95


@rows(ends("H3_MISSING_SETTINGS", ANY),
      CC8_no_settings_before_the_requests=Conduct([ask(ONE)], NO_SETTINGS),
      CC8_unknown_frame_before_the_settings=Conduct([(GREASE, 0, 0, b""), ask(ONE)], NO_SETTINGS))
@rows(ends("H3_FRAME_UNEXPECTED", "AUTHENTICATOR_REQUESTS without negotiation"),
      CC6_no_setting=Conduct([ask(ONE)], {}),
      CC6_setting_0=Conduct([ask(ONE)], {h2.CLIENT_CERT_AUTH: 0}),
      CC6_only_the_setting_of_the_server_draft=Conduct([ask(ONE)], {h2.SERVER_CERT_AUTH: 1}))
@rows(ends("H3_SETTINGS_ERROR", "the server's value of the client certificate setting is not 1"),
      CC4_setting_2=Conduct([ask(ONE)], {h2.CLIENT_CERT_AUTH: 2}),
      CC4_setting_of_all_bits=Conduct([said(settings((CLIENT_CERT_AUTH, (1 << 62) - 1))), ask(ONE)],
                                      NO_SETTINGS))
@rows(ends("H3_SETTINGS_ERROR", "a certificate setting is there twice"),
      CC8_setting_twice_in_a_frame=Conduct([setting(1, 1), ask(ONE)], NO_SETTINGS),
      CC7_setting_withdrawn_in_the_frame_that_gave_it=Conduct([setting(1, 0)], NO_SETTINGS))
@rows(ends("H3_FRAME_UNEXPECTED", ANY),
      CC7_settings_twice=[setting(1), ask(ONE)],
      CC7_setting_withdrawn=[setting(0), ask(ONE)],
      CC8_settings_on_a_request_stream=[(*setting(1)[:2], STREAM, setting(1)[3]), ask(ONE)])
@rows(ends("H3_FRAME_UNEXPECTED", ANY, asked=1),
      CC7_setting_withdrawn_while_a_request_is_unanswered=Conduct(
          [ask(ONE), AWAIT_AGENT, setting(0)], answer=silent))
@rows(ends("H3_SETTINGS_ERROR", ANY),
      CC8_setting_of_http2_that_is_reserved=Conduct([said(settings((2, 0))), ask(ONE)], NO_SETTINGS))
@rows(ends("H3_FRAME_ERROR", ANY),
      CC8_setting_without_a_value=Conduct(
          [h3.frame_head(h2.SETTINGS, 4) + h3.varint(CLIENT_CERT_AUTH), ask(ONE)], NO_SETTINGS))
@rows(answered("P"),
      CC8_setting_among_unknown_ones=Conduct(
          [said(settings((GREASE, 0), (0xfeed, 7), (CLIENT_CERT_AUTH, 1), (1 << 61, 9))), ask(ONE)],
          NO_SETTINGS),
      CC8_settings_late=Conduct(
          [drip(setting(1)), ask(ONE), AWAIT_CERTIFICATE], NO_SETTINGS))
@rows(answered(""),
      CC6_settings_after_the_response=Conduct([
          (h2.HEADERS, h2.END_STREAM, STREAM, h3.STATUS_200)], NO_SETTINGS, respond=False))
class ServerSettingsOverHttp3(Http3ServerTest):
    """Rows 1 to 8 of the draft's requirements, RFC 9114 section 7.2.4."""


@rows(ends("H3_FRAME_UNEXPECTED", "AUTHENTICATOR_REQUESTS on the wrong stream"),
      CC18_requests_on_the_request_stream=[ask(ONE, stream=STREAM)],
      CC18_requests_of_no_bytes_on_the_request_stream=[listed(b"", stream=STREAM)],
      CC18_head_of_requests_on_the_request_stream=[
          on_the_request_stream(head_of(h2.AUTHENTICATOR_REQUESTS, 99))])
@rows(ends("H3_FRAME_UNEXPECTED", "a client certificate frame from the server"),
      CC27_certificate=[(h2.CERTIFICATE, 0, 0, b"x" * 100)],
      CC27_empty_certificate_before_a_request=[(h2.CERTIFICATE, 0, 0, b""), ask(ONE)],
      CC27_certificate_on_a_request_stream=[(h2.CERTIFICATE, 0, STREAM, b"")])
@rows(ends("H3_FRAME_UNEXPECTED", "a client certificate frame from the server", asked=1,
           answered=1),
      EA48_the_clients_own_certificate_comes_back=[
          ask(ONE), AWAIT_CERTIFICATE, lambda conversation: conversation.peer.send(
              *conversation.certificates[0])])
@rows(ends("H3_FRAME_UNEXPECTED", "a server certificate frame without negotiation"),
      CC26_server_certificate=[(h2.SERVER_CERTIFICATE, 0, 0, b"x" * 16384)],
      CC26_server_certificate_on_a_request_stream=[(h2.SERVER_CERTIFICATE, 0, STREAM, b"x")])
@rows(ends("H3_EXCESSIVE_LOAD", "a frame is too large"),
      CC35_requests_larger_than_anybody_needs=[head_of(h2.AUTHENTICATOR_REQUESTS, LARGEST + 1)],
      CC35_requests_of_2_62_bytes=[head_of(h2.AUTHENTICATOR_REQUESTS, (1 << 62) - 1)])
@rows(ends("H3_STREAM_CREATION_ERROR", ANY),
      CC17_requests_on_a_second_control_stream=[
          said(on_a_stream(h3.CONTROL, setting(1), ask(ONE)))])
@rows(ends("H3_CLOSED_CRITICAL_STREAM", ANY),
      CC17_control_stream_ends=[said(end_control_stream)],
      CC17_control_stream_ends_in_a_frame=[head_of(h2.AUTHENTICATOR_REQUESTS, 99),
                                           said(end_control_stream)])
@rows(ends("H3_CLOSED_CRITICAL_STREAM", ANY, asked=1, answered=1),
      CC17_control_stream_is_reset=[ask(ONE), AWAIT_CERTIFICATE, said(reset_control_stream)])
@rows(ends("H3_FRAME_UNEXPECTED", ANY),
      CC40_ping_of_http2=[(PING, 0, 0, bytes(8)), ask(ONE)],
      CC40_data_on_the_control_stream=[(h2.DATA, 0, 0, b"x"), ask(ONE)],
      CC40_headers_on_the_control_stream=[(h2.HEADERS, 0, 0, h3.STATUS_200), ask(ONE)])
class ServerFramesOverHttp3(Http3ServerTest):
    """Rows 17, 18, 20, 26, 27, 35 and 40: frames of the wrong kind, place or size."""


@rows(ends("H3_MESSAGE_ERROR", MALFORMED + ANY),
      CC16_empty_list=[listed(b"")],
      CC20_element_of_length_0=[listed(b"\0"), ask(ONE)],
      CC20_varint_cut=[listed(b"\x80\0\0")],
      CC20_length_beyond_the_frame=[listed(b"\xff" * 8 + ONE)],
      CC20_request_cut=[ask(ONE[:-1])],
      CC20_request_with_a_trailing_byte=[ask(ONE + b"\0")],
      CC20_type_17=[ask(certificate_request(b"one", kind=17))],
      EA9_misplaced_extension=[ask(extensions(extension(0, b"")))],
      EA13_no_signature_algorithms=[ask(certificate_request(b"one", b""))],
      EA13_signature_algorithms_twice=[ask(extensions(SIGNATURE_ALGORITHMS))],
      EA7_one_context_twice_in_a_frame=[ask(ONE, ONE)],
      A1_bare_structure=[ask(ONE[4:])],
      A16_good_then_cut_request=[ask(ONE, TWO[:-1])])
@rows(ends("H3_MESSAGE_ERROR", "a certificate request context is used again", asked=1, answered=1),
      EA7_context_again_after_its_proof=[ask(ONE), AWAIT_CERTIFICATE, ask(ONE)])
@rows(ends("H3_MESSAGE_ERROR", "a certificate request context is used again", asked=1),
      EA7_context_again_while_it_is_outstanding=Conduct(
          [ask(ONE), AWAIT_AGENT, ask(TWO, ONE)], answer=silent))
@rows(ends("H3_FRAME_UNEXPECTED", "more requests outstanding than the limit we gave"),
      CC14_three_in_a_frame_at_limit_2=Conduct([ask(ONE, TWO, THREE)], limit=2))
@rows(ends("H3_FRAME_UNEXPECTED", "more requests outstanding than the limit we gave", asked=1),
      CC14_a_second_one_at_limit_1=Conduct(
          [ask(ONE), AWAIT_AGENT, ask(TWO)], limit=1, answer=silent))
class RequestsOverHttp3(Http3ServerTest):
    """Rows 14, 16 and 20; ambiguities A15 and A16: the whole frame is judged first."""


@rows(cut(95, "the server closed the connection"),
      CC22_closes_in_a_frame=[head_of(h2.AUTHENTICATOR_REQUESTS, 99), close_with(0x100)])
@rows(cut(28, "--deadline"),
      CC22_never_finishes_a_frame=Conduct([head_of(h2.AUTHENTICATOR_REQUESTS, 99)],
                                          options=("--deadline", 4)))
@rows(refused(ANY, 0x107, "H3_EXCESSIVE_LOAD", by="peer"),
      A19_closes_with_an_error=[head_of(h2.AUTHENTICATOR_REQUESTS, 99), close_with(0x107)])
class HalfSaidOverHttp3(Http3ServerTest):
    """What was not said whole has not been said."""


@rows(answered("P"),
      CC22_byte_by_byte=[drip(ask(ONE))],
      CC38_unknown_frames=[(GREASE, 0, 0, b"x"), (GREASE, 0, STREAM, b"x"), ask(ONE),
                           (0x1f4f4a1, 0, 0, bytes(16384))],
      CC40_frames_of_ours_on_a_stream_of_no_known_type=[
          said(on_a_stream(GREASE, ask(ONE), (h2.CERTIFICATE, 0, 0, b""))), ask(ONE)],
      CC39_frame_larger_than_http2_has_them=[ask(certificate_request(
          b"big", SIGNATURE_ALGORITHMS + extension(0xfafa, bytes(60000))), size=4)],
      A19_after_goaway=[(h2.GOAWAY, 0, 0, h3.varint(4)), ask(ONE)],
      A19_in_the_middle_of_a_response=Conduct([
          (h2.HEADERS, 0, STREAM, h3.STATUS_200), (h2.DATA, 0, STREAM, b"half"), ask(ONE),
          AWAIT_CERTIFICATE, (h2.DATA, h2.END_STREAM, STREAM, b"whole")], respond=False))
@rows(answered("PP"),
      CC15_replenished_at_limit_1=Conduct([ask(ONE), AWAIT_CERTIFICATE, ask(TWO)], limit=1),
      CC21_lengths_of_different_size=[
          listed(requests_payload(ONE, size=1) + requests_payload(TWO, size=8))])
class OddServersOverHttp3(Http3ServerTest):
    """What no rule forbids is answered, byte for byte as the second implementation wants it."""


class StarvingServers(Http3ServerTest):
    """Flow control: the server takes 256 KiB of the control stream and then no more."""

    SECOND = 3  # the stream of the next request
    PROOF = 200_000  # two of them are more than that

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice = certificates.client(cls.ca, "alice", extra_size=cls.PROOF)

    def assert_one_is_here(self, conversation):
        self.assertEqual(len(conversation.certificates), 1)

    def test_CC35_a_control_stream_without_credit_holds_up_no_page_and_goes_on_when_there_is_some(self):
        result, conversation = self.hold(Conduct(
            [said(h3.Peer.starve), ask(ONE), AWAIT_CERTIFICATE, ask(TWO), AWAIT_AGENT, RESPOND,
             AWAIT_REQUEST, self.assert_one_is_here, said(h3.Peer.feed), AWAIT_CERTIFICATE,
             ask(THREE), AWAIT_CERTIFICATE,
             lambda conversation: conversation.peer.respond(self.SECOND)],
            options=("https://localhost/second",)), None)
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertEqual(result.statuses(), [200, 200])
        self.assertEqual(result.json["certificates_sent"], 3)
        keys = conversation.peer.keys()
        for request, frame in zip((ONE, TWO, THREE), conversation.certificates, strict=True):
            self.assertEqual(authenticator.validate(keys, request, frame[3]),
                             [each.der for each in self.alice.chain])

    def test_CC35_who_gives_no_credit_and_asks_on_breaks_the_limit_soon(self):
        """What waits for credit is bounded: an answer on its way, and those that the limit allows."""
        def ask_on(conversation):
            for each in numbered(0, 12):
                conversation.peer.send(*ask(each))
                while not conversation.agent.await_calls(len(conversation.requests), 0.05):
                    if conversation.peer.has_heard_the_end():
                        return
        result, conversation = self.hold(Conduct(
            [said(h3.Peer.starve), ask(ONE), AWAIT_CERTIFICATE, ask_on], limit=2), None)
        self.assertEqual(result.exit, self.CONNECTION_ERROR, result.stderr)
        self.assertEqual(result.json["connection_error"]["detail"],
                         "more requests outstanding than the limit we gave")
        self.assertEqual(conversation.goaway, [CODES["H3_FRAME_UNEXPECTED"]])
        self.assert_one_is_here(conversation)
        self.assertLessEqual(len(self.agent.calls), 4)


if __name__ == "__main__":
    unittest.main()
