#!/usr/bin/python3
"""The second implementation of RFC 9261 (authenticator.py) against the known answers: two that
agree with a third one are likely to be right."""
import json
import sys
import unittest

from cryptography.hazmat.primitives import serialization

from authenticator import (CURVES, ED448, ED25519, SIGNATURE_CONTEXT, Keys, Proof, decline, message,
                           split, validate)

KNOWN_ANSWERS = sys.argv.pop()


class KnownAnswers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(KNOWN_ANSWERS, encoding="utf-8") as file:
            cls.answers = [cls.from_hex(each) for each in json.load(file)["vectors"]]

    @staticmethod
    def from_hex(answer):
        text = ("id", "hash", "sender", "signature_scheme", "signature_is")
        return {name: bytes.fromhex(value) if isinstance(value, str) and name not in text else value
                for name, value in answer.items()}

    def for_each(self, check):
        self.assertEqual(len(self.answers), 20)
        for answer in self.answers:
            with self.subTest(answer["id"]):
                check(answer, Keys.of(answer["hash"], answer["exporter_master_secret"],
                                      answer["sender"]))

    def proof(self, answer, keys, **spoilt):
        key = serialization.load_der_private_key(answer["private_key_pkcs8"], None)
        return Proof(keys, answer["request"], [answer["certificate"]], key,
                     answer["signature_scheme_code"], **spoilt)

    def test_exports_the_keys(self):
        def check(answer, keys):
            self.assertEqual(keys.handshake_context, answer["handshake_context"])
            self.assertEqual(keys.finished_mac_key, answer["finished_mac_key"])
        self.for_each(check)

    def test_declines_byte_for_byte(self):
        def check(answer, keys):
            self.assertEqual(decline(keys, answer["request"]), answer["empty_authenticator"])
        self.for_each(check)

    def test_builds_each_message_byte_for_byte(self):
        def check(answer, keys):
            proof = self.proof(answer, keys)
            certificate = proof.certificate()
            self.assertEqual(certificate, answer["certificate_message"])
            content = SIGNATURE_CONTEXT + keys.digest(answer["request"], certificate)
            self.assertEqual(content, answer["to_be_signed"])
            self.assertEqual(
                proof.build(certificate_verify=answer["certificate_verify_message"]),
                answer["authenticator"])
            if answer["signature_scheme_code"] in (ED25519, ED448):  # these are deterministic
                self.assertEqual(proof.build(), answer["authenticator"])
            else:
                self.assertIn(answer["signature_scheme_code"], CURVES)
        self.for_each(check)

    def test_validates_what_is_right(self):
        def check(answer, keys):
            for authenticator in (answer["authenticator"], self.proof(answer, keys).build()):
                self.assertEqual(validate(keys, answer["request"], authenticator),
                                 [answer["certificate"]])
            self.assertIsNone(validate(keys, answer["request"], answer["empty_authenticator"]))
        self.for_each(check)

    def test_refuses_what_has_any_wrong_byte(self):
        def check(answer, keys):
            for name in ("authenticator", "empty_authenticator"):
                right = answer[name]
                for place in [0, 3, 5, 40, len(right) - 40, len(right) - 1]:
                    if place >= len(right) or place < 0:
                        continue
                    wrong = bytearray(right)
                    wrong[place] ^= 1
                    with self.assertRaises(ValueError, msg=place):
                        validate(keys, answer["request"], bytes(wrong))
        self.for_each(check)

    def test_refuses_what_is_signed_wrongly_under_a_right_mac(self):
        answer = self.answers[0]
        keys = Keys.of(answer["hash"], answer["exporter_master_secret"])
        for spoilt in ({"signature_context": b" " * 64 + b"TLS 1.3, client CertificateVerify\0"},
                       {"context": b"another"}, {"entry_extensions": b"\xfe\xfe\0\0"},
                       {"transcript_request": b""}):
            with self.assertRaises(ValueError, msg=spoilt):
                validate(keys, answer["request"], self.proof(answer, keys, **spoilt).build())

    def test_splits_only_whole_messages(self):
        self.assertEqual(split(message(20, b"ab")), [(20, b"ab", b"\x14\0\0\x02ab")])
        for cut in (b"\x14", b"\x14\0\0\x02a"):
            with self.assertRaises(ValueError):
                split(cut)


if __name__ == "__main__":
    unittest.main()
