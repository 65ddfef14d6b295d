#!/usr/bin/python3
"""Servers that break the rules of the client-certs draft (CC), of RFC 9261 (EA) or of HTTP/2, and
servers that are only odd. What is refused is refused before anything is signed."""
import socket
import ssl
import struct
import unittest
from functools import partial

import raw_http2 as h2
from authenticator import CERTIFICATE_REQUEST, CLIENT_CERTIFICATE_REQUEST, message, vector
from fake_agent import declined
from ipc import agent_pb2 as agent
from misbehaving_server import (AWAIT_AGENT, AWAIT_CERTIFICATE, AWAIT_REQUEST, NO_SETTINGS, RESPOND,
                                STREAM, SUPPORT, Conduct, MisbehavingServerTest)
from raw_http2 import (SIGNATURE_ALGORITHMS, certificate_request, extension, requests_payload,
                       signature_algorithms, varint)
from rows import rows

PROTOCOL_ERROR, FRAME_SIZE_ERROR, ENHANCE_YOUR_CALM = 1, 6, 11
ONE = certificate_request(b"one")
TWO = certificate_request(b"two")
THREE = certificate_request(b"three")
MALFORMED = "AUTHENTICATOR_REQUESTS is malformed: "


# -- steps


def listed(payload, flags=0, stream=0):
    """An AUTHENTICATOR_REQUESTS frame."""
    return (h2.AUTHENTICATOR_REQUESTS, flags, stream, payload)


def ask(*requests, flags=0, stream=0, size=2):
    return listed(requests_payload(*requests, size=size), flags, stream)


def setting(*values, number=h2.CLIENT_CERT_AUTH):
    """A SETTINGS frame with these values of one setting."""
    return (h2.SETTINGS, 0, 0, b"".join(struct.pack("!HI", number, each) for each in values))


def goaway(code, last=STREAM, text=b""):
    return (h2.GOAWAY, 0, 0, struct.pack("!II", last, code) + text)


def drip(frame, piece=1):
    return lambda conversation: conversation.peer.send(*frame, piece=piece)


def extensions(*blocks):
    """A request with signature_algorithms and these extensions."""
    return certificate_request(b"one", SIGNATURE_ALGORITHMS + b"".join(blocks))


def flood(*frame):
    def pour(conversation):
        kind, stream, payload = frame
        for _ in range(2000):
            conversation.peer.send(kind, 0, stream, payload)
    return pour


def hang_up(conversation):
    conversation.peer.connection.shutdown(socket.SHUT_RDWR)


def reset(conversation):
    """A TCP reset."""
    conversation.peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                            struct.pack("ii", 1, 0))
    conversation.peer.connection.close()


