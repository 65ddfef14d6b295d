"""A TLS 1.3 connection of pyOpenSSL (python3-openssl) as signet.py wants it; signatures are checked by
python3-cryptography."""
import hashlib
import hmac

from cryptography import exceptions, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

# By TLS SignatureScheme (RFC 8446 section 4.2.3): a curve or kind of key, and a hash.
_SCHEMES = {
    0x0403: (ec.SECP256R1, hashes.SHA256), 0x0503: (ec.SECP384R1, hashes.SHA384),
    0x0603: (ec.SECP521R1, hashes.SHA512), 0x0804: (rsa.RSAPublicKey, hashes.SHA256),
    0x0805: (rsa.RSAPublicKey, hashes.SHA384), 0x0806: (rsa.RSAPublicKey, hashes.SHA512),
    0x0807: (ed25519.Ed25519PublicKey, None), 0x0808: (ed448.Ed448PublicKey, None),
}
SCHEMES = list(_SCHEMES)  # what Tls.verify knows; a server must not ask for more


class Tls:
    """Make one when the handshake is complete. `connection` is an OpenSSL.SSL.Connection."""

    def __init__(self, connection):
        if connection.get_protocol_version_name() != "TLSv1.3":
            raise ValueError("exported authenticators need TLS 1.3")
        self._connection = connection
        self.hash = "sha384" if connection.get_cipher_name().endswith("SHA384") else "sha256"

    def export_keying_material(self, label, size):
        return self._connection.export_keying_material(label, size, b"")

    def digest(self, name, data):
        return hashlib.new(name, data).digest()

    def hmac(self, name, key, data):
        return hmac.digest(key, data, name)

    def verify(self, certificate, scheme, message, signature):
        """Whether `signature` over `message` is one of the key in `certificate` (DER) by `scheme`."""
        try:
            kind, algorithm = _SCHEMES[scheme]
            key = x509.load_der_x509_certificate(certificate).public_key()
            if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, kind):
                key.verify(signature, message, ec.ECDSA(algorithm()))
            elif not isinstance(key, kind):
                return False
            elif kind is rsa.RSAPublicKey:
                salt = padding.PSS(padding.MGF1(algorithm()), algorithm.digest_size)
                key.verify(signature, message, salt, algorithm())
            else:
                key.verify(signature, message)
        except (KeyError, ValueError, exceptions.InvalidSignature, exceptions.UnsupportedAlgorithm):
            return False
        return True
