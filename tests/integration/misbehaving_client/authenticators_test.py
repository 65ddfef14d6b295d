#!/usr/bin/python3
"""Clients whose authenticators break a rule of RFC 9261 (EA) with their messages or MACs. None
makes an identity, and none is an error of HTTP/2."""
import dataclasses
import hmac
import unittest

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

import authenticator
import raw_http2 as h2
from authenticator import FINISHED, Keys, decline, message, vector
from misbehaving_client import MisbehavingClientTest, invalid
from rows import rows
from spoilt_authenticators import (certificate, chain, changed, finished, leaf, of_keys, of_server,
                                   p256, parts, rsa_key, spoilt, verify, with_key)

@rows(invalid("not an authenticator: not exactly Certificate, CertificateVerify, Finished"),
      EA30_nothing=lambda case: b"",
      EA30_one_byte=lambda case: b"\x0b",
      EA30_certificate_alone=parts("c"),
      EA30_certificate_verify_alone=parts("v"),
      EA30_without_finished=parts("cv"),
      EA30_without_certificate=parts("vf"),
      EA30_without_certificate_verify=parts("cz"),
      EA30_finished_first=parts("fcv"),
      EA30_finished_in_the_middle=parts("cfv"),
      EA30_certificate_verify_first=parts("vcf"),
      EA30_certificate_twice=parts("ccvf"),
      EA30_certificate_verify_twice=parts("cvvf"),
      EA30_finished_twice=parts("cvff"),
      EA30_two_authenticators=parts("cvfcvf"),
      EA30_request_in_front=parts("rcvf"),
      EA30_encrypted_extensions_in_front=parts("ecvf"),
      EA30_encrypted_extensions_in_between=parts("cevf"),
      EA30_trailing_byte=changed(lambda whole: whole + b"\0"),
      EA30_trailing_message_of_no_bytes=changed(lambda whole: whole + message(FINISHED, b"")),
      EA30_last_byte_missing=changed(lambda whole: whole[:-1]),
      EA30_cut_in_certificate=changed(lambda whole: whole[:100]),
      EA30_certificate_longer_than_the_frame=changed(lambda whole: b"\x0b\xff" + whole[2:]),
      EA30_one_tls_record=changed(lambda whole: b"\x16\3\3" + vector(2, whole)),
      EA30_the_request_itself=lambda case: case.request,
      EA30_the_frame_of_the_server_itself=lambda case: h2.requests_payload(case.request),
      EA27_proof_with_sha256_on_a_connection_with_sha384=of_keys(lambda case: Keys.of(
          "sha256", case.client.secrets["EXPORTER_SECRET"])),
      EA27_finished_of_the_other_hash=finished(lambda case, *messages: bytes(32)),
      EA49_finished_of_no_bytes=finished(lambda case, *messages: b""),
      EA49_finished_cut=finished(
          lambda case, *messages: case.keys.mac(case.request, *messages)[:16]),
      EA49_finished_with_a_trailing_byte=finished(
          lambda case, *messages: case.keys.mac(case.request, *messages) + b"\0"),
      EA61_refusal_in_the_way_of_tls=lambda case: (
          lambda empty: empty + message(FINISHED, case.keys.mac(case.request, empty)))(
              case.spoilt(chain=[]).certificate()),
      R6_compressed_certificate=changed(lambda whole: b"\x19" + whole[1:]),
      EA60_empty_with_a_trailing_byte=lambda case: decline(case.keys, case.request) + b"\0",
      EA60_empty_twice=lambda case: 2 * decline(case.keys, case.request),
      EA60_empty_before_a_proof=lambda case: (
          decline(case.keys, case.request) + case.proof.build()))
