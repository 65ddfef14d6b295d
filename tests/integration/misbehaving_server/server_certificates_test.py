#!/usr/bin/python3
"""Servers that break rules of the server-certs draft (SC, readings B), of RFC 9261 (EA) or of RFC 8336
with the certificates that they prove unasked, over HTTP/2 and over HTTP/3; and servers that are only
odd. The authenticators are of the second implementation of RFC 9261."""
import dataclasses
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

import certificates
import raw_http2 as h2
import raw_http3 as h3
from authenticator import FINISHED, Keys, Proof, decline, message, vector
from http3_steps import CODES
from misbehaving_server import (AWAIT_CERTIFICATE, NO_SETTINGS, STREAM, Conduct,
                                MisbehavingServerTest)
from raw_http2 import certificate_request
from rows import rows
from server_steps import ONE, ask, setting
from spoilt_authenticators import (certificate, chain, changed, finished, leaf, of_keys, p256, p384,
                                   parts, rsa_key, signed, spoilt, verify, with_key)

TAKES_PART = {h2.SERVER_CERT_AUTH: 1}
ORIGIN = 0x0c
LIMIT = 128  # of the certificates that are looked at on one connection


def shop(issuer, host="shop.test", **options):
    """Another server of the same authority, or not."""
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    return certificates.client(issuer, host, usage=certificates.SERVER, more=[(names, False)],
                               **options)


class Case:
    """What spoilt_authenticators.py takes. There is a request as far as its context goes, but it is
    in no transcript."""

    def __init__(self, peer, identity, context=b"context"):
        self.client = peer
        self.identity = identity
        self.request = certificate_request(context)
        self.proof = Proof(peer.keys("server"), self.request, [each.der for each in identity.chain],
                           identity.key, transcript_request=b"")

    @property
    def keys(self):
        return self.proof.keys

    def spoilt(self, **fields):
        return dataclasses.replace(self.proof, **fields)


@dataclasses.dataclass
class Prove:
    """A step: the frame whose payload `make` makes of a Case."""
    make: object = lambda case: case.proof.build()
    context: bytes = b"context"
    identity: object = lambda test: test.shop
    stream: int = 0
    piece: int = 0

    def frame(self, test, peer):
        case = Case(peer, self.identity(test), self.context)
        return (h2.SERVER_CERTIFICATE, 0, self.stream, self.make(case))


def many(count):
    return [Prove(context=each.to_bytes(2, "big")) for each in range(count)]


def origins(*names, flags=0, stream=0, tail=b""):
    """An ORIGIN frame (RFC 8336 section 2.1)."""
    return (ORIGIN, flags, stream, b"".join(vector(2, each) for each in names) + tail)


def of_sender(sender):
    return lambda case: case.client.keys(sender)


# -- how it must end


def _conduct(row):
    if isinstance(row, Conduct):
        return row
    steps = row if isinstance(row, list) else [Prove(row)]
    return Conduct(steps, TAKES_PART)


def invalid(detail):
    def check(self, row):
        self.assert_refused(_conduct(row), "a server certificate is invalid: " + detail,
                            self.INVALID, "SERVER_CERTIFICATE_INVALID")
    return check


def broken(detail, h2_name="PROTOCOL_ERROR", h2_code=1, h3_name="H3_FRAME_UNEXPECTED"):
    def check(self, row):
        over_http3 = self.SERVER is h3.Server
        self.assert_refused(_conduct(row), detail, CODES[h3_name] if over_http3 else h2_code,
                            h3_name if over_http3 else h2_name)
    return check


def taken(*outcomes):
    """The page is fetched, and each certificate is "proved" or not used for such a reason. It comes
    when the client has answered what was said last on the control stream, and so heard the rest."""
    def check(self, row):
        conduct = _conduct(row)
        result, _ = self.hold(dataclasses.replace(
            conduct, steps=[*conduct.steps, ask(certificate_request(b"last")), AWAIT_CERTIFICATE],
            settings={**conduct.settings, h2.CLIENT_CERT_AUTH: 1}), 1)
        self.assertEqual(result.exit, 0, result.stderr)
        self.assertEqual(result.statuses(), [200])
        self.assertEqual(tuple("proved" if each["proved"] else each["reason"]
                               for each in result.json["server_certificates"]), outcomes)
    return check


NOT_WHOLE = "not an authenticator: not exactly Certificate, CertificateVerify, Finished"


