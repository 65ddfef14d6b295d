#!/usr/bin/python3
"""Clients whose authenticators have a right MAC, and a signature or chain that breaks a rule of RFC
9261 (EA) or of the client-certs draft (CC); and clients that are right."""
import hashlib
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, ed448, padding, rsa, utils

import authenticator
import certificates
import raw_http2 as h2
from authenticator import FINISHED, Keys, decline, message, vector
from misbehaving_client import MisbehavingClientTest, invalid, proved, untrusted
from rows import rows
from spoilt_authenticators import (ED25519_ORDER, P256_ORDER, behind, behind_a_client, below, chain,
                                   der_signature, finished, integer, leaf, of_keys,
                                   of_other_identity, of_server, p256, p384, p521, rsa_key,
                                   sequence, signed, with_key, without_intermediate)

PADDING = b" " * 64
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.2"), b"\5\0")


@rows(invalid("the signature of CertificateVerify is wrong"),
      EA46_context_of_tls_clients=signed(
          signature_context=PADDING + b"TLS 1.3, client CertificateVerify\0"),
      EA46_context_of_tls_servers=signed(
          signature_context=PADDING + b"TLS 1.3, server CertificateVerify\0"),
      EA46_no_zero_byte=signed(signature_context=PADDING + b"Exported Authenticator"),
      EA46_no_padding=signed(signature_context=b"Exported Authenticator\0"),
      EA46_no_context=signed(signature_context=b""),
      EA46_63_spaces=signed(signature_context=PADDING[1:] + b"Exported Authenticator\0"),
      EA46_65_spaces=signed(signature_context=PADDING + b" Exported Authenticator\0"),
      EA46_padding_of_zeros=signed(signature_context=bytes(64) + b"Exported Authenticator\0"),
      EA46_lower_case=signed(signature_context=PADDING + b"exported authenticator\0"),
      EA46_context_of_the_draft=signed(signature_context=PADDING + b"Exported Authenticators\0"),
      EA46_signature_of_the_hash_alone=signed(sign=lambda key, scheme, content: key.sign(
          content[-48:], ec.ECDSA(hashes.SHA256()))),
      EA46_content_taken_for_a_hash=signed(sign=lambda key, scheme, content: key.sign(
          content[-32:], ec.ECDSA(utils.Prehashed(hashes.SHA256())))),
      EA47_signature_without_the_request=signed(transcript_request=b""),
      EA5_signature_of_the_request_without_its_header=lambda case: signed(
          transcript_request=case.request[4:])(case),
      EA24_signature_with_the_context_for_servers=lambda case: signed(
          keys=of_server(case))(case),
      EA46_signature_of_another_certificate=lambda case: case.proof.build(
          certificate_verify=case.proof.certificate_verify(
              case.spoilt(chain=[case.identity.issuer.der]).certificate())),
      EA35_key_of_another_certificate=lambda case: case.spoilt(key=p256()).build(),
      EA35_issuer_before_the_leaf=lambda case: case.spoilt(
          chain=[case.identity.issuer.der, leaf(case)]).build(),
      EA35_leaf_is_no_certificate=chain(b"\x30\0"),
      EA35_leaf_with_a_trailing_byte=lambda case: case.spoilt(chain=[leaf(case) + b"\0"]).build(),
      EA35_leaf_cut=lambda case: case.spoilt(chain=[leaf(case)[:-1]]).build(),
      EA35_leaf_is_pem=lambda case: case.spoilt(chain=[case.identity.pem]).build(),
      EA38_raw_public_key=lambda case: case.spoilt(
          chain=[case.proof.key.public_key().public_bytes(
              serialization.Encoding.DER,
              serialization.PublicFormat.SubjectPublicKeyInfo)]).build())
