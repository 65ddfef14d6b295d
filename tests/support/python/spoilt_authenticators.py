"""Ways to make authenticators: functions of a Case (misbehaving_client.py) that give the payload of
a CERTIFICATE frame, right in all but what their names and arguments say."""
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

import authenticator
import certificates
from authenticator import CERTIFICATE, CERTIFICATE_VERIFY, FINISHED, message, split, vector

P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def of_server(case):
    return case.client.keys("server")


def spoilt(**fields):
    """Signature and MAC are right for what is wrong."""
    return lambda case: case.spoilt(**fields).build()


def signed(**fields):
    """Only the signature is made with these; the MAC is right for it."""
    return lambda case: case.proof.build(
        certificate_verify=case.spoilt(**fields).certificate_verify(case.proof.certificate()))


def parts(order):
    """Certificate, CertificateVerify and Finished that belong together, in another order."""
    def build(case):
        messages = [whole for _, _, whole in split(case.proof.build())]
        named = dict(zip("cvf", messages), r=case.request, e=message(8, b"\0\0"),
                     z=message(FINISHED, case.keys.mac(case.request, messages[0])))
        return b"".join(named[each] for each in order)
    return build


def changed(change):
    """An authenticator that was right before `change` of its bytes."""
    return lambda case: change(case.proof.build())


def of_keys(change):
    """Right, if change(case) were the connection's keys."""
    return lambda case: case.spoilt(keys=change(case)).build()


def certificate(build):
    """build(context, entry) is the body of Certificate; all else is right for it."""
    def make(case):
        context = authenticator.context_of(case.request)
        body = build(context, vector(3, case.proof.chain[0]) + vector(2, b""))
        return case.proof.build(certificate=message(CERTIFICATE, body))
    return make


def verify(build):
    """build(signature) is the body of CertificateVerify; Finished is right for it."""
    def make(case):
        right = case.proof.certificate_verify(case.proof.certificate())
        return case.proof.build(certificate_verify=message(CERTIFICATE_VERIFY, build(right[8:])))
    return make


def finished(build):
    """build(case, certificate, certificate_verify) is the body of Finished."""
    def make(case):
        first = case.proof.certificate()
        second = case.proof.certificate_verify(first)
        return case.proof.build(first, second, message(FINISHED, build(case, first, second)))
    return make


def chain(*ders):
    return lambda case: case.spoilt(
        chain=[der(case) if callable(der) else der for der in ders]).build()


def leaf(case):
    return case.proof.chain[0]


def with_key(key, scheme, sign=authenticator.sign):
    """Another identity of the same authority, which is right unless `sign` is not."""
    def make(case):
        identity = certificates.client(case.identity.issuer, "other", key=key())
        return case.spoilt(chain=[identity.der], key=identity.key, scheme=scheme, sign=sign).build()
    return make


def p256():
    return ec.generate_private_key(ec.SECP256R1())


def p384():
    return ec.generate_private_key(ec.SECP384R1())


def p521():
    return ec.generate_private_key(ec.SECP521R1())


RSA_KEY = rsa.generate_private_key(65537, 2048)


def rsa_key():
    return RSA_KEY


def der_signature(change):
    """A P-256 signature as `change(r, s)` encodes it."""
    def sign(key, scheme, content):
        return change(*utils.decode_dss_signature(key.sign(content, ec.ECDSA(hashes.SHA256()))))
    return lambda case: case.spoilt(sign=sign).build()


def integer(value, size=None):
    """ASN.1's, in as few bytes as DER wants unless the `size` is given."""
    size = size or value.bit_length() // 8 + 1
    return b"\2" + vector(1, value.to_bytes(size, "big"))


def sequence(r, s, tail=b""):
    return b"\x30" + vector(1, integer(r) + integer(s) + tail)


# -- identities


def of_other_identity(make):
    """All is right for the identity that `make` issues, given the authority."""
    def build(case):
        other = make(case.identity.issuer)
        return case.spoilt(chain=[each.der for each in other.chain], key=other.key).build()
    return build


def below(issuer, depth):
    """A client behind so many intermediate authorities."""
    for level in range(depth):
        issuer = certificates.authority(f"intermediate {level}", issuer=issuer)
    return certificates.client(issuer, "below")


def behind(**authority):
    """A client of an intermediate authority that is like this."""
    return of_other_identity(lambda issuer: certificates.client(
        certificates.authority("intermediate", issuer=issuer, **authority), "behind"))


def behind_a_client(issuer):
    return certificates.client(certificates.client(issuer, "no authority"), "behind a client")


def without_intermediate(case):
    other = below(case.identity.issuer, 1)
    return case.spoilt(chain=[other.der], key=other.key).build()
