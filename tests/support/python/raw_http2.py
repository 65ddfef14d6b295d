"""HTTP/2 by hand over TLS 1.3: a client or server that can say what no library would let it say."""
import socket
import ssl
import struct
import threading

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STATUS_200 = b"\x88"  # HPACK, from its static table

# The wire profile draft-00.
AUTHENTICATOR_REQUESTS, CERTIFICATE, SERVER_CERTIFICATE = 0xf4, 0xf5, 0xf6
CLIENT_CERT_AUTH = 0xf0c4
CERTIFICATE_REQUEST = 13
SIGNATURE_ALGORITHMS = struct.pack("!HHHH", 13, 4, 2, 0x0403)


def requests_in(payload):
    """The request messages of an AUTHENTICATOR_REQUESTS payload, each behind its length (a varint)."""
    messages = []
    while payload:
        size = 1 << (payload[0] >> 6)
        length = int.from_bytes(payload[:size], "big") & ((1 << (8 * size - 2)) - 1)
        messages.append(payload[size:size + length])
        payload = payload[size + length:]
    return messages


def certificate_request(context, extensions=SIGNATURE_ALGORITHMS, kind=CERTIFICATE_REQUEST):
    body = bytes([len(context)]) + context + struct.pack("!H", len(extensions)) + extensions
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def requests_payload(*requests):
    """The list of AUTHENTICATOR_REQUESTS: a varint length (two bytes here) before each request."""
    return b"".join(struct.pack("!H", 0x4000 | len(each)) + each for each in requests)


class Peer:
    """One end of a connection. Frames are (type, flags, stream, payload)."""

    TIMEOUT = 10

    def __init__(self, connection):
        self.connection = connection
        connection.settimeout(self.TIMEOUT)

    def send(self, kind, flags, stream, payload=b""):
        self.connection.sendall(len(payload).to_bytes(3, "big") +
                                struct.pack("!BBI", kind, flags, stream) + payload)

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

    def __init__(self, certificate, key, script, alpn=("h2",), version=ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(certificate, key)
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
            with self._context.wrap_socket(connection, server_side=True) as tls:
                peer = Peer(tls)
                preface = peer._read_exactly(len(PREFACE))
                if preface is not None:  # the client may hang up at once
                    assert preface == PREFACE, preface
                    self._result = self._script(peer)
        except (ssl.SSLError, ConnectionResetError) as error:
            self._result = error  # the client did not like us
        except BaseException as error:  # told by finish(), in the test's own thread
            self._failure = error


class Client(Peer):
    """A client of 127.0.0.1:`port` that trusts `ca`; its SETTINGS are sent."""

    def __init__(self, port, ca, settings=None):
        context = ssl.create_default_context(cafile=ca)
        context.set_alpn_protocols(["h2"])
        raw = socket.create_connection(("127.0.0.1", port), timeout=self.TIMEOUT)
        super().__init__(context.wrap_socket(raw, server_hostname="localhost"))
        self.connection.sendall(PREFACE)
        self.send_settings(settings)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.connection.close()

    def request(self, stream, path, method="GET", end=True):
        fields = b"\x87"  # :scheme https
        fields += {"GET": b"\x82", "POST": b"\x83"}.get(method) or \
            b"\x02" + bytes([len(method)]) + method.encode()
        fields += b"\x01\x09localhost"
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
