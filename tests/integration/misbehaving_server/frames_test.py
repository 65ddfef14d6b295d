#!/usr/bin/python3
"""Servers that break rules of the client-certs draft (CC), of RFC 9261 (EA) or of HTTP/2 with their
settings and frames, and servers that are only odd."""
import ssl
import unittest

import raw_http2 as h2
from authenticator import CLIENT_CERTIFICATE_REQUEST
from fake_agent import declined
from ipc import agent_pb2 as agent
from misbehaving_server import (AWAIT_AGENT, AWAIT_CERTIFICATE, AWAIT_REQUEST, NO_SETTINGS,
                                RESPOND, STREAM, SUPPORT, Conduct, MisbehavingServerTest, answered,
                                cut, refused, too_large)
from raw_http2 import (SIGNATURE_ALGORITHMS, certificate_request, extension, requests_payload,
                       signature_algorithms)
from rows import rows
from server_steps import (HALF_A_HEADER_BLOCK, ONE, THREE, TWO, ask, drip, extensions, flood, forms,
                          goaway, half, hang_up, listed, numbered, reset, setting,
                          silent)

ENHANCE_YOUR_CALM = 11


@rows(refused("AUTHENTICATOR_REQUESTS without negotiation"),
      CC6_no_setting=Conduct([ask(ONE)], {}),
      CC6_setting_0=Conduct([ask(ONE)], {h2.CLIENT_CERT_AUTH: 0}),
      CC6_only_the_setting_of_the_server_draft=Conduct([ask(ONE)], {h2.SERVER_CERT_AUTH: 1}),
      CC6_setting_after_the_request=Conduct([ask(ONE), setting(1)], {}))
@rows(refused("the server's value of the client certificate setting is not 1"),
      CC4_setting_2=Conduct([ask(ONE)], {h2.CLIENT_CERT_AUTH: 2}),
      CC4_setting_of_all_bits=Conduct([ask(ONE)], {h2.CLIENT_CERT_AUTH: 0xffffffff}),
      CC4_setting_raised_to_4=[setting(4), ask(ONE)],
      CC4_setting_1_and_2_in_one_frame=Conduct([setting(1, 2), ask(ONE)], {}))
@rows(refused("the server withdrew the client certificate setting"),
      CC7_setting_withdrawn=[setting(0), ask(ONE)],
      CC7_setting_withdrawn_in_the_frame_that_gave_it=Conduct([setting(1, 0), ask(ONE)], {}),
      CC7_setting_withdrawn_and_given_again=[setting(0, 1), ask(ONE)])
@rows(refused("the server withdrew the client certificate setting", asked=1),
      CC7_setting_withdrawn_while_a_request_is_unanswered=Conduct(
          [ask(ONE), AWAIT_AGENT, setting(0)], answer=silent))
@rows(refused("the server withdrew the client certificate setting", asked=1, answered=1),
      CC7_setting_withdrawn_after_an_answer=[ask(ONE), AWAIT_CERTIFICATE, setting(0)])
@rows(refused("SETTINGS expected"),
      CC1_request_before_any_settings=Conduct([ask(ONE)], NO_SETTINGS))
@rows(refused("SETTINGS: stream_id != 0"),
      CC8_setting_on_a_stream=Conduct([(h2.SETTINGS, 0, STREAM, setting(1)[3]), ask(ONE)], {}))
@rows(too_large(".*"),
      CC8_setting_of_5_bytes=Conduct([(h2.SETTINGS, 0, 0, setting(1)[3][:5]), ask(ONE)], {}),
      CC8_acknowledgement_with_a_setting_in_it=Conduct(
          [(h2.SETTINGS, h2.ACK, 0, setting(1)[3]), ask(ONE)], {}))
