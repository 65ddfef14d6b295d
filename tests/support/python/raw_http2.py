"""HTTP/2 by hand over TLS 1.3: a client or server that can say what no library would let it say."""
import contextlib
import socket
import ssl
import struct
import tempfile
import threading

from authenticator import CERTIFICATE_REQUEST, Keys, message, vector

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY = range(0, 8)
WINDOW_UPDATE, CONTINUATION = 8, 9
MAX_FRAME_SIZE = 5  # a setting
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STATUS_200 = b"\x88"  # HPACK, from its static table

# The wire profile draft-00.
AUTHENTICATOR_REQUESTS, CERTIFICATE, SERVER_CERTIFICATE = 0xf4, 0xf5, 0xf6
CLIENT_CERT_AUTH = 0xf0c4
SERVER_CERT_AUTH = 0xf0c5


def extension(kind, data):
    return struct.pack("!H", kind) + vector(2, data)


def signature_algorithms(*schemes, kind=13):
    return extension(kind, vector(2, b"".join(struct.pack("!H", each) for each in schemes)))


SIGNATURE_ALGORITHMS = signature_algorithms(0x0403)


def varint(value, size):
    """RFC 9000 section 16, in 1, 2, 4 or 8 bytes."""
    return (value | (size.bit_length() - 1) << (8 * size - 2)).to_bytes(size, "big")


def requests_in(payload):
    """The request messages of AUTHENTICATOR_REQUESTS, each behind its length (a varint)."""
    messages = []
    while payload:
        size = 1 << (payload[0] >> 6)
        length = int.from_bytes(payload[:size], "big") & ((1 << (8 * size - 2)) - 1)
        messages.append(payload[size:size + length])
        payload = payload[size + length:]
    return messages


def certificate_request(context, extensions=SIGNATURE_ALGORITHMS, kind=CERTIFICATE_REQUEST):
    return message(kind, vector(1, context) + vector(2, extensions))


def requests_payload(*requests, size=2):
    """The list of AUTHENTICATOR_REQUESTS: a varint length before each request."""
    return b"".join(varint(len(each), size) + each for each in requests)


def shake_hands(context, connection, **how):
    """The TLS connection and its secrets, by the names that a key log has for them."""
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as log:
        context.keylog_filename = log.name
        tls = context.wrap_socket(connection, **how)
        lines = [line.split() for line in log if not line.startswith("#")]
    return tls, {label: bytes.fromhex(secret) for label, _, secret in lines}


