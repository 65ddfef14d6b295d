"""HTTP/3 by hand over real QUIC: a client or server that can say what no library would let it say.

The program raw_quic moves the bytes of streams; what they are is decided here. The peers are used as
those of raw_http2, with its names for things, so that both can take the same steps: frames are (type,
flags, stream, payload) with HTTP/2's numbers, stream 0 is the control stream, streams 1, 3, 5 are
requests, a GOAWAY is the end of the connection with its error.
"""
import collections
import contextlib
import pathlib
import queue
import struct
import subprocess
import threading

import raw_http2 as h2
from authenticator import Keys
from tools_under_test import BIN

RAW_QUIC = BIN.parent / "tests" / "raw_quic"
CONTROL, PUSH, QPACK_ENCODER, QPACK_DECODER = range(4)  # types of unidirectional streams

# The wire profile draft-00.
FRAMES = {h2.AUTHENTICATOR_REQUESTS: 0xf4f4a1, h2.CERTIFICATE: 0xf4f4a2,
          h2.SERVER_CERTIFICATE: 0xf4f4a3}
SETTINGS = {h2.CLIENT_CERT_AUTH: 0xf4f4c4, h2.SERVER_CERT_AUTH: 0xf4f4c6}
KINDS = {value: key for key, value in FRAMES.items()}

FIELDS = b"\0\0"  # QPACK, without its dynamic table
STATUS_200 = FIELDS + b"\xd9"


def varint(value):
    """RFC 9000 section 16, as short as it goes."""
    size = next(size for size in (1, 2, 4, 8) if value < 1 << (8 * size - 2))
    return h2.varint(value, size)


def read_varint(data):
    """The value and its size, or None when it is not whole."""
    if not data or len(data) < 1 << (data[0] >> 6):
        return None
    size = 1 << (data[0] >> 6)
    return int.from_bytes(data[:size], "big") & ((1 << (8 * size - 2)) - 1), size


def frame_head(kind, size):
    return varint(FRAMES.get(kind, kind)) + varint(size)


def settings_payload(pairs):
    return b"".join(varint(SETTINGS.get(number, number)) + varint(value) for number, value in pairs)


class _Incoming:
    """What has come on one stream and is not read yet."""

    def __init__(self, stream):
        self.number = stream
        self.kind = None if stream & 2 else CONTROL  # of a unidirectional one: not known yet
        self.data = bytearray()

    def frames(self):
        if self.kind is None and (kind := read_varint(self.data)):
            self.kind = kind[0]
            del self.data[:kind[1]]
        while self.kind == CONTROL and (kind := read_varint(self.data)):
            size = read_varint(self.data[kind[1]:])
            if size is None or len(self.data) < kind[1] + size[1] + size[0]:
                return
            start = kind[1] + size[1]
            payload = bytes(self.data[start:start + size[0]])
            del self.data[:start + size[0]]
            yield KINDS.get(kind[0], kind[0]), 0, self.stream, payload

    @property
    def stream(self):
        return 0 if self.number & 2 else self.number // 2 + 1