@rows(answered("P"),
      CC3_setting_0_then_1=Conduct([setting(1), ask(ONE)], {h2.CLIENT_CERT_AUTH: 0}),
      CC3_setting_0_and_1_in_one_frame=Conduct([setting(0, 1), ask(ONE)], {}),
      CC6_setting_late=Conduct([setting(1), ask(ONE)], {}),
      CC7_setting_repeated=[setting(1), setting(1, 1), ask(ONE), setting(1)],
      CC8_setting_among_unknown_ones=Conduct(
          [ask(ONE)], {0xfeed: 7, 0xfff0: 0, **SUPPORT, h2.SERVER_CERT_AUTH: 1, 0: 0}))
class ServerSettings(MisbehavingServerTest):
    """Rows 1 to 8 of the draft's requirements."""


@rows(refused("AUTHENTICATOR_REQUESTS on the wrong stream"),
      CC18_requests_on_the_open_stream=[ask(ONE, stream=STREAM)],
      CC18_requests_on_an_idle_stream=[ask(ONE, stream=3)],
      CC18_requests_on_a_stream_of_the_server=[ask(ONE, stream=2)],
      CC18_requests_on_the_last_stream=[ask(ONE, stream=0x7fffffff)])
@rows(refused("AUTHENTICATOR_REQUESTS on the wrong stream", statuses=[200]),
      CC18_requests_on_a_closed_stream=Conduct(
          [RESPOND, AWAIT_REQUEST, ask(ONE, stream=STREAM)], options=("https://localhost/second",)))
@rows(refused("a client certificate frame from the server"),
      CC27_certificate=[(h2.CERTIFICATE, 0, 0, b"x" * 100)],
      CC27_empty_certificate=[(h2.CERTIFICATE, 0, 0, b"")],
      CC27_certificate_on_a_stream=[(h2.CERTIFICATE, 0, STREAM, b"")],
      CC27_error_is_heard_by_a_server_that_talks_on=[
          (h2.CERTIFICATE, 0, 0, b"x"), *[(0xee, 0, 0, bytes(16384))] * 200],
      CC27_certificate_before_a_request=[(h2.CERTIFICATE, 0, 0, b"x"), ask(ONE)])
@rows(refused("a server certificate frame without negotiation"),
      CC26_server_certificate=[(h2.SERVER_CERTIFICATE, 0, 0, b"x" * 16384)],
      CC26_server_certificate_on_a_stream=[(h2.SERVER_CERTIFICATE, 0, STREAM, b"x")])
@rows(refused("a client certificate frame from the server", asked=1, answered=1),
      EA48_the_clients_own_certificate_comes_back=[
          ask(ONE), AWAIT_CERTIFICATE, lambda conversation: conversation.peer.send(
              *conversation.certificates[0])])
@rows(refused(".*CONTINUATION.*"),
      CC40_requests_inside_a_header_block=[HALF_A_HEADER_BLOCK, ask(ONE)],
      CC40_malformed_requests_inside_a_header_block=[HALF_A_HEADER_BLOCK, listed(b"")],
      CC40_certificate_inside_a_header_block=[HALF_A_HEADER_BLOCK, (h2.CERTIFICATE, 0, 0, b"")],
      CC40_unknown_frame_inside_a_header_block=[HALF_A_HEADER_BLOCK, (0xee, 0, 0, b"")],
      CC40_requests_between_two_continuations=[
          HALF_A_HEADER_BLOCK, (h2.CONTINUATION, 0, STREAM, b""), ask(ONE),
          (h2.CONTINUATION, h2.END_HEADERS, STREAM, b"")],
      CC40_requests_inside_the_trailers=[
          (h2.HEADERS, h2.END_HEADERS, STREAM, h2.STATUS_200),
          (h2.HEADERS, h2.END_STREAM, STREAM, b"\0\1x\1y"), ask(ONE)])
@rows(too_large(".*"),
      CC39_requests_of_16385_bytes=[listed(bytes(16385))],
      CC39_unknown_frame_of_16385_bytes=[(0xee, 0, 0, bytes(16385)), ask(ONE)],
      CC39_header_of_a_frame_of_16_mebibytes=[b"\xff\xff\xff\xf4" + bytes(5)],
      CC39_ping_of_9_bytes=[(h2.PING, 0, 0, bytes(9)), ask(ONE)])