def half(frame):
    """The bytes of one half of a frame."""
    kind, flags, stream, payload = frame
    data = len(payload).to_bytes(3, "big") + struct.pack("!BBI", kind, flags, stream) + payload
    return data[:len(data) // 2]


def silent(call):
    """An agent's answer to `call`."""


# -- how it must end


def refused(detail, code=PROTOCOL_ERROR, name="PROTOCOL_ERROR", **expected):
    def check(self, conduct):
        conduct = conduct if isinstance(conduct, Conduct) else Conduct(conduct)
        self.assert_refused(conduct, detail, code, name, **expected)
    return check


def answered(outcome, **expected):
    def check(self, conduct):
        conduct = conduct if isinstance(conduct, Conduct) else Conduct(conduct)
        self.assert_answered(conduct, outcome, **expected)
    return check


def cut(code, message):
    return lambda self, conduct: self.assert_cut(
        conduct if isinstance(conduct, Conduct) else Conduct(conduct), code, message)


too_large = partial(refused, code=FRAME_SIZE_ERROR, name="FRAME_SIZE_ERROR")


@rows(refused("AUTHENTICATOR_REQUESTS without negotiation"),
      CC06_no_setting=Conduct([ask(ONE)], {}),
      CC06_setting_0=Conduct([ask(ONE)], {h2.CLIENT_CERT_AUTH: 0}),
      CC06_only_the_setting_of_the_server_draft=Conduct([ask(ONE)], {h2.SERVER_CERT_AUTH: 1}),
      CC06_setting_after_the_request=Conduct([ask(ONE), setting(1)], {}))
@rows(refused("the server's value of the client certificate setting is not 1"),
      CC04_setting_2=Conduct([ask(ONE)], {h2.CLIENT_CERT_AUTH: 2}),
      CC04_setting_of_all_bits=Conduct([ask(ONE)], {h2.CLIENT_CERT_AUTH: 0xffffffff}),
      CC04_setting_raised_to_4=[setting(4), ask(ONE)],
      CC04_setting_1_and_2_in_one_frame=Conduct([setting(1, 2), ask(ONE)], {}))
@rows(refused("the server withdrew the client certificate setting"),
      CC07_setting_withdrawn=[setting(0), ask(ONE)],
      CC07_setting_withdrawn_in_the_frame_that_gave_it=Conduct([setting(1, 0), ask(ONE)], {}),
      CC07_setting_withdrawn_and_given_again=[setting(0, 1), ask(ONE)])
@rows(refused("the server withdrew the client certificate setting", asked=1),
      CC07_setting_withdrawn_while_a_request_is_unanswered=Conduct(
          [ask(ONE), AWAIT_AGENT, setting(0)], answer=silent))
@rows(refused("the server withdrew the client certificate setting", asked=1, answered=1),
      CC07_setting_withdrawn_after_an_answer=[ask(ONE), AWAIT_CERTIFICATE, setting(0)])
@rows(refused("SETTINGS expected"),
      CC01_request_before_any_settings=Conduct([ask(ONE)], NO_SETTINGS))
@rows(refused("SETTINGS: stream_id != 0"),
      CC08_setting_on_a_stream=Conduct([(h2.SETTINGS, 0, STREAM, setting(1)[3]), ask(ONE)], {}))
@rows(too_large(".*"),
      CC08_setting_of_5_bytes=Conduct([(h2.SETTINGS, 0, 0, setting(1)[3][:5]), ask(ONE)], {}),
      CC08_acknowledgement_with_a_setting_in_it=Conduct(
          [(h2.SETTINGS, h2.ACK, 0, setting(1)[3]), ask(ONE)], {}))
@rows(answered("P"),
      CC03_setting_0_then_1=Conduct([setting(1), ask(ONE)], {h2.CLIENT_CERT_AUTH: 0}),
      CC03_setting_0_and_1_in_one_frame=Conduct([setting(0, 1), ask(ONE)], {}),
      CC06_setting_late=Conduct([setting(1), ask(ONE)], {}),
      CC07_setting_repeated=[setting(1), setting(1, 1), ask(ONE), setting(1)],
      CC08_setting_among_unknown_ones=Conduct(
          [ask(ONE)], {0xfeed: 7, 0xfff0: 0, **SUPPORT, h2.SERVER_CERT_AUTH: 1, 0: 0}))
class Negotiation(MisbehavingServerTest):
    """Rows 1 to 8 of the draft's requirements."""


@rows(refused(MALFORMED + "a list or element that must not be empty is empty"),
      CC16_empty_list=[listed(b"")],
      CC16_empty_list_before_a_good_one=[listed(b""), ask(ONE)],
      CC19_element_of_length_0=[listed(b"\0")],
      CC19_element_of_length_0_in_two_bytes=[listed(varint(0, 2))],
      CC19_element_of_length_0_in_eight_bytes=[listed(varint(0, 8))],
      CC19_elements_of_length_0_only=[listed(bytes(16384))],
      CC19_signature_algorithms_empty=[ask(certificate_request(b"", signature_algorithms()))],
      CC19_signature_algorithms_cert_empty=[ask(extensions(signature_algorithms(kind=50)))],
      CC19_certificate_authorities_empty=[ask(extensions(extension(47, vector(2, b""))))],
      CC19_certificate_authority_without_a_name=[
          ask(extensions(extension(47, vector(2, vector(2, b"")))))],
      CC19_oid_filter_without_an_oid=[
          ask(extensions(extension(48, vector(2, vector(1, b"") + vector(2, b"")))))])
@rows(refused(MALFORMED + "a length runs past the end"),
      CC19_varint_cut_at_1_of_2=[listed(b"\x40")],
      CC19_varint_cut_at_3_of_4=[listed(b"\x80\0\0")],
      CC19_varint_cut_at_7_of_8=[listed(b"\xc0" + bytes(6))],
      CC19_length_1_beyond_the_frame=[listed(varint(len(ONE) + 1, 1) + ONE)],
      CC19_length_1_beyond_the_frame_in_8_bytes=[listed(varint(len(ONE) + 1, 8) + ONE)],
      CC19_length_2_62=[listed(b"\xff" * 8 + ONE)],
      CC19_length_beyond_32_bits=[listed(varint((1 << 32) + len(ONE), 8) + ONE)],
      CC19_request_of_its_type_alone=[ask(b"\x0d")],
      CC19_request_cut_in_its_header=[ask(ONE[:3])],
      CC19_request_cut_after_its_header=[ask(ONE[:4])],
      CC19_request_cut_in_its_context=[ask(ONE[:6])],
      CC19_request_cut_in_its_extensions=[ask(ONE[:-1])],
      CC19_request_with_a_header_too_long=[ask(ONE[:3] + bytes([ONE[3] + 1]) + ONE[4:])],
      CC19_request_without_a_body=[ask(message(CERTIFICATE_REQUEST, b""))],
      CC19_request_of_a_context_alone=[ask(message(CERTIFICATE_REQUEST, b"\3one"))],
      CC19_context_beyond_the_request=[ask(message(CERTIFICATE_REQUEST, b"\xffone\0\0"))],
      CC19_extensions_beyond_the_request=[ask(message(CERTIFICATE_REQUEST, b"\0\xff\xff"))],
      CC19_extension_beyond_the_block=[
          ask(certificate_request(b"one", SIGNATURE_ALGORITHMS + b"\xfa\xfa\0\1"))],
      CC19_extension_of_3_bytes=[
          ask(certificate_request(b"one", SIGNATURE_ALGORITHMS + b"\xfa\xfa\0"))],
      CC19_signature_algorithms_without_a_list=[ask(certificate_request(b"", extension(13, b"")))],
      CC19_signature_algorithms_odd=[
          ask(certificate_request(b"", extension(13, b"\0\3\4\3\4")))],
      CC19_signature_algorithms_longer_than_the_extension=[
          ask(certificate_request(b"", extension(13, b"\0\4\4\3")))],
      CC19_certificate_authority_longer_than_the_list=[
          ask(extensions(extension(47, b"\0\3\0\2\x30")))],
      CC19_oid_filter_longer_than_the_list=[ask(extensions(extension(48, b"\0\2\3\x55")))],
      CC19_a_handshake_message_in_a_tls_record=[ask(b"\x16\3\3" + vector(2, ONE))],
      CC19_bare_structure=[ask(ONE[4:])])
@rows(refused(MALFORMED + "bytes remain after the last field"),
      CC19_request_with_a_trailing_byte=[ask(ONE + b"\0")],
      CC19_request_with_a_header_too_short=[ask(ONE[:3] + bytes([ONE[3] - 1]) + ONE[4:])],
      CC19_request_with_a_trailing_byte_in_its_body=[
          ask(message(CERTIFICATE_REQUEST, ONE[4:] + b"\0"))],
      CC19_two_requests_in_one_element=[ask(ONE + TWO)],
      CC19_signature_algorithms_with_a_trailing_byte=[
          ask(certificate_request(b"", extension(13, b"\0\2\4\3\0")))],
      CC19_certificate_authorities_with_a_trailing_byte=[
          ask(extensions(extension(47, b"\0\3\0\1\x30\0")))],
      CC19_oid_filters_with_a_trailing_byte=[ask(extensions(extension(48, b"\0\0\0")))])
@rows(refused(MALFORMED + "another handshake message than expected"),
      CC19_type_17=[ask(certificate_request(b"one", kind=CLIENT_CERTIFICATE_REQUEST))],
      CC19_type_0=[ask(certificate_request(b"one", kind=0))],
      CC19_type_certificate=[ask(certificate_request(b"one", kind=11))],
      CC19_type_finished=[ask(message(20, bytes(48)))],
      CC19_type_255=[ask(certificate_request(b"one", kind=255))])
@rows(refused(MALFORMED + "signature_algorithms is missing"),
      EA13_no_extensions=[ask(certificate_request(b"one", b""))],
      EA13_only_an_unknown_extension=[ask(certificate_request(b"one", extension(0xfafa, b"")))],
      EA13_only_signature_algorithms_cert=[
          ask(certificate_request(b"one", signature_algorithms(0x0403, kind=50)))])
@rows(refused(MALFORMED + "an extension occurs twice"),
      EA13_signature_algorithms_twice=[ask(extensions(SIGNATURE_ALGORITHMS))],
      EA13_unknown_extension_twice=[
          ask(extensions(extension(0xfafa, b"a"), extension(0xfafa, b"b")))],
      EA13_status_request_twice=[ask(extensions(extension(5, b""), extension(5, b"")))])
@rows(refused(MALFORMED + "an extension may not be in this message"),
      **{f"EA09_{name}_in_a_request": [ask(extensions(extension(number, b"")))]
         for name, number in (("server_name", 0), ("max_fragment_length", 1),
                              ("supported_groups", 10), ("alpn", 16),
                              ("client_certificate_type", 19), ("padding", 21),
                              ("extended_master_secret", 23), ("session_ticket", 35),
                              ("pre_shared_key", 41), ("early_data", 42),
                              ("supported_versions", 43), ("cookie", 44),
                              ("post_handshake_auth", 49), ("key_share", 51),
                              ("encrypted_client_hello", 0xfe0d),
                              ("renegotiation_info", 0xff01))})
@rows(refused(MALFORMED + "the message is malformed"),
      EA37_oid_filters_with_one_oid_twice=[
          ask(extensions(extension(48, vector(2, 2 * b"\3\x55\x1d\x0f\0\0"))))],
      EA07_one_context_twice_in_a_frame=[ask(ONE, ONE)],
      EA07_one_context_twice_in_a_frame_of_different_requests=[
          ask(ONE, TWO, extensions(extension(0xfafa, b"")))],
      EA07_empty_context_twice_in_a_frame=[
          ask(certificate_request(b""), certificate_request(b""))])
class Malformed(MisbehavingServerTest):
    """Rows 16 and 19 of the draft's requirements, 9, 11 and 13 of RFC 9261's."""


@rows(refused(MALFORMED + ".*"),
      A16_good_then_cut_varint=[listed(requests_payload(ONE) + b"\x40")],
      A16_good_then_empty_element=[listed(requests_payload(ONE) + b"\0")],
      A16_good_then_cut_request=[ask(ONE, TWO[:-1])],
      A16_good_then_type_17=[
          ask(ONE, certificate_request(b"two", kind=CLIENT_CERTIFICATE_REQUEST))],
      A16_good_then_bare=[ask(ONE, TWO[4:])],
      A16_good_then_misplaced_extension=[
          ask(ONE, certificate_request(b"two", SIGNATURE_ALGORITHMS + extension(0, b"")))],
      A16_three_good_then_one_without_signature_algorithms=[
          ask(ONE, TWO, THREE, certificate_request(b"4", b""))],
      A16_bad_then_good=[ask(ONE[:-1], TWO)])
@rows(refused("a certificate request context is used again", asked=1),
      A16_good_then_a_context_that_is_outstanding=Conduct(
          [ask(ONE), AWAIT_AGENT, ask(TWO, ONE)], answer=silent),
      EA07_context_again_while_it_is_outstanding=Conduct(
          [ask(ONE), AWAIT_AGENT, ask(ONE)], answer=silent),
      EA07_empty_context_again=Conduct(
          [ask(certificate_request(b"")), AWAIT_AGENT, ask(certificate_request(b""))],
          answer=silent))
@rows(refused("a certificate request context is used again", asked=1, answered=1),
      EA07_context_again_after_its_proof=[ask(ONE), AWAIT_CERTIFICATE, ask(ONE)],
      EA07_context_again_in_another_request=[
          ask(ONE), AWAIT_CERTIFICATE, ask(extensions(extension(0xfafa, b"")))],
      EA07_context_again_after_it_was_declined=Conduct(
          [ask(ONE), AWAIT_CERTIFICATE, ask(ONE)],
          answer=lambda call: declined(agent.DECLINE_REASON_DENIED, "")))
@rows(refused("more requests outstanding than the limit we gave"),
      CC14_two_in_a_frame_at_limit_1=Conduct([ask(ONE, TWO)], limit=1),
      CC14_three_in_a_frame_at_limit_2=Conduct([ask(ONE, TWO, THREE)], limit=2),
      CC14_700_in_a_frame=[
          ask(*(certificate_request(struct.pack("!H", each)) for each in range(700)), size=1)])
@rows(refused("more requests outstanding than the limit we gave", asked=1),
      CC14_a_second_one_at_limit_1=Conduct(
          [ask(ONE), AWAIT_AGENT, ask(TWO)], limit=1, answer=silent))
@rows(refused("more requests outstanding than the limit we gave", asked=4),
      CC14_a_fifth_one_at_limit_4=Conduct(
          [ask(ONE), ask(TWO, THREE), ask(certificate_request(b"4")),
           AWAIT_AGENT, ask(certificate_request(b"5"))],
          answer=silent))
@rows(refused("more requests outstanding than the limit we gave", asked=1, answered=1),
      CC14_two_after_one_was_answered_at_limit_1=Conduct(
          [ask(ONE), AWAIT_CERTIFICATE, ask(TWO, THREE)], limit=1))
class NothingIsSigned(MisbehavingServerTest):
    """Ambiguities A15 and A16, rows 13 and 14: the whole frame is judged before any of it is
    answered."""


@rows(refused("AUTHENTICATOR_REQUESTS on the wrong stream"),
      **{f"CC18_requests_on_{name}": [ask(ONE, stream=stream)] for name, stream in (
          ("the_open_stream", STREAM), ("an_idle_stream", 3), ("a_stream_of_the_server", 2),
          ("the_last_stream", 0x7fffffff))})
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
      CC26_server_certificate_on_a_stream=[(h2.SERVER_CERTIFICATE, 0, STREAM, b"x")],
      CC26_server_certificate_though_only_the_server_advertised=Conduct(
          [(h2.SERVER_CERTIFICATE, 0, 0, b"x")], {**SUPPORT, h2.SERVER_CERT_AUTH: 1}))