class Peer:
    """One end of a connection. Frames are (type, flags, stream, payload)."""

    TIMEOUT = 60  # seconds; only a broken program waits that long

    def __init__(self, connection, secrets):
        self.connection = connection
        self.secrets = secrets
        self.hash = "sha384" if connection.cipher()[0].endswith("384") else "sha256"
        self.sent = []
        self._held = None
        connection.settimeout(self.TIMEOUT)

    def keys(self, sender="client"):
        return Keys.of(self.hash, self.secrets["EXPORTER_SECRET"], sender)

    def send(self, kind, flags, stream, payload=b"", piece=None):
        """Each `piece` bytes in a TLS record of their own."""
        self.sent.append((kind, flags, stream, payload))
        data = len(payload).to_bytes(3, "big") + struct.pack("!BBI", kind, flags, stream) + payload
        if self._held is not None:
            self._held += data
            return
        for start in range(0, len(data), piece or len(data)):
            self.connection.sendall(data[start:start + (piece or len(data))])

    def send_bytes(self, data):
        self.connection.sendall(data)

    def respond(self, stream):
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_200)

    @property
    def open(self):
        return self.connection.fileno() >= 0

    @contextlib.contextmanager
    def together(self):
        """What is sent within arrives at once: in one TLS record, up to 16384 bytes."""
        self._held = b""
        yield
        data, self._held = self._held, None
        self.connection.sendall(data)

    def send_settings(self, settings=None):
        self.send(SETTINGS, 0, 0, b"".join(struct.pack("!HI", number, value)
                                           for number, value in (settings or {}).items()))

    def read(self):
        """The next frame, or None at the end of the connection."""
        header = self._read_exactly(9)
        if header is None:
            return None
        kind, flags, stream = struct.unpack("!BBI", header[3:])
        return kind, flags, stream, self._read_exactly(int.from_bytes(header[:3], "big"))

    def expect(self, kind):
        """The next frame of that type; others are passed over. Fails at the end."""
        while frame := self.read():
            if frame[0] == kind and not (kind == SETTINGS and frame[1] & ACK):
                return frame
        raise AssertionError(f"the connection ended without a frame of type {kind:#x}")

    def expect_preface(self):
        preface = self._read_exactly(len(PREFACE))
        if preface is not None:  # the client may hang up at once
            assert preface == PREFACE, preface
        return preface is not None

    def expect_goaway(self):
        """Its error code."""
        return struct.unpack("!II", self.expect(GOAWAY)[3][:8])[1]

    def _read_exactly(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.connection.recv(size - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            data += more
        return data


class Server:
    """Runs `script(peer)` for one client, after its preface. `finish()` gives what it returned."""

    def __init__(self, certificate, key, script, alpn=("h2",), version=ssl.TLSVersion.TLSv1_3,
                 verify_mode=ssl.CERT_NONE):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(certificate, key)
        context.verify_mode = verify_mode
        if alpn:
            context.set_alpn_protocols(list(alpn))
        self._context = context
        self._script = script
        self._result = None
        self._failure = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self):
        self._thread.join()
        self._listener.close()
        if self._failure:
            raise self._failure
        return self._result

    def _run(self):
        self._listener.settimeout(Peer.TIMEOUT)
        try:
            connection, _ = self._listener.accept()
            tls, secrets = shake_hands(self._context, connection, server_side=True)
            with tls:
                peer = Peer(tls, secrets)
                if peer.expect_preface():
                    self._result = self._script(peer)
        except (ssl.SSLError, ConnectionResetError) as error:
            self._result = error  # the client did not like us
        except BaseException as error:  # told by finish(), in the test's own thread
            self._failure = error


class Client(Peer):
    """A client of 127.0.0.1:`port` that trusts `ca`; its SETTINGS are sent, unless they are False.
    It resumes the TLS session of an `earlier` client."""

    def __init__(self, port, ca, settings=None, earlier=None):
        if earlier:
            self.context, session = earlier.context, earlier.connection.session
        else:
            self.context, session = ssl.create_default_context(cafile=ca), None
            self.context.set_alpn_protocols(["h2"])
        raw = socket.create_connection(("127.0.0.1", port), timeout=self.TIMEOUT)
        super().__init__(*shake_hands(self.context, raw, server_hostname="localhost",
                                       session=session))
        self.connection.sendall(PREFACE)
        if settings is not False:
            self.send_settings(settings)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.connection.close()

    @property
    def address(self):
        return "%s:%d" % self.connection.getsockname()

    def request(self, stream, path, method="GET", end=True, authority="localhost"):
        fields = b"\x87"  # :scheme https
        fields += {"GET": b"\x82", "POST": b"\x83"}.get(method) or \
            b"\x02" + bytes([len(method)]) + method.encode()
        fields += b"\x01" + bytes([len(authority)]) + authority.encode()
        size = len(path)  # HPACK: an integer with a 7-bit prefix
        if size < 127:
            fields += b"\x04" + bytes([size])
        else:
            fields += b"\x04\x7f"
            size -= 127
            while size >= 128:
                fields += bytes([size % 128 + 128])
                size //= 128
            fields += bytes([size])
        fields += path.encode()
        self.send(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, fields)

    def read_body(self, stream):
        body = b""
        while frame := self.expect(DATA):
            if frame[2] == stream:
                body += frame[3]
                if frame[1] & END_STREAM:
                    return body