@rows(refused("SETTINGS: invalid SETTINGS_MAX_FRAME_SIZE"),
      CC39_max_frame_size_16383=[setting(16383, number=h2.MAX_FRAME_SIZE), ask(ONE)],
      CC39_max_frame_size_2_24=[setting(1 << 24, number=h2.MAX_FRAME_SIZE), ask(ONE)])
class ServerFrames(MisbehavingServerTest):
    """Rows 17, 18, 26, 27, 39 and 40: frames of the wrong kind, place or size."""


@rows(cut(16, "the server closed the connection"),
      CC22_hangs_up_in_the_header_of_a_frame=[b"\0\0\x10\xf4", hang_up],
      CC22_hangs_up_in_a_frame=[half(ask(ONE)), hang_up],
      CC22_resets_in_a_frame=[half(ask(ONE)), reset])
@rows(cut(28, "--deadline"),
      CC22_never_finishes_a_frame=Conduct([half(ask(ONE))], options=("--deadline", 4)),
      CC22_never_finishes_a_header_block=Conduct(
          [HALF_A_HEADER_BLOCK], options=("--deadline", 4)))
@rows(refused("too many", ENHANCE_YOUR_CALM, "ENHANCE_YOUR_CALM", by="peer"),
      A19_after_goaway_with_an_error=[goaway(ENHANCE_YOUR_CALM, text=b"too many"), ask(ONE)])
class HalfSaid(MisbehavingServerTest):
    """What was not said whole, or on a connection that is over, has not been said."""


REQUESTS_OF_ANY_SIZE = certificate_request(
    b"big", SIGNATURE_ALGORITHMS + extension(0xfafa, bytes(16384 - 8 - 4 - 6 - len(ONE))))


@rows(answered("P"),
      A9_length_in_one_byte=[ask(ONE, size=1)],
      A9_length_in_four_bytes=[ask(ONE, size=4)],
      A9_length_in_eight_bytes=[ask(ONE, size=8)],
      EA6_context_of_no_bytes=[ask(certificate_request(b""))],
      EA6_context_of_255_bytes=[ask(certificate_request(bytes(range(255))))],
      EA14_unknown_extension=[ask(extensions(extension(0xfafa, b"data")))],
      EA14_many_unknown_extensions=[
          ask(extensions(*(extension(0x6000 + each, b"") for each in range(500))))],
      EA14_unknown_extension_first=[
          ask(certificate_request(b"one", extension(0x0a0a, b"") + SIGNATURE_ALGORITHMS))],
      EA39_extensions_that_ask_for_more_than_we_have=[
          ask(extensions(extension(5, b"\1\0\0\0\0"), extension(18, b""), extension(27, b"\2\0\1"),
                         extension(34, b"\0\2\4\3"), extension(52, b"")))],
      EA41_old_schemes_beside_a_good_one=[
          ask(certificate_request(b"one", signature_algorithms(0x0401, 0x0203, 0xfafa, 0x0403)))],
      CC38_all_flags=[ask(ONE, flags=0xff)],
      CC38_reserved_bit=[ask(ONE, stream=0x80000000)],
      CC38_unknown_frames=[(0xee, 0xff, 0, b"x"), (0xee, 0, STREAM, b"x"), (0xff, 0, 7, b""),
                           ask(ONE), (0xee, 0, 0, bytes(16384))],
      CC39_frame_of_16384_bytes=[ask(REQUESTS_OF_ANY_SIZE, size=4)],
      CC22_byte_by_byte=[drip(ask(ONE))],
      CC22_records_of_3_bytes=[drip((0xee, 0, 0, b"")), drip(ask(ONE), 3), drip(setting(1), 3)],
      A19_in_the_middle_of_a_response=Conduct([
          (h2.HEADERS, h2.END_HEADERS, STREAM, h2.STATUS_200), (h2.DATA, 0, STREAM, b"half"),
          ask(ONE), AWAIT_CERTIFICATE, (h2.DATA, h2.END_STREAM, STREAM, b"whole")],
          respond=False),
      A19_after_goaway_without_error=[goaway(0), ask(ONE)],
      A19_between_two_goaways=[goaway(0, 0x7fffffff), ask(ONE), goaway(0)],
      A19_before_a_ping=[ask(ONE), (h2.PING, 0, 0, bytes(8))],
      CC35_after_2000_pings=[flood(h2.PING, 0, bytes(8)), ask(ONE)],
      CC35_after_2000_settings=[flood(h2.SETTINGS, 0, setting(1)[3]), ask(ONE)],
      CC35_after_2000_window_updates=[flood(h2.WINDOW_UPDATE, 0, b"\0\0\0\1"), ask(ONE)],
      CC35_after_2000_unknown_frames=[flood(0xee, 0, b"x"), ask(ONE)],
      EA12_tls_itself_asks_for_a_certificate=Conduct(
          [ask(ONE)], server={"verify_mode": ssl.CERT_OPTIONAL}),
      EA27_sha256_connection=Conduct([ask(ONE)], cipher_suite="TLS_AES_128_GCM_SHA256"),
      EA27_sha384_connection=Conduct([ask(ONE)], cipher_suite="TLS_AES_256_GCM_SHA384"),
      EA27_chacha20_connection=Conduct([ask(ONE)], cipher_suite="TLS_CHACHA20_POLY1305_SHA256"))