@rows(invalid("Certificate is malformed"),
      EA35_entry_of_no_bytes=chain(b""),
      EA35_entry_of_no_bytes_behind_the_leaf=chain(leaf, b""),
      EA35_eleven_certificates=chain(*[leaf] * 11),
      EA35_list_longer_than_the_message=certificate(
          lambda context, entry: vector(1, context) + b"\xff" + vector(3, entry)[1:] + entry),
      EA35_list_with_a_trailing_byte=certificate(
          lambda context, entry: vector(1, context) + vector(3, entry + b"\0")),
      EA35_message_with_a_trailing_byte=certificate(
          lambda context, entry: vector(1, context) + vector(3, entry) + b"\0"),
      EA35_entry_without_extensions_field=certificate(
          lambda context, entry: vector(1, context) + vector(3, entry[:-2])),
      EA35_certificate_of_no_bytes=certificate(lambda context, entry: b""),
      EA35_context_alone=certificate(lambda context, entry: vector(1, context)),
      EA35_certificate_of_tls_1_2=certificate(lambda context, entry: vector(3, entry[:-2])),
      EA40_one_extension_twice=spoilt(entry_extensions=2 * h2.extension(0xfafa, b"")),
      EA40_key_share_in_an_entry=spoilt(entry_extensions=h2.extension(51, b"")),
      EA40_signature_algorithms_in_an_entry=spoilt(entry_extensions=h2.SIGNATURE_ALGORITHMS),
      EA40_extension_cut=spoilt(entry_extensions=b"\xfa\xfa\0"))
@rows(invalid("Certificate does not echo the context of the request"),
      EA33_no_context=spoilt(context=b""),
      EA33_other_context=spoilt(context=b"x" * 32),
      EA33_context_and_a_byte=lambda case: case.spoilt(
          context=authenticator.context_of(case.request) + b"\0").build(),
      EA33_context_cut=lambda case: case.spoilt(
          context=authenticator.context_of(case.request)[:-1]).build())
@rows(invalid("Certificate has no entries: a refusal is a Finished alone"),
      EA61_no_entries_and_a_signature=spoilt(chain=[]))
@rows(invalid("Certificate has an extension that was not requested"),
      EA39_unknown_extension=spoilt(entry_extensions=h2.extension(0xfafa, b"x")),
      EA39_status_request=spoilt(entry_extensions=h2.extension(5, b"\1\0\0\0")),
      EA39_certificate_timestamps=spoilt(entry_extensions=h2.extension(18, b"\0\0")))
@rows(invalid("CertificateVerify is malformed"),
      EA42_verify_of_no_bytes=verify(lambda signature: b""),
      EA42_verify_of_a_scheme_alone=verify(lambda signature: b"\4\3"),
      EA42_signature_longer_than_the_message=verify(
          lambda signature: b"\4\3" + vector(2, signature + b"x")[:-1]),
      EA42_verify_with_a_trailing_byte=verify(
          lambda signature: b"\4\3" + vector(2, signature) + b"\0"))
@rows(invalid("CertificateVerify uses a signature scheme that was not requested"),
      EA43_scheme_0=verify(lambda signature: b"\0\0" + vector(2, signature)),
      EA43_unknown_scheme=verify(lambda signature: b"\xfa\xfa" + vector(2, signature)),
      EA41_rsa_pkcs1_sha256=with_key(rsa_key, 0x0401, lambda key, scheme, content: key.sign(
          content, padding.PKCS1v15(), hashes.SHA256())),
      EA41_rsa_pkcs1_sha1=with_key(rsa_key, 0x0201, lambda key, scheme, content: key.sign(
          content, padding.PKCS1v15(), hashes.SHA1())),
      EA41_ecdsa_sha1=with_key(p256, 0x0203, lambda key, scheme, content: key.sign(
          content, ec.ECDSA(hashes.SHA1()))),
      EA41_ecdsa_sha224=with_key(p256, 0x0303, lambda key, scheme, content: key.sign(
          content, ec.ECDSA(hashes.SHA224()))))
class WrongMessages(MisbehavingClientTest):
    """Rows 30, 33, 35, 39 to 43, 60 and 61 of RFC 9261's requirements."""