@rows(invalid("the signature of CertificateVerify is wrong"),
      EA41_p384_key_with_the_scheme_of_p256=with_key(
          p384, 0x0403, lambda key, scheme, content: key.sign(content, ec.ECDSA(hashes.SHA256()))),
      EA41_p256_key_with_the_scheme_of_p384=with_key(
          p256, 0x0503, lambda key, scheme, content: key.sign(content, ec.ECDSA(hashes.SHA384()))),
      EA41_p521_key_with_the_scheme_of_p384=with_key(
          p521, 0x0503, lambda key, scheme, content: key.sign(content, ec.ECDSA(hashes.SHA384()))),
      EA41_p256_key_with_sha512=with_key(
          p256, 0x0403, lambda key, scheme, content: key.sign(content, ec.ECDSA(hashes.SHA512()))),
      EA41_secp256k1_key=with_key(
          lambda: ec.generate_private_key(ec.SECP256K1()), 0x0403,
          lambda key, scheme, content: key.sign(content, ec.ECDSA(hashes.SHA256()))),
      EA41_rsa_key_with_the_scheme_of_p256=with_key(
          rsa_key, 0x0403, lambda key, scheme, content: key.sign(
              content, authenticator.pss(hashes.SHA256()), hashes.SHA256())),
      EA41_rsae_key_with_a_pss_scheme=with_key(
          rsa_key, 0x0809, lambda key, scheme, content: key.sign(
              content, authenticator.pss(hashes.SHA256()), hashes.SHA256())),
      EA41_ed25519_key_with_the_scheme_of_ed448=with_key(
          ed25519.Ed25519PrivateKey.generate, 0x0808),
      EA42_pss_without_salt=with_key(
          rsa_key, 0x0804, lambda key, scheme, content: key.sign(
              content, authenticator.pss(hashes.SHA256(), 0), hashes.SHA256())),
      EA42_pss_salt_of_the_other_hash=with_key(
          rsa_key, 0x0804, lambda key, scheme, content: key.sign(
              content, authenticator.pss(hashes.SHA256(), 48), hashes.SHA256())),
      EA42_pss_with_the_longest_salt=with_key(
          rsa_key, 0x0804, lambda key, scheme, content: key.sign(
              content, authenticator.pss(hashes.SHA256(), 222), hashes.SHA256())),
      EA42_pss_with_sha1_in_mgf1=with_key(
          rsa_key, 0x0804, lambda key, scheme, content: key.sign(
              content, padding.PSS(padding.MGF1(hashes.SHA1()), 32), hashes.SHA256())),
      EA42_pss_of_another_hash=with_key(
          rsa_key, 0x0804, lambda key, scheme, content: key.sign(
              content, authenticator.pss(hashes.SHA384(), 32), hashes.SHA384())),
      EA42_pkcs1_with_the_scheme_of_pss=with_key(
          rsa_key, 0x0804, lambda key, scheme, content: key.sign(
              content, padding.PKCS1v15(), hashes.SHA256())),
      EA42_pss_with_a_leading_zero=with_key(
          rsa_key, 0x0804, lambda key, scheme, content: b"\0" + authenticator.sign(
              key, scheme, content)),
      EA42_pss_cut=with_key(
          rsa_key, 0x0804, lambda key, scheme, content: authenticator.sign(
              key, scheme, content)[:-1]))
@rows(invalid("the signature of CertificateVerify is wrong"),
      EA42_signature_of_no_bytes=der_signature(lambda r, s: b""),
      EA42_ecdsa_without_der=der_signature(
          lambda r, s: r.to_bytes(32, "big") + s.to_bytes(32, "big")),
      EA42_ecdsa_with_a_trailing_byte=der_signature(
          lambda r, s: utils.encode_dss_signature(r, s) + b"\0"),
      EA42_ecdsa_with_a_byte_after_s=der_signature(lambda r, s: sequence(r, s, b"\0")),
      EA42_ecdsa_with_a_third_integer=der_signature(lambda r, s: sequence(r, s, integer(1, 1))),
      EA42_ecdsa_with_a_leading_zero_too_many=der_signature(
          lambda r, s: b"\x30" + vector(1, integer(r, 34) + integer(s, 34))),
      EA42_ecdsa_with_a_long_length=der_signature(
          lambda r, s: b"\x30\x81" + utils.encode_dss_signature(r, s)[1:]),
      EA42_ecdsa_with_an_indefinite_length=der_signature(
          lambda r, s: b"\x30\x80" + utils.encode_dss_signature(r, s)[2:] + b"\0\0"),
      EA42_ecdsa_cut=der_signature(lambda r, s: utils.encode_dss_signature(r, s)[:-1]),
      EA42_ecdsa_of_zeros=der_signature(lambda r, s: utils.encode_dss_signature(0, 0)),
      EA42_ecdsa_with_r_0=der_signature(lambda r, s: utils.encode_dss_signature(0, s)),
      EA42_ecdsa_with_s_0=der_signature(lambda r, s: utils.encode_dss_signature(r, 0)),
      EA42_ecdsa_with_r_and_s_of_the_order=der_signature(
          lambda r, s: utils.encode_dss_signature(P256_ORDER, P256_ORDER)),
      EA42_ecdsa_with_s_and_the_order=der_signature(
          lambda r, s: utils.encode_dss_signature(r, s + P256_ORDER)),
      EA42_ecdsa_with_r_and_s_swapped=der_signature(
          lambda r, s: utils.encode_dss_signature(s, r)),
      EA42_ed25519_with_s_and_the_order=with_key(
          ed25519.Ed25519PrivateKey.generate, 0x0807,
          lambda key, scheme, content: (lambda whole: whole[:32] + (
              int.from_bytes(whole[32:], "little") + ED25519_ORDER).to_bytes(32, "little"))(
                  key.sign(content))),
      EA42_ed25519_of_the_hash=with_key(
          ed25519.Ed25519PrivateKey.generate, 0x0807,
          lambda key, scheme, content: key.sign(hashlib.sha512(content).digest())),
      EA42_ed25519_of_zeros=with_key(
          ed25519.Ed25519PrivateKey.generate, 0x0807, lambda key, scheme, content: bytes(64)),
      EA42_ed448_of_the_hash=with_key(
          ed448.Ed448PrivateKey.generate, 0x0808,
          lambda key, scheme, content: key.sign(hashlib.sha512(content).digest())))
