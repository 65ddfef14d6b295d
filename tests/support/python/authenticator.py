"""RFC 9261 a second time: exported authenticators of TLS 1.3, written from the RFCs alone and with
nothing of Signet's, so that the two can disagree. Every part of a Proof can be spoilt."""
import dataclasses
import hashlib
import hmac
from typing import Callable, Optional

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_VERIFY = 11, 13, 15
CLIENT_CERTIFICATE_REQUEST, FINISHED = 17, 20

ECDSA_P256, ECDSA_P384, ECDSA_P521 = 0x0403, 0x0503, 0x0603
RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512 = 0x0804, 0x0805, 0x0806
ED25519, ED448 = 0x0807, 0x0808
HASHES = {ECDSA_P256: hashes.SHA256(), ECDSA_P384: hashes.SHA384(), ECDSA_P521: hashes.SHA512(),
          RSA_PSS_SHA256: hashes.SHA256(), RSA_PSS_SHA384: hashes.SHA384(),
          RSA_PSS_SHA512: hashes.SHA512()}
CURVES = {ECDSA_P256: "secp256r1", ECDSA_P384: "secp384r1", ECDSA_P521: "secp521r1"}

SIGNATURE_CONTEXT = b" " * 64 + b"Exported Authenticator\0"


def vector(size, body):
    """A TLS vector: the length in `size` bytes, then the body."""
    return len(body).to_bytes(size, "big") + body


def message(kind, body):
    """A handshake message with its header, RFC 8446 section 4."""
    return bytes([kind]) + vector(3, body)


def split(data):
    """The handshake messages of `data` as (type, body, whole); ValueError if anything remains."""
    messages = []
    while data:
        size = 4 + int.from_bytes(data[1:4], "big")
        if len(data) < size:
            raise ValueError("a handshake message is cut off")
        messages.append((data[0], data[4:size], data[:size]))
        data = data[size:]
    return messages


def context_of(request):
    """certificate_request_context of a request with its header, or else of the bare structure."""
    kinds = (CERTIFICATE_REQUEST, CLIENT_CERTIFICATE_REQUEST)
    has_header = request[0] in kinds and request[1:4] == (len(request) - 4).to_bytes(3, "big")
    body = request[4:] if has_header else request
    return body[1:1 + body[0]]


# -- RFC 8446 sections 7.1 and 7.5


def expand_label(name, secret, label, context, size):
    info = size.to_bytes(2, "big") + vector(1, b"tls13 " + label) + vector(1, context)
    block, out = b"", b""
    for counter in range(1, 256):
        if len(out) >= size:
            break
        block = hmac.digest(secret, block + info + bytes([counter]), name)
        out += block
    return out[:size]


def export(name, exporter_secret, label, context, size):
    """The exporter; `name` of the hash is "sha256" or "sha384"."""
    empty = hashlib.new(name)
    derived = expand_label(name, exporter_secret, label, empty.digest(), empty.digest_size)
    return expand_label(name, derived, b"exporter", hashlib.new(name, context).digest(), size)


@dataclasses.dataclass(frozen=True)
class Keys:
    """What RFC 9261 section 5.1 takes from a connection, for authenticators of one sender."""
    hash: str
    handshake_context: bytes
    finished_mac_key: bytes

    @classmethod
    def of(cls, name, exporter_secret, sender="client", context=b""):
        size = hashlib.new(name).digest_size
        return cls(name, *(export(name, exporter_secret,
                                  f"EXPORTER-{sender} authenticator {what}".encode(), context, size)
                           for what in ("handshake context", "finished key")))

    def digest(self, *parts):
        return hashlib.new(self.hash, b"".join((self.handshake_context, *parts))).digest()

    def mac(self, *parts):
        return hmac.digest(self.finished_mac_key, self.digest(*parts), self.hash)


# -- RFC 9261 sections 5.2 and 6


def pss(algorithm, salt=None):
    return padding.PSS(padding.MGF1(algorithm), algorithm.digest_size if salt is None else salt)


def sign(key, scheme, content):
    if scheme in (ED25519, ED448):
        return key.sign(content)
    algorithm = HASHES[scheme]
    if scheme in CURVES:
        return key.sign(content, ec.ECDSA(algorithm))
    return key.sign(content, pss(algorithm), algorithm)


