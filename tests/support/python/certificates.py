"""Throw-away certificate authorities and what they issue, in PEM files; P-256 by default."""
import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER = ExtendedKeyUsageOID.SERVER_AUTH


class Identity:
    """A key and its certificate; `issuer` is None for a root."""

    def __init__(self, name, key, certificate, issuer):
        self.name = name
        self.key = key
        self.certificate = certificate
        self.issuer = issuer

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def subject_der(self):
        return self.certificate.subject.public_bytes()

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def chain(self):
        """Leaf first, without the root."""
        return [self] + (self.issuer.chain if self.issuer and self.issuer.issuer else [])

    def write(self, folder):
        """Writes NAME.pem (the chain) and NAME.key, and returns both paths."""
        certificate = pathlib.Path(folder) / f"{self.name}.pem"
        key = pathlib.Path(folder) / f"{self.name}.key"
        certificate.write_bytes(b"".join(each.pem for each in self.chain))
        key.write_bytes(self.key.private_bytes(serialization.Encoding.PEM,
                                               serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        return str(certificate), str(key)


def _make(name, subject, issuer, days, extensions, key=None, start=-2):
    """`key`: P-256 if none is given. Valid from `start` to `days`, in days from now."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder()
               .subject_name(subject)
               .issuer_name(issuer.certificate.subject if issuer else subject)
               .public_key(key.public_key())
               .serial_number(x509.random_serial_number())
               .not_valid_before(now + datetime.timedelta(days=start))
               .not_valid_after(now + datetime.timedelta(days=days)))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    signer = issuer.key if issuer else key
    edwards = isinstance(signer, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey))
    certificate = builder.sign(signer, None if edwards else hashes.SHA256())
    return Identity(name, key, certificate, issuer)


def _subject(common_name, **more):
    parts = [x509.NameAttribute(getattr(NameOID, oid), value) for oid, value in more.items()]
    return x509.Name(parts + [x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def authority(name, common_name=None, issuer=None, days=30, path_length=None, more=()):
    return _make(name, _subject(common_name or name), issuer, days,
                 [(x509.BasicConstraints(ca=True, path_length=path_length), True), *more])


def server(issuer, host="localhost", name="server"):
    alternatives = x509.SubjectAlternativeName([
        x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return _make(name, _subject(host), issuer, 30,
                 [(alternatives, False), (x509.ExtendedKeyUsage([SERVER]), False)])


def client(issuer, name, common_name=None, days=30, usage=CLIENT, extra_size=0, key=None,
           start=-2, may_sign=None, more=(), **subject):
    """`may_sign` None: no KeyUsage. `more` extensions, each with whether it is critical."""
    extensions = [(x509.ExtendedKeyUsage([usage]), False), *more]
    if may_sign is not None:
        extensions.append((x509.KeyUsage(may_sign, False, False, False, True, False, False, False,
                                         False), True))
    if extra_size:
        ours = x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")
        extensions.append((x509.UnrecognizedExtension(ours, bytes(extra_size)), False))
    return _make(name, _subject(common_name or name, **subject), issuer, days, extensions, key,
                 start)
