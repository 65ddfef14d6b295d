#!/usr/bin/python3
"""Writes the seed corpora: of the wire parsers from the known answers, of libsignet's session and
requester as programs in the language of their fuzz targets.

usage: make_corpus.py [FOLDER]      (default: corpus/ beside this file)
"""
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


def varint(value):
    return bytes([value]) if value < 64 else (0x4000 | value).to_bytes(2, "big")


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
    yield "requester", "lowered", three + b"\x00\x01\x04\x01\x05" + b"\x01\x01" + vector(2, b"")


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "corpus"
    answers = json.loads(ANSWERS.read_text())["vectors"]
    for target, name, content in seeds(answers):
        (folder / target).mkdir(parents=True, exist_ok=True)
        (folder / target / name).write_bytes(content)


if __name__ == "__main__":
    main()