class WrongSignatures(MisbehavingClientTest):
    """Rows 35, 38, 41, 42, 46 and 47: the MAC of all of these is right."""

    def test_EA46_every_byte_that_is_signed_and_of_the_signature_counts(self):
        client = self.connect()

        def refused(stream, spoil):
            client.request(stream, "/one")
            case = self.case(client, self.asked(client)[0])
            client.send(h2.CERTIFICATE, 0, 0, spoil(case))
            self.assertEqual(self.answer(client, stream).get("error"), "invalid", stream)

        def with_a_wrong_bit(place):
            def spoil(case):
                first = case.proof.certificate()
                second = case.proof.certificate_verify(first)
                whole = bytearray(first + second)
                whole[place % len(whole)] ^= 1 << place % 8
                first, second = whole[:len(first)], whole[len(first):]
                return case.proof.build(bytes(first), bytes(second))
            return spoil

        size = len(self.alice.der) + 150  # of both messages, or a little more
        for stream, place in enumerate(range(-80, size - 80, 3)):
            refused(2 * stream + 1, with_a_wrong_bit(place))


@rows(untrusted("self.signed certificate"),
      CC30_self_signed=of_other_identity(lambda issuer: certificates.client(None, "self")))
@rows(untrusted("certificate signature failure"),
      CC30_another_authority_of_the_same_name=lambda case: (lambda other: case.spoilt(
          chain=[other.der, other.issuer.der], key=other.key).build())(
              certificates.client(certificates.authority("ca"), "alice")))
@rows(untrusted("unable to get local issuer certificate"),
      CC30_authority_nobody_knows=of_other_identity(
          lambda issuer: certificates.client(certificates.authority("stranger"), "alice")),
      CC30_intermediate_missing=without_intermediate)
@rows(untrusted("path length constraint exceeded"),
      CC30_behind_one_authority_too_many=of_other_identity(lambda issuer: below(
          certificates.authority("last", issuer=issuer, path_length=0), 1)))
@rows(untrusted("unhandled critical extension"),
      CC30_critical_extension_nobody_knows=of_other_identity(
          lambda issuer: certificates.client(issuer, "critical", more=[(UNKNOWN, True)])),
      CC30_critical_extension_nobody_knows_in_an_authority=behind(more=[(UNKNOWN, True)]))
@rows(untrusted("excluded subtree violation"),
      CC30_name_that_its_authority_may_not_give=behind(more=[(x509.NameConstraints(
          None, [x509.DirectoryName(x509.Name([x509.NameAttribute(
              x509.NameOID.COMMON_NAME, "behind")]))]), True)]))
@rows(untrusted("certificate has expired"),
      CC30_behind_an_authority_that_has_expired=behind(days=-1),
      CC30_expired=of_other_identity(lambda issuer: certificates.client(issuer, "old", days=-1)))
@rows(untrusted("certificate is not yet valid"),
      CC30_not_yet_valid=of_other_identity(
          lambda issuer: certificates.client(issuer, "young", start=1)))
@rows(untrusted("unsuitable certificate purpose|unsupported certificate purpose"),
      CC30_certificate_for_servers=of_other_identity(lambda issuer: certificates.client(
          issuer, "server", usage=certificates.SERVER)))