class Peer:
    """One end of a connection."""

    TIMEOUT = h2.Peer.TIMEOUT

    def __init__(self, *arguments):
        self.sent = []
        self.open = True  # as far as it has read
        self._keys = {}  # by sender; the client's come last
        self._control = None
        self._held = None
        self._frames = collections.deque()
        self._incoming = {}
        self._opened = collections.deque()
        self._process = subprocess.Popen([RAW_QUIC, *map(str, arguments)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._lines = queue.Queue()
        self._readers = [threading.Thread(target=self._read_lines, daemon=True),
                         threading.Thread(target=self._read_complaints, daemon=True)]
        self._complaints = ""
        for each in self._readers:
            each.start()
        self.port = int(self._next_line()[1])

    def close(self):
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait(self.TIMEOUT)
        for each in self._readers:
            each.join()
        self._process.stdout.close()
        self._process.stderr.close()
        if self._process.returncode != 0 or self._complaints:
            raise AssertionError(self._complaints)

    def keys(self, sender="client"):
        return self._keys[sender]

    # -- what it says

    def send(self, kind, flags, stream, payload=b"", piece=None):
        """Each `piece` bytes in a command of their own."""
        self.sent.append((kind, flags, stream, payload))
        if kind == h2.SETTINGS:
            payload = settings_payload(struct.iter_unpack("!HI", payload))
        data = frame_head(kind, len(payload)) + payload
        for start in range(0, len(data), piece or len(data)):
            self.send_bytes(data[start:start + (piece or len(data))], stream)
        if kind in (h2.DATA, h2.HEADERS) and flags & h2.END_STREAM:
            self._command("end", self._quic_stream(stream))

    def send_bytes(self, data, stream=0):
        """Whatever is between frames, or in them."""
        self._command("send", self._quic_stream(stream), data.hex())

    def send_settings(self, settings=None):
        self.send(h2.SETTINGS, 0, 0, b"".join(struct.pack("!HI", number, value)
                                              for number, value in (settings or {}).items()))

    def respond(self, stream):
        self.send(h2.HEADERS, h2.END_STREAM, stream, STATUS_200)

    def open_stream(self, data, bidirectional=False):
        """A new one that begins with these bytes; its number in QUIC."""
        self._command("open", "bidi" if bidirectional else "uni")
        while not self._opened:
            if not self.open:
                raise ConnectionResetError("the peer has closed")
            self._take_line()
        stream = self._opened.popleft()
        self._command("send", stream, data.hex())
        return stream

    def send_settings_of(self, *pairs):
        """With numbers and values as HTTP/3 has them."""
        payload = settings_payload(pairs)
        self.send_bytes(frame_head(h2.SETTINGS, len(payload)) + payload)

    def end_control_stream(self):
        self._command("end", self._quic_stream(0))

    def reset_control_stream(self):
        self._command("reset", self._quic_stream(0), 0x100)

    def starve(self):
        """The other one gets no more credit, on no stream, until feed()."""
        self._command("starve")

    def feed(self):
        self._command("feed")

    def close_connection(self, code):
        self._command("close", code)

    def hang_up(self):
        """Without a word."""
        self._command("hang-up")

    @contextlib.contextmanager
    def together(self):
        """What is sent within leaves at once, in one datagram if there is room."""
        self._held = ""
        yield
        text, self._held = self._held, None
        self._write(text)

    def _quic_stream(self, stream):
        if stream != 0:
            return (stream - 1) * 2
        if self._control is None:
            self._control = self.open_stream(varint(CONTROL))
        return self._control

    def _command(self, *words):
        line = " ".join(map(str, words)) + "\n"
        if self._held is None or words[0] == "open":
            self._write(line)
        else:
            self._held += line

    def _write(self, text):
        self._process.stdin.write(text)
        self._process.stdin.flush()

    # -- what it hears

    def read(self):
        """The next frame, or None at the end of the connection."""
        while not self._frames and self.open:
            self._take_line()
        return self._frames.popleft() if self._frames else None

    def expect(self, kind):
        """The next frame of that type; others are passed over. Fails at the end."""
        while frame := self.read():
            if frame[0] == kind:
                return frame
        raise AssertionError(f"the connection ended without a frame of type {kind:#x}")

    def expect_goaway(self):
        """The error code of the connection's end."""
        return int.from_bytes(self.expect(h2.GOAWAY)[3][4:], "big")

    def has_heard_the_end(self):
        """Has the connection ended? What came before that is still to be read."""
        with self._lines.mutex:
            return any(not line or line.startswith("closed") for line in self._lines.queue)

    def await_keys(self):
        """False when there is no handshake."""
        while "client" not in self._keys and self.open:
            self._take_line()
        return "client" in self._keys

    def _take_line(self):
        what, *words = self._next_line()
        if what == "keys":
            self._keys[words[0]] = Keys(words[1], *map(bytes.fromhex, words[2:]))
        elif what == "opened":
            self._opened.append(int(words[0]))
        elif what == "data":
            stream = int(words[0])
            incoming = self._incoming.setdefault(stream, _Incoming(stream))
            incoming.data += bytes.fromhex(words[1])
            # A real GOAWAY is nothing that a test is about.
            self._frames += (each for each in incoming.frames() if each[0] != h2.GOAWAY)
        elif what == "ended" and not int(words[0]) & 2:
            stream = int(words[0]) // 2 + 1
            self._frames.append((h2.DATA, h2.END_STREAM, stream, b""))
        elif what == "closed":
            self.open = False
            if int(words[1]) != 0x100:
                self._frames.append((h2.GOAWAY, 0, 0, struct.pack("!II", 0, int(words[1]))))

    def _next_line(self):
        line = self._lines.get(timeout=self.TIMEOUT)
        return line.split() if line else ["closed", "by-us", "256"]

    def _read_lines(self):
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _read_complaints(self):
        self._complaints = self._process.stderr.read()


class Server:
    """Runs `script(peer)` for one client. `finish()` gives what it returned."""

    def __init__(self, certificate, key, script):
        self._peer = Peer("server", certificate, key)
        self.port = self._peer.port
        self._script = script
        self._result = None
        self._failure = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self):
        self._thread.join()
        self._peer.close()
        if self._failure:
            raise self._failure
        return self._result

    def _run(self):
        try:
            if self._peer.await_keys():
                self._result = self._script(self._peer)
        except BaseException as error:  # told by finish(), in the test's own thread
            self._failure = error


class Client(Peer):
    """A client of 127.0.0.1:`port` that trusts `ca`; its SETTINGS are sent, unless they are False."""

    def __init__(self, port, ca, settings=None):
        super().__init__("client", port, pathlib.Path(ca))
        self.address = f"127.0.0.1:{self.port}"
        assert self.await_keys(), "no handshake"
        if settings is not False:
            self.send_settings(settings)

    def request(self, stream, path, end=True, authority="localhost"):
        """A GET; streams begin with 1, and each is the next."""
        self.open_stream(b"", bidirectional=True)
        fields = FIELDS + b"\xd1\xd7\x50" + bytes([len(authority)]) + authority.encode() + \
            b"\x51" + bytes([len(path)]) + path.encode()
        self.send(h2.HEADERS, h2.END_STREAM if end else 0, stream, fields)

    def read_body(self, stream):
        body = b""
        while frame := self.expect(h2.DATA):
            if frame[2] == stream:
                body += frame[3]
                if frame[1] & h2.END_STREAM:
                    return body