@rows(answered("P"),
      A1_type_17_where_it_is_let_in=Conduct(
          [ask(certificate_request(b"one", kind=CLIENT_CERTIFICATE_REQUEST))], options=forms(1)),
      A1_bare_structure_where_it_is_let_in=Conduct([ask(ONE[4:])], options=forms(2)),
      A1_type_13_where_others_are_let_in=Conduct([ask(ONE)], options=forms(3)))
@rows(answered("PP"),
      CC12_one_after_the_other=[ask(ONE), AWAIT_CERTIFICATE, ask(TWO)],
      CC15_replenished_at_limit_1=Conduct([ask(ONE), AWAIT_CERTIFICATE, ask(TWO)], limit=1),
      CC21_two_in_a_frame_at_limit_2=Conduct([ask(ONE, TWO)], limit=2),
      CC21_lengths_of_different_size=[
          listed(requests_payload(ONE, size=1) + requests_payload(TWO, size=8))])
@rows(refused("a server certificate frame without negotiation"),
      A2_certificate_where_both_kinds_have_one_number=Conduct(
          [(h2.CERTIFICATE, 0, 0, b"x")], options=("--code-point", "h2.server-certificate=0xf5")))
@rows(answered("P"),
      A2_request_where_both_certificates_have_one_number=Conduct(
          [ask(ONE)], options=("--code-point", "h2.server-certificate=0xf5")),
      CC9_as_soon_as_the_settings_are_out=Conduct([], early=(ask(ONE),)))
@rows(answered("", asked=0),
      A3_frames_of_another_profile_are_nothing=Conduct(
          [ask(ONE), listed(b""), (h2.SERVER_CERTIFICATE, 0, 0, b"x")],
          options=("--code-point", "h2.authenticator-requests=0xe0",
                   "--code-point", "h2.server-certificate=0xe2")))
@rows(answered("", asked=1),
      A19_response_while_the_agent_thinks=Conduct([ask(ONE), AWAIT_AGENT], answer=silent))
@rows(answered("PPPP"),
      CC22_agent_answers_backwards=Conduct(
          [ask(ONE, TWO), ask(THREE), ask(certificate_request(b""))], batch=4))
@rows(answered("D" * 1025, asked=1024),
      A4_more_requests_than_a_connection_may_have=Conduct(
          [ask(*numbered(0, 600), size=1), ask(*numbered(600, 1025), size=1)],
          limit=2000, answer=lambda call: declined(agent.DECLINE_REASON_DENIED, "")))
class OddServers(MisbehavingServerTest):
    """What no rule forbids is answered, byte for byte as the second implementation wants it."""


if __name__ == "__main__":
    unittest.main()