@rows(invalid(NOT_WHOLE),
      B2_nothing=lambda case: b"",
      B2_half_an_authenticator=changed(lambda whole: whole[:len(whole) // 2]),
      B2_last_byte_missing=changed(lambda whole: whole[:-1]),
      B2_two_in_a_frame=parts("cvfcvf"),
      EA30_certificate_alone=parts("c"),
      EA30_without_finished=parts("cv"),
      EA30_without_certificate_verify=parts("cz"),
      EA30_finished_first=parts("fcv"),
      EA30_request_in_front=parts("rcvf"),
      EA30_trailing_byte=changed(lambda whole: whole + b"\0"),
      EA61_refusal_in_the_way_of_tls=lambda case: (
          lambda empty: empty + message(FINISHED, case.keys.mac(empty)))(
              case.spoilt(chain=[]).certificate()),
      R6_compressed_certificate=changed(lambda whole: b"\x19" + whole[1:]))
@rows(invalid("an empty authenticator that answers nothing"),
      EA69_empty_authenticator=lambda case: decline(case.keys, case.request))
@rows(invalid("Certificate is malformed"),
      EA35_entry_of_no_bytes=chain(b""),
      EA35_eleven_certificates=chain(*[leaf] * 11),
      EA35_list_with_a_trailing_byte=certificate(
          lambda context, entry: vector(1, context) + vector(3, entry + b"\0")),
      EA40_key_share_in_an_entry=spoilt(entry_extensions=h2.extension(51, b"")))
@rows(invalid("Certificate has no entries: a refusal is a Finished alone"),
      EA61_no_entries_and_a_signature=spoilt(chain=[]))
@rows(invalid("Certificate has an extension that was not requested"),
      EA39_unknown_extension=spoilt(entry_extensions=h2.extension(0xfafa, b"x")),
      EA39_certificate_timestamps=spoilt(entry_extensions=h2.extension(18, b"\0\0")))
@rows(invalid("CertificateVerify uses a signature scheme that was not requested"),
      EA41_rsa_pkcs1_sha256=with_key(rsa_key, 0x0401, lambda key, scheme, content: key.sign(
          content, padding.PKCS1v15(), hashes.SHA256())),
      EA44_unknown_scheme=verify(lambda signature: b"\xfa\xfa" + vector(2, signature)))
@rows(invalid("the MAC of Finished is wrong"),
      EA24_keys_for_clients=of_keys(of_sender("client")),
      EA24_no_keys=of_keys(lambda case: Keys(case.keys.hash, b"", b"")),
      EA47_transcript_with_a_request=spoilt(transcript_request=certificate_request(b"context")),
      EA49_mac_of_zeros=finished(lambda case, *messages: bytes(len(case.keys.mac()))),
      EA49_mac_with_one_bit_wrong=changed(lambda whole: whole[:-1] + bytes([whole[-1] ^ 1])))
@rows(invalid("the signature of CertificateVerify is wrong"),
      EA35_certificate_of_another_key=lambda case: case.spoilt(key=p256()).build(),
      EA38_no_certificate_in_it=chain(b"\x30\x03\x02\x01\x00"),
      EA41_scheme_of_another_curve=lambda case: case.spoilt(key=p384(), scheme=0x0503).build(),
      EA46_context_string_of_tls=signed(
          signature_context=b" " * 64 + b"TLS 1.3, server CertificateVerify\0"),
      EA47_signature_with_a_request=signed(transcript_request=certificate_request(b"context")))
@rows(invalid("its certificate request context was used before on this connection"),
      EA68_context_again=[Prove(), Prove(identity=lambda test: shop(test.ca, "second.test"))],
      EA68_the_same_frame_again=[Prove(context=b""), Prove(context=b"")])
class BadServerCertificates:
    """Rows 14 and 15 of the draft's requirements."""


@rows(broken("a server certificate frame without negotiation"),
      SC2_no_setting=Conduct([Prove()], {}),
      SC2_setting_0=Conduct([Prove()], {h2.SERVER_CERT_AUTH: 0}),
      SC2_only_the_setting_of_the_client_draft=Conduct([Prove()], {h2.CLIENT_CERT_AUTH: 1}))
@rows(broken("the server's value of the server certificate setting is not 1",
             h3_name="H3_SETTINGS_ERROR"),
      SC10_setting_2=Conduct([Prove()], {h2.SERVER_CERT_AUTH: 2}))
@rows(broken("ORIGIN ends in the middle of an entry", "FRAME_SIZE_ERROR", 6, "H3_FRAME_ERROR"),
      SC17_origin_cut=[origins(b"https://shop.test", tail=b"\0\x05http")],
      SC17_origin_of_one_byte=[origins(tail=b"\0")])
class MisplacedServerCertificates:
    """Rows 1, 2 and 10; RFC 8336."""


@rows(taken("proved"),
      SC9_right_after_the_settings=Conduct([], TAKES_PART, early=(Prove(),)),
      SC9_later=[Prove()],
      SC14_byte_by_byte=[Prove(piece=1)],
      B4_context_of_no_bytes=[Prove(context=b"")],
      B4_context_of_255_bytes=[Prove(context=b"x" * 255)],
      EA44_rsa=lambda case: (lambda other: case.spoilt(
          chain=[other.der], key=other.key, scheme=0x0804).build())(
              shop(case.identity.issuer, key=rsa_key())),
      SC17_origins_that_are_none=[
          origins(b"", b"*.shop.test", b"http://shop.test", b"\xff" * 100, b"https://" + b"x" * 999),
          Prove()],
      SC17_five_thousand_origins=[
          *[origins(*(f"https://n{each}{block}.test".encode() for each in range(500)))
            for block in range(10)], Prove()])
@rows(taken("untrusted"),
      SC16_of_an_authority_nobody_knows=[
          Prove(identity=lambda test: shop(certificates.authority("stranger")))],
      SC16_expired=[Prove(identity=lambda test: shop(test.ca, days=-1))],
      SC16_not_yet_valid=[Prove(identity=lambda test: shop(test.ca, start=1))],
      SC16_for_clients=[Prove(identity=lambda test: certificates.client(test.ca, "client"))],
      SC16_that_may_not_sign=[Prove(identity=lambda test: shop(test.ca, may_sign=False))],
      SC16_without_its_intermediate=[Prove(
          lambda case: case.spoilt(chain=[case.identity.der]).build(),
          identity=lambda test: shop(certificates.authority("intermediate", issuer=test.ca)))])
@rows(taken("untrusted", "proved"),
      SC16_the_connection_goes_on=[
          Prove(identity=lambda test: shop(certificates.authority("stranger"))),
          Prove(context=b"second")])
@rows(taken("proved", "proved"),
      SC4_one_certificate_twice=[Prove(context=b"one"), Prove(context=b"two")])
@rows(taken(*["proved"] * LIMIT, "limit"),
      SC4_more_than_anybody_needs=many(LIMIT + 20))
class OddServerCertificates:
    """Rows 4, 9, 16 and 17: what is no error."""


class ServerCertificatesTest(MisbehavingServerTest):
    INVALID = 0xf0e1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shop = shop(cls.ca)

    def bound(self, step):
        if not isinstance(step, Prove):
            return step
        return lambda conversation: conversation.peer.send(
            *step.frame(self, conversation.peer), piece=step.piece or None)

    def hold(self, conduct, answers):
        return super().hold(dataclasses.replace(
            conduct, steps=[self.bound(each) for each in conduct.steps],
            early=tuple(self.bound(each) for each in conduct.early)), answers)


class OverHttp2(BadServerCertificates, MisplacedServerCertificates, OddServerCertificates,
                ServerCertificatesTest):
    """Here settings may come again, and frames have flags."""

    def test_SC3_setting_withdrawn(self):
        broken("the server withdrew the server certificate setting")(
            self, [setting(0, number=h2.SERVER_CERT_AUTH), Prove()])

    def test_SC10_setting_raised_to_2(self):
        broken("the server's value of the server certificate setting is not 1")(
            self, [setting(2, number=h2.SERVER_CERT_AUTH), Prove()])

    def test_SC13_on_the_open_stream(self):
        broken("a server certificate frame on the wrong stream")(self, [Prove(stream=STREAM)])

    def test_SC13_on_a_stream_of_the_server(self):
        broken("a server certificate frame on the wrong stream")(self, [Prove(stream=2)])

    def test_SC17_origins_with_flags_or_on_a_stream_are_ignored(self):
        taken("proved")(self, [origins(tail=b"\0", flags=each) for each in (1, 2, 4, 8, 15)] +
                        [origins(tail=b"\0", stream=STREAM), Prove()])

    def test_EA34_context_of_a_request(self):
        """Client and server certificates on one connection have one set of contexts."""
        self.assert_refused(
            Conduct([ask(ONE), AWAIT_CERTIFICATE, Prove(context=b"one")],
                    {**TAKES_PART, h2.CLIENT_CERT_AUTH: 1}),
            "a server certificate is invalid: its certificate request context was used before on "
            "this connection", self.INVALID, "SERVER_CERTIFICATE_INVALID", asked=1, answered=1)

    def test_B11_the_error_is_a_number_of_the_profile(self):
        self.assert_refused(
            Conduct([Prove(lambda case: b"")], TAKES_PART,
                    options=("--code-point", "h2.server-certificate-invalid=0xfeed")),
            ".*", 0xfeed, "SERVER_CERTIFICATE_INVALID")


class OverHttp3(BadServerCertificates, MisplacedServerCertificates, OddServerCertificates,
                ServerCertificatesTest):
    SERVER = h3.Server
    FETCH_OPTIONS = ("--http3",)
    CONNECTION_ERROR = 95
    INVALID = 0xf4f4e1

    def test_B10_setting_twice(self):
        broken("a certificate setting is there twice", h3_name="H3_SETTINGS_ERROR")(
            self, Conduct([setting(1, 1, number=h2.SERVER_CERT_AUTH)], NO_SETTINGS))

    def test_SC13_on_a_request_stream(self):
        """Which may overtake the SETTINGS."""
        broken("a server certificate frame (?:on the wrong stream|without negotiation)")(
            self, [Prove(stream=STREAM)])

    def test_SC17_origins_on_a_request_stream_are_ignored(self):
        taken("proved")(self, [origins(tail=b"\0", stream=STREAM), Prove()])


if __name__ == "__main__":
    unittest.main()