@rows(untrusted("the key usage of the leaf has no digitalSignature"),
      EA35_leaf_that_may_only_agree_on_keys=of_other_identity(
          lambda issuer: certificates.client(issuer, "agrees", may_sign=False)))
@rows(untrusted("invalid CA certificate"),
      CC30_issued_by_a_client=of_other_identity(behind_a_client))
@rows(untrusted("EE certificate key too weak"),
      CC30_rsa_key_of_1024_bits=with_key(
          lambda: rsa.generate_private_key(65537, 1024), authenticator.RSA_PSS_SHA256))
@rows(untrusted("a certificate of the chain can't be read"),
      EA35_rest_of_the_chain_is_no_certificate=chain(leaf, b"\x30\0"),
      EA35_rest_of_the_chain_has_a_trailing_byte=lambda case: case.spoilt(
          chain=[leaf(case), case.identity.issuer.der + b"\0"]).build())
class WrongChains(MisbehavingClientTest):
    """Row 30 of the draft's requirements: right authenticators, certificates that prove nothing."""


@rows(proved,
      EA41_ecdsa_secp256r1_sha256=with_key(p256, authenticator.ECDSA_P256),
      EA41_ecdsa_secp384r1_sha384=with_key(p384, authenticator.ECDSA_P384),
      EA41_ecdsa_secp521r1_sha512=with_key(p521, authenticator.ECDSA_P521),
      EA41_ed25519=with_key(ed25519.Ed25519PrivateKey.generate, authenticator.ED25519),
      EA41_ed448=with_key(ed448.Ed448PrivateKey.generate, authenticator.ED448),
      EA41_rsa_pss_rsae_sha256=with_key(rsa_key, authenticator.RSA_PSS_SHA256),
      EA41_rsa_pss_rsae_sha384=with_key(rsa_key, authenticator.RSA_PSS_SHA384),
      EA41_rsa_pss_rsae_sha512=with_key(rsa_key, authenticator.RSA_PSS_SHA512),
      EA42_ecdsa_with_the_other_s=der_signature(
          lambda r, s: utils.encode_dss_signature(r, P256_ORDER - s)),
      CC30_extension_nobody_knows=of_other_identity(
          lambda issuer: certificates.client(issuer, "extended", more=[(UNKNOWN, False)])),
      EA35_leaf_that_may_sign=of_other_identity(
          lambda issuer: certificates.client(issuer, "signs", may_sign=True)),
      EA35_chain_with_its_anchor=lambda case: case.spoilt(
          chain=[leaf(case), case.identity.issuer.der]).build(),
      EA35_chain_with_the_leaf_again=chain(leaf, leaf),
      EA35_chain_of_ten=of_other_identity(lambda issuer: below(issuer, 9)))
class RightAuthenticators(MisbehavingClientTest):
    """What the second implementation makes, and what is equal to it in the eyes of the RFCs."""

    def test_EA60_an_empty_one_declines(self):
        case, = self.ask()
        case.client.send(h2.CERTIFICATE, 0, 0, decline(case.keys, case.request))
        self.assertEqual(self.answer(case.client, 1)["error"], "declined")
        self.assert_knows_nobody(case.client)


@rows(proved,
      EA27_proof_with_sha256=lambda case: case.proof.build(),
      EA27_ed25519_with_sha256=with_key(ed25519.Ed25519PrivateKey.generate, authenticator.ED25519),
      EA27_p384_with_sha256=with_key(p384, authenticator.ECDSA_P384))
@rows(invalid("the MAC of Finished is wrong"),
      EA24_keys_for_servers_with_sha256=of_keys(of_server),
      EA49_mac_of_zeros_with_sha256=finished(lambda case, *messages: bytes(32)))
@rows(invalid("the MAC of the empty authenticator is wrong"),
      EA60_empty_mac_of_zeros_with_sha256=lambda case: message(FINISHED, bytes(32)))
@rows(invalid("not an authenticator: not exactly Certificate, CertificateVerify, Finished"),
      EA27_proof_with_sha384_on_a_connection_with_sha256=of_keys(lambda case: Keys.of(
          "sha384", case.client.secrets["EXPORTER_SECRET"])),
      EA27_empty_with_sha384_on_a_connection_with_sha256=lambda case: decline(Keys.of(
          "sha384", case.client.secrets["EXPORTER_SECRET"]), case.request))
class Sha256Connections(MisbehavingClientTest):
    CIPHER_SUITE = "TLS_CHACHA20_POLY1305_SHA256"


if __name__ == "__main__":
    unittest.main()