@dataclasses.dataclass
class Proof:
    """An authenticator in the making: right as long as no field with a default is set."""
    keys: Keys
    request: bytes
    chain: list  # of DER, leaf first
    key: object
    scheme: int = ECDSA_P256
    context: Optional[bytes] = None  # in place of the request's
    entry_extensions: bytes = b""
    transcript_request: Optional[bytes] = None
    signature_context: bytes = SIGNATURE_CONTEXT
    sign: Callable = sign

    def certificate(self):
        context = context_of(self.request) if self.context is None else self.context
        entries = b"".join(vector(3, der) + vector(2, self.entry_extensions) for der in self.chain)
        return message(CERTIFICATE, vector(1, context) + vector(3, entries))

    def _request(self):
        return self.request if self.transcript_request is None else self.transcript_request

    def certificate_verify(self, certificate):
        content = self.signature_context + self.keys.digest(self._request(), certificate)
        signature = self.sign(self.key, self.scheme, content)
        return message(CERTIFICATE_VERIFY, self.scheme.to_bytes(2, "big") + vector(2, signature))

    def build(self, certificate=None, certificate_verify=None, finished=None):
        """What is given takes the place of the right part, and what follows is right for it."""
        certificate = self.certificate() if certificate is None else certificate
        if certificate_verify is None:
            certificate_verify = self.certificate_verify(certificate)
        if finished is None:
            finished = message(FINISHED, self.keys.mac(self._request(), certificate,
                                                       certificate_verify))
        return certificate + certificate_verify + finished


def decline(keys, request):
    """The empty authenticator, section 6."""
    nothing = message(CERTIFICATE, vector(1, context_of(request)) + vector(3, b""))
    return message(FINISHED, keys.mac(request, nothing))


def entries_of(certificate, context):
    """The DER of each entry of a Certificate's body that has no extensions."""
    if certificate[:1 + len(context)] != vector(1, context):
        raise ValueError("the context is not the request's")
    entries, chain = certificate[1 + len(context):], []
    if entries[:3] != (len(entries) - 3).to_bytes(3, "big"):
        raise ValueError("the length of the list is wrong")
    entries = entries[3:]
    while entries:
        size = int.from_bytes(entries[:3], "big")
        chain.append(entries[3:3 + size])
        if entries[3 + size:5 + size] != b"\0\0":
            raise ValueError("an entry is cut off or has extensions")
        entries = entries[5 + size:]
    return chain


def check_signature(der, verify, content):
    public_key = x509.load_der_x509_certificate(der).public_key()
    scheme, signature = int.from_bytes(verify[:2], "big"), verify[4:]
    if verify[2:4] != len(signature).to_bytes(2, "big"):
        raise ValueError("the length of the signature is wrong")
    try:
        if scheme in (ED25519, ED448):
            public_key.verify(signature, content)
        elif scheme in CURVES and public_key.curve.name == CURVES[scheme]:
            public_key.verify(signature, content, ec.ECDSA(HASHES[scheme]))
        elif scheme in HASHES and scheme not in CURVES:
            public_key.verify(signature, content, pss(HASHES[scheme]), HASHES[scheme])
        else:
            raise ValueError(f"scheme {scheme:#x} and the key do not fit")
    except InvalidSignature as error:
        raise ValueError("the signature is wrong") from error


def validate_unasked(keys, authenticator):
    """Context and chain of an authenticator that a server sent without a request (section 5.2)."""
    (_, body, certificate), (_, verify, certificate_verify), (_, mac, _) = split(authenticator)
    context = body[1:1 + body[0]]
    chain = entries_of(body, context)
    if not hmac.compare_digest(mac, keys.mac(certificate, certificate_verify)):
        raise ValueError("the MAC of Finished is wrong")
    check_signature(chain[0], verify, SIGNATURE_CONTEXT + keys.digest(certificate))
    return context, chain


def validate(keys, request, authenticator):
    """The chain (DER, leaf first), or None for an empty authenticator; ValueError when invalid."""
    messages = split(authenticator)
    kinds = [kind for kind, _, _ in messages]
    if kinds == [FINISHED]:
        if not hmac.compare_digest(authenticator, decline(keys, request)):
            raise ValueError("the MAC of the empty authenticator is wrong")
        return None
    if kinds != [CERTIFICATE, CERTIFICATE_VERIFY, FINISHED]:
        raise ValueError(f"the messages are {kinds}")
    (_, body, certificate), (_, verify, certificate_verify), (_, mac, _) = messages
    chain = entries_of(body, context_of(request))
    if not hmac.compare_digest(mac, keys.mac(request, certificate, certificate_verify)):
        raise ValueError("the MAC of Finished is wrong")
    check_signature(chain[0], verify, SIGNATURE_CONTEXT + keys.digest(request, certificate))
    return chain