@rows(invalid("the MAC of Finished is wrong"),
      EA24_keys_for_servers=of_keys(of_server),
      EA24_finished_key_for_servers=of_keys(lambda case: dataclasses.replace(
          case.keys, finished_mac_key=of_server(case).finished_mac_key)),
      EA24_handshake_context_for_servers=of_keys(lambda case: dataclasses.replace(
          case.keys, handshake_context=of_server(case).handshake_context)),
      EA24_handshake_context_as_key=of_keys(lambda case: dataclasses.replace(
          case.keys, finished_mac_key=case.keys.handshake_context)),
      EA24_no_keys=of_keys(lambda case: Keys(case.keys.hash, b"", b"")),
      EA25_exporter_of_another_secret=of_keys(lambda case: Keys.of(
          case.keys.hash, case.client.secrets["CLIENT_TRAFFIC_SECRET_0"])),
      EA26_exporter_with_a_context=of_keys(lambda case: Keys.of(
          case.keys.hash, case.client.secrets["EXPORTER_SECRET"], context=b"x")),
      EA27_handshake_context_cut_to_32_bytes=of_keys(lambda case: dataclasses.replace(
          case.keys, handshake_context=case.keys.handshake_context[:32])),
      EA47_transcript_without_the_request=spoilt(transcript_request=b""),
      EA5_transcript_of_the_request_without_its_header=lambda case: case.spoilt(
          transcript_request=case.request[4:]).build(),
      EA5_transcript_of_the_list_of_requests=lambda case: case.spoilt(
          transcript_request=h2.requests_payload(case.request)).build(),
      EA49_mac_of_zeros=finished(lambda case, *messages: bytes(48)),
      EA49_mac_with_one_bit_wrong=changed(lambda whole: whole[:-1] + bytes([whole[-1] ^ 1])),
      EA49_first_bit_of_the_mac_wrong=changed(
          lambda whole: whole[:-48] + bytes([whole[-48] ^ 0x80]) + whole[-47:]),
      EA49_mac_without_certificate_verify=finished(
          lambda case, first, second: case.keys.mac(case.request, first)),
      EA49_mac_without_certificate=finished(
          lambda case, first, second: case.keys.mac(case.request, second)),
      EA49_hash_in_place_of_the_mac=finished(
          lambda case, *messages: case.keys.digest(case.request, *messages)),
      R10_mac_of_the_transcript_itself=finished(lambda case, *messages: hmac.digest(
          case.keys.finished_mac_key,
          case.keys.handshake_context + case.request + b"".join(messages), case.keys.hash)),
      EA49_key_derived_once_more=finished(lambda case, *messages: dataclasses.replace(
          case.keys, finished_mac_key=authenticator.expand_label(
              case.keys.hash, case.keys.finished_mac_key, b"finished", b"", 48)).mac(
                  case.request, *messages)),
      EA49_certificate_changed_behind_the_mac=changed(
          lambda whole: whole[:60] + bytes([whole[60] ^ 1]) + whole[61:]))
@rows(invalid("the MAC of the empty authenticator is wrong"),
      EA60_empty_mac_of_zeros=lambda case: message(FINISHED, bytes(48)),
      EA60_empty_with_one_bit_wrong=lambda case: (lambda whole: whole[:-1] + bytes(
          [whole[-1] ^ 1]))(decline(case.keys, case.request)),
      EA60_empty_with_keys_for_servers=lambda case: decline(of_server(case), case.request),
      EA60_empty_without_certificate=lambda case: message(FINISHED, case.keys.mac(case.request)),
      EA60_empty_without_the_request=lambda case: message(FINISHED, case.keys.mac(
          case.spoilt(chain=[]).certificate())),
      EA60_empty_with_another_context=lambda case: message(FINISHED, case.keys.mac(
          case.request, case.spoilt(chain=[], context=b"").certificate())),
      EA60_empty_of_another_request=lambda case: decline(
          case.keys, h2.certificate_request(authenticator.context_of(case.request))),
      EA60_finished_of_a_proof_alone=lambda case: case.proof.build()[-52:])
class WrongMacs(MisbehavingClientTest):
    """Rows 24 to 27, 47, 49 and 60."""



if __name__ == "__main__":
    unittest.main()