@rows(refused("a client certificate frame from the server", asked=1, answered=1),
      EA48_the_clients_own_certificate_comes_back=[
          ask(ONE), AWAIT_CERTIFICATE, lambda conversation: conversation.peer.send(
              *conversation.certificates[0])])
@rows(refused(".*CONTINUATION.*"),
      **{f"CC40_{name}_inside_a_header_block": [(h2.HEADERS, 0, STREAM, h2.STATUS_200), frame]
         for name, frame in (("requests", ask(ONE)), ("malformed_requests", listed(b"")),
                             ("certificate", (h2.CERTIFICATE, 0, 0, b"")),
                             ("an_unknown_frame", (0xee, 0, 0, b"")))},
      CC40_requests_between_two_continuations=[
          (h2.HEADERS, 0, STREAM, h2.STATUS_200), (h2.CONTINUATION, 0, STREAM, b""), ask(ONE),
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
class Frames(MisbehavingServerTest):
    """Rows 17, 18, 26, 27, 39 and 40: frames of the wrong kind, place or size."""


@rows(cut(16, "the server closed the connection"),
      CC22_hangs_up_in_the_header_of_a_frame=[b"\0\0\x10\xf4", hang_up],
      CC22_hangs_up_in_a_frame=[half(ask(ONE)), hang_up],
      CC22_resets_in_a_frame=[half(ask(ONE)), reset])
@rows(cut(28, "--deadline"),
      CC22_never_finishes_a_frame=Conduct([half(ask(ONE))], options=("--deadline", 1)),
      CC22_never_finishes_a_header_block=Conduct(
          [(h2.HEADERS, 0, STREAM, h2.STATUS_200)], options=("--deadline", 1)))
@rows(refused("too many", ENHANCE_YOUR_CALM, "ENHANCE_YOUR_CALM", by="peer"),
      A19_after_goaway_with_an_error=[goaway(ENHANCE_YOUR_CALM, text=b"too many"), ask(ONE)])
class Cut(MisbehavingServerTest):
    """What was not said whole, or on a connection that is over, has not been said."""


REQUESTS_OF_ANY_SIZE = certificate_request(
    b"big", SIGNATURE_ALGORITHMS + extension(0xfafa, bytes(16384 - 8 - 4 - 6 - len(ONE))))


@rows(answered("P"),
      A09_length_in_one_byte=[ask(ONE, size=1)],
      A09_length_in_four_bytes=[ask(ONE, size=4)],
      A09_length_in_eight_bytes=[ask(ONE, size=8)],
      EA06_context_of_no_bytes=[ask(certificate_request(b""))],
      EA06_context_of_255_bytes=[ask(certificate_request(bytes(range(255))))],
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
@rows(answered("PP"),
      CC12_one_after_the_other=[ask(ONE), AWAIT_CERTIFICATE, ask(TWO)],
      CC15_replenished_at_limit_1=Conduct([ask(ONE), AWAIT_CERTIFICATE, ask(TWO)], limit=1),
      CC21_two_in_a_frame_at_limit_2=Conduct([ask(ONE, TWO)], limit=2),
      CC21_lengths_of_different_size=[
          listed(requests_payload(ONE, size=1) + requests_payload(TWO, size=8))])
@rows(answered("PPPP"),
      CC22_agent_answers_backwards=Conduct(
          [ask(ONE, TWO), ask(THREE), ask(certificate_request(b""))], batch=4))
@rows(answered("D" * 1025, asked=1024),
      A04_more_requests_than_a_connection_may_have=Conduct(
          [ask(*(certificate_request(struct.pack("!H", each)) for each in range(600)), size=1),
           ask(*(certificate_request(struct.pack("!H", each)) for each in range(600, 1025)), size=1)],
          limit=2000, answer=lambda call: declined(agent.DECLINE_REASON_DENIED, "")))
class Odd(MisbehavingServerTest):
    """What no rule forbids is answered, byte for byte as the second implementation wants it."""


if __name__ == "__main__":
    unittest.main()
