#!/usr/bin/python3
"""Servers whose AUTHENTICATOR_REQUESTS break a rule of the client-certs draft (CC) or of RFC 9261
(EA). What is refused is refused before anything is signed."""
import unittest

from authenticator import CERTIFICATE_REQUEST, CLIENT_CERTIFICATE_REQUEST, message, vector
from fake_agent import declined
from ipc import agent_pb2 as agent
from misbehaving_server import (AWAIT_AGENT, AWAIT_CERTIFICATE, Conduct, MisbehavingServerTest,
                                refused)
from raw_http2 import (SIGNATURE_ALGORITHMS, certificate_request, extension, requests_payload,
                       signature_algorithms, varint)
from rows import rows
from server_steps import (ONE, THREE, TWO, ask, extensions, forms, listed, numbered, silent,
                          with_extension)

TYPE_17 = certificate_request(b"one", kind=CLIENT_CERTIFICATE_REQUEST)
MALFORMED = "AUTHENTICATOR_REQUESTS is malformed: "


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
      CC19_type_17=[ask(TYPE_17)],
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
      EA9_server_name=[with_extension(0)],
      EA9_max_fragment_length=[with_extension(1)],
      EA9_supported_groups=[with_extension(10)],
      EA9_alpn=[with_extension(16)],
      EA9_client_certificate_type=[with_extension(19)],
      EA9_padding=[with_extension(21)],
      EA9_extended_master_secret=[with_extension(23)],
      EA9_session_ticket=[with_extension(35)],
      EA9_pre_shared_key=[with_extension(41)],
      EA9_early_data=[with_extension(42)],
      EA9_supported_versions=[with_extension(43)],
      EA9_cookie=[with_extension(44)],
      EA9_post_handshake_auth=[with_extension(49)],
      EA9_key_share=[with_extension(51)],
      EA9_encrypted_client_hello=[with_extension(0xfe0d)],
      EA9_renegotiation_info=[with_extension(0xff01)])
@rows(refused(MALFORMED + "the message is malformed"),
      EA37_oid_filters_with_one_oid_twice=[
          ask(extensions(extension(48, vector(2, 2 * b"\3\x55\x1d\x0f\0\0"))))],
      EA7_one_context_twice_in_a_frame=[ask(ONE, ONE)],
      EA7_one_context_twice_in_a_frame_of_different_requests=[
          ask(ONE, TWO, extensions(extension(0xfafa, b"")))],
      EA7_empty_context_twice_in_a_frame=[
          ask(certificate_request(b""), certificate_request(b""))])
@rows(refused(MALFORMED + "a length runs past the end"),  # they are read as bare structures
      A1_type_17_where_only_bare_ones_are_let_in=Conduct([ask(TYPE_17)], options=forms(2)),
      A1_type_12_where_all_forms_are_let_in=Conduct(
          [ask(certificate_request(b"one", kind=12))], options=forms(3)),
      A1_bare_structure_where_only_type_17_is_let_in=Conduct([ask(ONE[4:])], options=forms(1)))
class MalformedRequests(MisbehavingServerTest):
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
      EA7_context_again_while_it_is_outstanding=Conduct(
          [ask(ONE), AWAIT_AGENT, ask(ONE)], answer=silent),
      EA7_empty_context_again=Conduct(
          [ask(certificate_request(b"")), AWAIT_AGENT, ask(certificate_request(b""))],
          answer=silent))
@rows(refused("a certificate request context is used again", asked=1, answered=1),
      EA7_context_again_after_its_proof=[ask(ONE), AWAIT_CERTIFICATE, ask(ONE)],
      EA7_context_again_in_another_request=[
          ask(ONE), AWAIT_CERTIFICATE, ask(extensions(extension(0xfafa, b"")))],
      EA7_context_again_after_it_was_declined=Conduct(
          [ask(ONE), AWAIT_CERTIFICATE, ask(ONE)],
          answer=lambda call: declined(agent.DECLINE_REASON_DENIED, "")))
@rows(refused("more requests outstanding than the limit we gave"),
      CC14_two_in_a_frame_at_limit_1=Conduct([ask(ONE, TWO)], limit=1),
      CC14_three_in_a_frame_at_limit_2=Conduct([ask(ONE, TWO, THREE)], limit=2),
      CC14_700_in_a_frame=[ask(*numbered(0, 700), size=1)])
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
class RefusedBeforeSigning(MisbehavingServerTest):
    """Ambiguities A15 and A16, rows 13 and 14: the whole frame is judged before any of it is
    answered."""


if __name__ == "__main__":
    unittest.main()
