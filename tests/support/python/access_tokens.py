"""Who issues access tokens: JWTs by hand, so that a test can say what no library would let it say."""
import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(identity):
    """`x5t#S256` of a certificate (of certificates.py)."""
    return base64url(hashlib.sha256(identity.der).digest())


def _number(value, size=None):
    return base64url(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Issuer:
    """A key and what it signs; `algorithm` is ES256 or RS256."""

    NAME = "https://as.example"
    AUDIENCE = "https://api.example"

    def __init__(self, kid="one", algorithm="ES256"):
        self.kid, self.algorithm = kid, algorithm
        self.key = (ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256"
                    else rsa.generate_private_key(65537, 2048))

    @property
    def jwk(self):
        numbers = self.key.public_key().public_numbers()
        if self.algorithm == "ES256":
            parts = {"kty": "EC", "crv": "P-256", "x": _number(numbers.x, 32),
                     "y": _number(numbers.y, 32)}
        else:
            parts = {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
        return {**parts, "kid": self.kid, "use": "sig"}

    def public_pem(self):
        return self.key.public_key().public_bytes(serialization.Encoding.PEM,
                                                  serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data):
        if self.algorithm == "RS256":
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        r, s = utils.decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def token(self, bound_to, header=(), secret=None, **claims):
        """Good for 5 minutes, if `header` and `claims` say nothing else; None removes. HMAC with a
        `secret`; no signature if it is empty."""
        now = int(time.time())
        claims = {"iss": self.NAME, "aud": self.AUDIENCE, "sub": "jane", "client_id": "app",
                  "jti": "1", "iat": now, "exp": now + 300,
                  "cnf": {"x5t#S256": thumbprint(bound_to)} if bound_to else None, **claims}
        header = {"alg": self.algorithm, "typ": "at+jwt", "kid": self.kid, **dict(header)}
        parts = [base64url(json.dumps({key: value for key, value in each.items()
                                       if value is not None}).encode())
                 for each in (header, claims)]
        data = ".".join(parts).encode()
        if secret is None:
            signature = self.sign(data)
        else:
            signature = hmac.digest(secret, data, "sha256") if secret else b""
        return f"{data.decode()}.{base64url(signature)}"


def key_set(*issuers):
    return json.dumps({"keys": [each.jwk for each in issuers]})
