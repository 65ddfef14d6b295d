"""The steps that a misbehaving server's Conduct is made of, and requests that break no rule."""
import socket
import struct

import raw_http2 as h2
from misbehaving_server import STREAM
from raw_http2 import SIGNATURE_ALGORITHMS, certificate_request, extension, requests_payload

ONE = certificate_request(b"one")
TWO = certificate_request(b"two")
THREE = certificate_request(b"three")
HALF_A_HEADER_BLOCK = (h2.HEADERS, 0, STREAM, h2.STATUS_200)


def listed(payload, flags=0, stream=0):
    """An AUTHENTICATOR_REQUESTS frame."""
    return (h2.AUTHENTICATOR_REQUESTS, flags, stream, payload)


def ask(*requests, flags=0, stream=0, size=2):
    return listed(requests_payload(*requests, size=size), flags, stream)


def setting(*values, number=h2.CLIENT_CERT_AUTH):
    """A SETTINGS frame with these values of one setting."""
    return (h2.SETTINGS, 0, 0, b"".join(struct.pack("!HI", number, each) for each in values))


def goaway(code, last=STREAM, text=b""):
    return (h2.GOAWAY, 0, 0, struct.pack("!II", last, code) + text)


def drip(frame, piece=1):
    return lambda conversation: conversation.peer.send(*frame, piece=piece)


def extensions(*blocks):
    """A request with signature_algorithms and these extensions."""
    return certificate_request(b"one", SIGNATURE_ALGORITHMS + b"".join(blocks))


def forms(bits):
    """Options of signet-fetch: 1 lets type 17 in, 2 the bare structure."""
    return ("--code-point", f"h2.request-forms={bits}")


def numbered(first, end):
    """Requests with contexts of two bytes."""
    return [certificate_request(struct.pack("!H", each)) for each in range(first, end)]


def flood(*frame):
    def pour(conversation):
        kind, stream, payload = frame
        for _ in range(2000):
            conversation.peer.send(kind, 0, stream, payload)
    return pour


def hang_up(conversation):
    conversation.peer.connection.shutdown(socket.SHUT_RDWR)


def reset(conversation):
    """A TCP reset."""
    conversation.peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                            struct.pack("ii", 1, 0))
    conversation.peer.connection.close()


def half(frame):
    """The bytes of one half of a frame."""
    kind, flags, stream, payload = frame
    data = len(payload).to_bytes(3, "big") + struct.pack("!BBI", kind, flags, stream) + payload
    return data[:len(data) // 2]


def silent(call):
    """An agent's answer to `call`."""


def with_extension(number, data=b""):
    return ask(extensions(extension(number, data)))
