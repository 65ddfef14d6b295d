#!/usr/bin/python3
"""Writes the seed corpora: of the parsers from the known answers and a few samples, of libsignet's
session and requester as programs in the language of their fuzz targets.

usage: make_corpus.py [FOLDER]      (default: corpus/ beside this file)
"""
import base64
import itertools
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ANSWERS = HERE.parent / "vectors" / "ea-known-answers.json"


def handshake(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def vector(size, content):
    return len(content).to_bytes(size, "big") + content


def extension(kind, content):
    return kind.to_bytes(2, "big") + vector(2, content)


def request_with_everything():
    names = vector(2, bytes.fromhex("300d310b3009060355040313024341")) + vector(2, b"\x30\x00")
    filters = vector(1, bytes.fromhex("0603551d0f")) + vector(2, bytes.fromhex("03020780")) \
        + vector(1, bytes.fromhex("0603551d25")) + vector(2, b"")
    extensions = extension(13, vector(2, bytes.fromhex("040305030804080708080a0a"))) \
        + extension(50, vector(2, bytes.fromhex("0401"))) + extension(47, vector(2, names)) \
        + extension(48, vector(2, filters)) + extension(5, b"\x01\x00\x00\x00\x00") \
        + extension(0x1a1a, b"")
    return handshake(13, vector(1, b"context") + vector(2, extensions))


def request_for_any_usage():
    """anyExtendedKeyUsage in a filter, which nobody may send."""
    filters = vector(1, bytes.fromhex("0603551d25")) + vector(2, bytes.fromhex("30060604551d2500"))
    extensions = extension(13, vector(2, bytes.fromhex("0403"))) + extension(48, vector(2, filters))
    return handshake(13, vector(1, b"context") + vector(2, extensions))


def client_hello(extensions):
    body = b"\x03\x03" + b"\xaa" * 32 + vector(1, b"\x01\x02") + vector(2, b"\x13\x01\x13\x02") \
        + vector(1, b"\x00") + vector(2, extensions)
    return handshake(1, body)


def varint(value):
    if value < 0x40:
        return bytes([value])
    return (0x4000 | value).to_bytes(2, "big") if value < 0x4000 \
        else (0x80000000 | value).to_bytes(4, "big")


def element(request):
    return varint(len(request)) + request


def framed(message):
    return vector(4, message)


def seeds(answers):
    clients = [answer for answer in answers if answer["sender"] == "client"]
    requests = [bytes.fromhex(answer["request"]) for answer in answers[:2]]
    rich = request_with_everything()
    yield "certificate_request", "client", b"\x00" + requests[0]
    yield "certificate_request", "server", b"\x01" + requests[1]
    yield "certificate_request", "bare", b"\x02" + requests[0][4:]
    yield "certificate_request", "everything", b"\x00" + rich
    yield "certificate_request", "any-usage", b"\x00" + request_for_any_usage()
    schemes = extension(13, vector(2, bytes.fromhex("0403080408070a0a")))
    yield "client_hello", "grease", \
        client_hello(extension(0x1a1a, b"\x00") + schemes + extension(5, b"\x01\x00\x00\x00\x00"))
    yield "client_hello", "resumption", client_hello(schemes + extension(41, b"psk"))
    yield "client_hello", "no-schemes", client_hello(extension(43, b"\x02\x03\x04"))
    yield "authenticator_requests", "one", element(requests[0])
    yield "authenticator_requests", "three", \
        element(requests[0]) + element(rich) + element(bytes.fromhex(clients[1]["request"]))
    for answer in clients:
        hash_choice = b"\x00" if answer["hash"] == "sha256" else b"\x01"
        yield "authenticator", answer["id"], hash_choice + bytes.fromhex(answer["authenticator"])
    for answer in (clients[0], clients[-1]):
        hash_choice = b"\x00" if answer["hash"] == "sha256" else b"\x01"
        yield "authenticator", answer["id"] + "-empty", \
            hash_choice + bytes.fromhex(answer["empty_authenticator"])
    entry = vector(3, b"\x30\x00") + vector(2, extension(5, b"\x01\x00\x00\x00"))
    yield "authenticator", "entry-extension", b"\x00" + vector(1, b"c") + vector(3, entry + entry)
    yield "framing", "messages", b"\x07" + framed(b"") + framed(b"abc") + framed(requests[0])
    yield "framing", "unfinished", b"\x03" + framed(b"abc") + b"\x00\x00\x01\x00abc"
    yield "framing", "oversized", b"\x05" + framed(b"abc") + b"\x00\x04\x00\x01"
    yield "reader", "varints", bytes.fromhex("04c2197c5eff14e88c049d7f3e7d047bbd0425")
    yield "reader", "request", requests[0]
    yield "reader", "messages", bytes.fromhex("0801000002abcd0800050003010203070000020102")
    negotiated = b"\x00\x01\x01"
    asked = b"\x04" + vector(1, b"\x01\x02") + b"\x08\xff" * 3
    yield "session", "two-proofs-out-of-order", \
        negotiated + asked + b"\x09\x22" + b"\x0a" * 2 + b"\x09\x11" + b"\x0a" * 4
    yield "session", "wrong-context", negotiated + asked + b"\x09\x13" + b"\x0a" * 2
    yield "session", "deadline", negotiated + asked + b"\x0b\xff" + b"\x0a" * 6 + b"\x08\xff" * 2
    yield "session", "agent-gone", negotiated + asked + b"\x06" + b"\x0a" * 6 + b"\x07" + asked
    yield "session", "context-again", negotiated + asked + b"\x04" + vector(1, b"\x02")
    yield "session", "raw-frame", negotiated + b"\x03\x00" + vector(2, element(requests[0]))
    yield "session", "agent-garbage", negotiated + asked + b"\x05" + vector(2, framed(b"\xff" * 9))
    refusal = framed(bytes.fromhex("0801120412020802"))
    yield "session", "agent-refusal", \
        negotiated + asked + b"\x05" + vector(2, refusal) + b"\x0a" * 3
    three = b"\x00\x04" + b"\x01\x03" + vector(2, b"\x30\x00") + b"\x02"
    yield "requester", "proof-decline-spoiled", three + b"\x04\x01\x04\x00\x04\x03" + b"\x05" * 3
    finished = handshake(20, b"\x00" * 32)
    yield "requester", "raw-answer", three + b"\x03\x01" + vector(2, finished)
    yield "requester", "unsolicited", b"\x00\x04\x03\x01" + vector(2, b"")
    begun = b"\x06\x01" + (b"\x07" + vector(2, b"\x30\x00")) * 2
    yield "requester", "own-proofs", begun + b"\x08\x02\x08\x00\x02"
    yield "requester", "own-proof-spoiled", begun + b"\x08\x01\x08\x02\x02\x06\x00"
    two = b"\x03" + b"\x00\x01" + b"\x01"  # limit 4; asks for two; they reach the client
    yield "connection", "two-proofs", two + b"\x03\x00" * 2 + b"\x02"
    yield "connection", "proof-and-decline", two + b"\x03\x01\x03\x80" + b"\x02" + two[1:] * 2
    yield "connection", "deadline", two + b"\x03\x00" + b"\x04\xff" + b"\x02"
    yield "connection", "spoiled-proof", two + b"\x03\x00" * 2 + b"\x02\x05\x00\x40\x02"
    yield "connection", "spoiled-request", b"\x03\x00\x01" + b"\x05\x80\x40" + b"\x01\x02"
    yield "connection", "agent-comes-back", two + b"\x06\x02\x07" + two[1:] + b"\x03\x00\x02"
    for name, content in http2_seeds(requests[0], finished):
        yield "http2", name, content
    for name, content in http3_seeds(requests[0], finished):
        yield "http3", name, content
    yield "requester", "lowered", three + b"\x00\x01\x04\x01\x05" + b"\x01\x01" + vector(2, b"")


def pem(label, der):
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n".encode()


def http2(kind, payload=b"", flags=0, stream=0):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") \
        + payload


ORIGINS = b"".join(vector(2, each) for each in (
    b"https://h2.example", b"https://[2001:db8::1]:8443", b"http://h4.example", b""))


def server_certs_seeds():
    """What a server with secondary certificates does; see server_certs_fuzz.cc."""
    negotiated = b"\x00\x01\x01"
    prove = bytes([3, 7, 2])
    for version, name in enumerate(("http2", "http3")):
        start = bytes([version]) + negotiated
        yield f"{name}-proved", start + prove + b"\x06" + vector(1, b"https://h2.example")
        yield f"{name}-named", start + prove + b"\x04" + vector(1, b"\x02\x05")
        yield f"{name}-misdirected", start + prove + b"\x05\x02" + b"\x04" + vector(1, b"\x04")
        yield f"{name}-unwanted", start + bytes([3, 7, 3]) + b"\x06" + vector(1, b"")
        yield f"{name}-context-again", start + prove + bytes([3, 7, 4])
        yield f"{name}-withdrawn", start + b"\x00\x00"
        yield f"{name}-raw", start + b"\x02\x00" + vector(2, handshake(20, bytes(32)))
        yield f"{name}-origins", start + prove + b"\x02\x01" + vector(2, ORIGINS)


def http2_seeds(request, empty):
    """What comes to a client and to a server; see http2_fuzz.cc."""
    settings = http2(4, bytes.fromhex("f0c400000001"))
    servers = http2(4, bytes.fromhex("f0c500000001"))
    ask = http2(0xf4, element(request))
    for name, frames in [
            ("client-is-asked", [settings, ask]),
            ("client-is-asked-in-pieces", [settings, ask[:7], ask[7:40], ask[40:]]),
            ("client-is-asked-on-a-stream", [settings, http2(0xf4, element(request), stream=1)]),
            ("client-is-asked-twice", [settings, ask, ask]),
            ("client-unasked", [settings, http2(0xf5, empty)]),
            ("client-larger-frames", [http2(4, bytes.fromhex("000500010000f0c400000001")), ask]),
            ("client-withdrawal", [settings, http2(4, bytes.fromhex("f0c400000000"))]),
            ("client-origins", [servers, http2(0x0c, ORIGINS), http2(0x0c, ORIGINS, flags=1),
                                http2(0x0c, ORIGINS[:-1])]),
            ("client-server-certificate", [servers, http2(0xf6, empty)]),
            ("client-server-certificate-unasked", [settings, http2(0xf6, empty)])]:
        yield name, b"\x00" + b"".join(vector(2, frame) for frame in frames)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    limit = http2(4, bytes.fromhex("f0c400000004"))
    get = http2(1, bytes.fromhex("82878441016c"), flags=5, stream=1)
    for name, frames in [
            ("server-declined", [preface + limit, http2(0xf5, empty), http2(0xf5, empty)]),
            ("server-unsolicited", [preface + http2(4), http2(0xf5, empty)]),
            ("server-between-headers", [preface + limit, http2(1, b"\x82\x87", stream=1),
                                        http2(0xf5, empty)]),
            ("server-requested", [preface + limit, get, http2(0xf4, element(request))])]:
        yield name, b"\x01" + b"".join(vector(2, frame) for frame in frames)


def http3_seeds(request, empty):
    """What comes to a server and to a client, and what its stack writes; see http3_fuzz.cc."""
    def arrives(stream, content):
        return bytes([4, stream]) + vector(2, content)

    def frame(kind, payload):
        return varint(kind) + varint(len(payload)) + payload

    head = b"\x00" + frame(4, varint(0xf4f4c4) + varint(1))
    ask = frame(0xf4f4a1, element(request))
    send = b"\x00\x02\xff\x03\x08\x02\xff\x03\xff"
    yield "client-is-asked", b"\x01" + send + arrives(3, head + ask) + send[1:]
    yield "client-is-asked-twice", b"\x01" + arrives(3, head + ask + frame(0x21, b"") + ask)
    yield "client-on-a-request", b"\x01" + arrives(3, head) + arrives(0, frame(1, b"x") + ask)
    yield "client-settings-twice", b"\x01" + arrives(3, head + head[1:])
    yield "client-other-streams", b"\x01" + arrives(7, b"\x02" + ask) + arrives(11, b"\x21" + ask)
    servers = b"\x00" + frame(4, varint(0xf4f4c6) + varint(1))
    yield "client-origins", b"\x01" + arrives(3, servers + frame(0x0c, ORIGINS) + frame(0x0c, b"\x00"))
    yield "client-server-certificate", b"\x01" + arrives(3, servers + frame(0xf4f4a3, empty))
    yield "server-declined", (b"\x00" + send + arrives(2, head) + b"\x05\x02\xff" +
                              arrives(2, frame(0xf4f4a2, empty)))
    yield "server-unsolicited", b"\x00" + arrives(2, head + frame(0xf4f4a2, empty))
    yield "server-half-a-frame", (b"\x00" + send + arrives(2, head) + b"\x05\x01\x03\x07\x03\x01" +
                                  b"\x02\xff\x01\x02\x02\x03\x02\xff\x03\xff")


# openssl genpkey -provider tpm2 -algorithm EC -pkeyopt group:P-256 (tpm2-openssl 1.1.1, swtpm).
TPM_KEY = base64.b64decode(
    "MIHwBgZngQUKAQOgAwEBAQIEQAAAAQRYAFYAIwALAAYAcgAAABAAEAADABAAIKnZ0Ofl7VHYYEsMUoLtmcmLkuSWh7oB"
    "5ceFZs7+JwG9ACCg8cql0sLOS6nRuUA75EgrSJG4tN2elL3WBS0p+FHj9QSBgAB+ACAwpOIS6Zw8EmI/l/Xlh4WxKptr"
    "esMOlF+/d8ATSelWDQAQuc1wkBpJVUWFKzDgaQHhQbCYvbmBZxPjz4cCXjexRxFoUBuppXMPB20ay3Kxc/hmbiXzWxJ4"
    "LL4G/R394WwW7IuYUZWoEvBppTRcPKrSglklywC2AFGxzL+Y")
P256_GENERATOR = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")


def key_reference_seeds():
    identity = b"\x0c" + vector(1, b"laptop")
    ec = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + P256_GENERATOR
    ed25519 = bytes.fromhex("302a300506032b6570032100") + P256_GENERATOR[1:33]
    yield "p256", b"\x30" + vector(1, identity + ec)
    yield "ed25519", b"\x30" + vector(1, identity + ed25519)
    yield "no-name", b"\x30" + vector(1, ec)


def signed_content_seeds():
    for name, context, size in [("client", "TLS 1.3, client CertificateVerify", 32),
                                ("client-sha384", "TLS 1.3, client CertificateVerify", 48),
                                ("server", "TLS 1.3, server CertificateVerify", 32),
                                ("authenticator", "Exported Authenticator", 32)]:
        yield name, b" " * 64 + context.encode() + b"\0" + bytes(range(size))
    key = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + P256_GENERATOR
    info = bytes.fromhex("020100300c310a300806035504030c0161") + key + b"\xa0\x00"
    yield "request", b"\x30" + vector(1, info)


def other_seeds(answers):
    """Of what is not on the wire of a connection."""
    certificates = {answer["id"]: bytes.fromhex(answer["certificate"]) for answer in answers}
    for answer in answers[:4]:
        chain = vector(3, certificates[answer["id"]])
        yield "selection", answer["id"], vector(2, bytes.fromhex(answer["request"])) + chain
    leaf = certificates[answers[0]["id"]]
    yield "selection", "everything", vector(2, request_with_everything()) + vector(3, leaf) * 2
    yield "chain_pem", "one", pem("CERTIFICATE", leaf)
    yield "chain_pem", "two", b"text\n" + pem("CERTIFICATE", leaf) + b"\n" + pem("CERTIFICATE", leaf)
    yield "chain_pem", "key", pem("PRIVATE KEY", bytes.fromhex(answers[0]["private_key_pkcs8"]))
    yield "origin_set", "some", ORIGINS
    yield "origin_set", "own", vector(2, b"https://own.example")
    yield "origin_set", "cut", ORIGINS + b"\x00\x05http"
    for name, content in server_certs_seeds():
        yield "server_certs", name, content
    yield "tss2_private_key", "der", b"\x00" + TPM_KEY
    yield "tss2_private_key", "pem", pem("TSS2 PRIVATE KEY", TPM_KEY)
    yield "tss2_private_key", "parent", pem("TSS2 PRIVATE KEY", TPM_KEY) + b"Signet-Parent: 000bff\n"
    yield "ec_point", "wrapped", b"\x00\x04\x41" + P256_GENERATOR
    yield "ec_point", "bare", b"\x00" + P256_GENERATOR
    for name, content in key_reference_seeds():
        yield "key_reference", name, content
    for name, content in signed_content_seeds():
        yield "signed_content", name, content
    for name, text in [("exact", "https://host.example\nhttps://HOST.example:443"),
                       ("wildcard", "https://*.example:*\nhttps://a.b.example:8443"),
                       ("address", "https://[::1]:1\nhttps://[0:0:0:0:0:0:0:1]:1"),
                       ("wrong", "http://a\nhttps://user@a/path")]:
        yield "origin", name, text.encode()
    for name, text in [("simple", "https://Example.com"), ("query", "https://a:8443/b/../c?d#e"),
                       ("address", "https://[::1]:443/%7e/./%2F"), ("path", "/a/%2e%2e/b/..//c")]:
        yield "url", name, text.encode()
    header = '{"alg":"ES256","typ":"at+jwt"}'
    claims = ('{"iss":"https://as.example","aud":["https://api.example"],"exp":1700000300,"nbf":0,'
              '"iat":1.5,"cnf":{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}')
    x, y = (base64.urlsafe_b64encode(P256_GENERATOR[at:at + 32]).rstrip(b"=").decode()
            for at in (1, 33))
    for name, text in [("claims", "c" + claims), ("jwt", f"j{header}\n{claims}\n{'s' * 64}"),
                       ("none", f'j{{"alg":"none"}}\n{claims}\n'),
                       ("critical", 'j{"alg":"RS256","crit":["b64"],"kid":"1"}\n{}\n-'),
                       ("field", "aBearer eyJhbGciOiJIUzI1NiIsImtpZCI6MX0.e30.AAAA"),
                       ("keys", f'k{{"keys":[{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}",'
                                '"use":"sig","kid":"1","alg":"ES256","key_ops":["verify"]}]}')]:
        yield "access_token", name, text.encode()
    metadata = ('{"issuer":"https://login.example","token_endpoint":"https://login.example/token",'
                '"introspection_endpoint":"https://login.example/look","mtls_endpoint_aliases":'
                '{"device_authorization_endpoint":"https://mtls.login.example/device"}}')
    bound = '{"active":true,"cnf":{"x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}}'
    jwt = ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode()
                   for part in ('{"alg":"ES256"}', bound, "sign"))
    token = '{"access_token":"%s","token_type":"Bearer","expires_in":60,"refresh_token":"r"}'
    pending = ('{"device_code":"d","user_code":"W-M","verification_uri":"https://a/","expires_in":60,'
               '"interval":5}')
    no = '!{"error":"%s","error_description":"why"}'
    for name, answers in [
            ("bound", [metadata, token % jwt, token % "opaque", bound]),
            ("refused", [metadata, no % "invalid_client", no % "invalid_grant", no % "x"]),
            ("device", [metadata, "", "", pending, no % "authorization_pending", no % "slow_down",
                        token % "opaque", bound]),
            ("expired", [metadata, "", "", pending, no % "expired_token"]),
            ("imposter", ['{"issuer":"https://other.example"}'])]:
        yield "oauth_server", name, "\0".join(answers).encode()


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "corpus"
    answers = json.loads(ANSWERS.read_text())["vectors"]
    for target, name, content in itertools.chain(seeds(answers), other_seeds(answers)):
        (folder / target).mkdir(parents=True, exist_ok=True)
        (folder / target / name).write_bytes(content)


if __name__ == "__main__":
    main()
