"""An HTTP/2 client on python3-h2 that lets a test say when bytes move, and say what none should."""
import socket
import ssl
import struct

import h2.config
import h2.connection
import h2.errors
import h2.events


class Response:
    def __init__(self):
        self.informational = []  # (status, fields)
        self.status = None
        self.fields = {}
        self.body = bytearray()
        self.trailers = None
        self.ended = False
        self.reset = None  # the error code


class Http2Client:
    """One connection. `take` = False keeps windows shut: the client stops reading bodies."""

    TIMEOUT = 60

    def __init__(self, port, ca, settings=None, host="localhost"):
        context = ssl.create_default_context(cafile=ca)
        context.set_alpn_protocols(["h2"])
        raw = socket.create_connection(("127.0.0.1", port), timeout=self.TIMEOUT)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(raw, server_hostname=host)
        self.authority = f"{host}:{port}"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            header_encoding="utf-8", validate_outbound_headers=False,
            normalize_outbound_headers=False))
        self.h2.initiate_connection()
        if settings:  # python3-hyperframe sends one byte of a setting's number
            greeting = self.h2.data_to_send()
            preface, size, frame = greeting[:24], int.from_bytes(greeting[24:27], "big"), greeting[27:]
            more = b"".join(struct.pack("!HI", number, value) for number, value in settings.items())
            size += len(more)
            self.socket.sendall(preface + size.to_bytes(3, "big") + frame + more)
        self.responses = {}
        self.take = True
        self.goaway = None
        self.closed = False
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def begin(self, method, path, fields=(), end=True, authority=None):
        """Sends a head and returns the stream's number."""
        stream = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", "https"),
                  (":authority", self.authority if authority is None else authority), (":path", path)]
        self.h2.send_headers(stream, [each for each in pseudo if each[1]] + list(fields), end_stream=end)
        self.responses[stream] = Response()
        self.flush()
        return stream

    def send(self, stream, data, end=False):
        """All of it, however long the gateway keeps the window shut; stops when it answers."""
        data = memoryview(data)
        response = self.responses[stream]
        while data and not response.ended and response.reset is None:
            size = min(len(data), self.h2.local_flow_control_window(stream), 16384)
            if size == 0:
                self.receive()
                continue
            self.h2.send_data(stream, bytes(data[:size]), end_stream=end and size == len(data))
            data = data[size:]
            self.flush()

    def send_some(self, stream, data):
        """What the window allows now; how much that was."""
        size = min(len(data), self.h2.local_flow_control_window(stream), 16384)
        if size > 0:
            self.h2.send_data(stream, data[:size])
            self.flush()
        return size

    def end(self, stream, trailers=None):
        if trailers:
            self.h2.send_headers(stream, trailers, end_stream=True)
        else:
            self.h2.end_stream(stream)
        self.flush()

    def reset(self, stream):
        self.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        self.flush()

    def receive(self):
        """One read; what it brought is in self.responses."""
        data = self.socket.recv(65536)
        if not data:
            self.closed = True
            raise EOFError(f"the gateway closed the connection; GOAWAY {self.goaway}")
        for event in self.h2.receive_data(data):
            self._take(event)
        self.flush()

    def _take(self, event):
        response = self.responses.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = event.error_code
        elif response is None:
            return
        elif isinstance(event, h2.events.InformationalResponseReceived):
            fields = dict(event.headers)
            response.informational.append((int(fields.pop(":status")), fields))
        elif isinstance(event, h2.events.ResponseReceived):
            response.fields = dict(event.headers)
            response.status = int(response.fields.pop(":status"))
        elif isinstance(event, h2.events.DataReceived):
            response.body += event.data
            if self.take:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            response.trailers = dict(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            response.ended = True
        elif isinstance(event, h2.events.StreamReset):
            response.reset = event.error_code

    def wait(self, stream, condition=lambda response: response.ended):
        """Reads until the response has ended, or what is asked for."""
        response = self.responses[stream]
        while not condition(response) and response.reset is None:
            self.receive()
        return response

    def fetch(self, path, method="GET", fields=(), body=None, trailers=None, authority=None):
        stream = self.begin(method, path, fields, end=body is None and trailers is None,
                            authority=authority)
        if body is not None:
            self.send(stream, body, end=trailers is None)
        if trailers is not None:
            self.end(stream, trailers)
        return self.wait(stream)
