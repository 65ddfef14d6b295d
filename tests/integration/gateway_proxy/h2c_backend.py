"""A site that speaks HTTP/2 without TLS, on python3-h2."""
import json
import socket
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events


class HangUp(Exception):
    """For a function of H2cBackend: what it has said goes out, then the connection is closed."""


class Request:
    def __init__(self, connection, fields):
        self.connection = connection  # counts from 1
        self.fields = fields          # [(name, value)], with the pseudo ones
        self.size = 0
        self.trailers = []

    @property
    def path(self):
        return dict(self.fields)[":path"]


class H2cBackend:
    """Serves a path by a function (site, h2, stream, request) when the request has ended; others are
    told what they asked. What a function leaves out is for the test."""

    def __init__(self, settings=None):
        self.handlers = {}
        self.at_start = {}  # the same, when the head has come
        self.requests = []
        self._settings = settings
        self._count = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"h2c://127.0.0.1:{self.port}"

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for raw in self._sockets:
            try:
                raw.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is gone already

    def _accept(self):
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            self._count += 1
            self._sockets.append(raw)
            threading.Thread(target=self._serve, args=(raw, self._count), daemon=True).start()

    def _serve(self, raw, number):
        connection = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8", validate_outbound_headers=False))
        connection.decoder.max_header_list_size = 1 << 20
        connection.initiate_connection()
        if self._settings:
            connection.update_settings(self._settings)
        requests = {}
        with raw:
            try:
                raw.sendall(connection.data_to_send())
                while data := raw.recv(65536):
                    try:
                        for event in connection.receive_data(data):
                            self._take(connection, number, requests, event)
                    finally:
                        raw.sendall(connection.data_to_send())
            except HangUp:
                pass
            except OSError:
                pass  # the gateway hung up

    def _take(self, connection, number, requests, event):
        stream = getattr(event, "stream_id", None)
        if isinstance(event, h2.events.RequestReceived):
            requests[stream] = Request(number, event.headers)
            self.requests.append(requests[stream])
            if handler := self.at_start.get(requests[stream].path):
                handler(self, connection, stream, requests[stream])
        elif isinstance(event, h2.events.DataReceived):
            requests[stream].size += len(event.data)
            connection.acknowledge_received_data(event.flow_controlled_length, stream)
        elif isinstance(event, h2.events.TrailersReceived):
            requests[stream].trailers = event.headers
        elif isinstance(event, h2.events.StreamEnded):
            request = requests[stream]
            self.handlers.get(request.path, echo)(self, connection, stream, request)


def echo(_, connection, stream, request):
    body = json.dumps({"fields": request.fields, "size": request.size, "trailers": request.trailers,
                       "connection": request.connection}).encode()
    connection.send_headers(stream, [(":status", "200"), ("content-length", str(len(body)))])
    connection.send_data(stream, body, end_stream=True)
