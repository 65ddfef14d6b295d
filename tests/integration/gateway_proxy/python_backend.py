"""A site to be put behind the gateway: HTTP/1.1 by hand, so that a test sees every byte of a request
and can misbehave in the response."""
import hashlib
import json
import socket
import threading


class Request:
    def __init__(self, line, fields, connection):
        self.method, self.target, self.version = line.split(" ")
        self.fields = fields  # [(name, value)], as they came
        self.trailers = []
        self.body = b""
        self.connection = connection  # counts from 1

    def values(self, name):
        return [value for each, value in self.fields if each.lower() == name.lower()]

    def value(self, name):
        values = self.values(name)
        return values[0] if values else None


class Connection:
    def __init__(self, stream, raw, number):
        self.stream, self.raw, self.number = stream, raw, number
        self.open = True

    def read_request(self):
        line = self.stream.readline().decode().rstrip("\r\n")
        if not line:
            return None
        return Request(line, self._read_fields(), self.number)

    def _read_fields(self):
        fields = []
        while line := self.stream.readline().decode("latin-1").rstrip("\r\n"):
            name, _, value = line.partition(":")
            fields.append((name, value.strip()))
        return fields

    def read_body(self, request, keep=True):
        """Length and SHA-256; the bytes too, if they are to be kept."""
        digest, size = hashlib.sha256(), 0
        for piece in self._pieces(request):
            digest.update(piece)
            size += len(piece)
            if keep:
                request.body += piece
        return size, digest.hexdigest()

    def _pieces(self, request):
        length = int(request.value("content-length") or 0)
        if request.value("transfer-encoding") != "chunked":
            while length > 0:
                piece = self.stream.read(min(length, 65536))
                if not piece:
                    raise EOFError
                length -= len(piece)
                yield piece
            return
        while size := int(self.stream.readline(), 16):
            piece = self.stream.read(size)
            if len(piece) < size:
                raise EOFError
            yield piece
            self.stream.readline()
        request.trailers = self._read_fields()

    def send(self, data):
        self.raw.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def answer(self, body, status="200 OK", fields=""):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode() + body)

    def close(self):
        self.open = False


def echo(connection, request):
    """What was asked, as JSON."""
    size, digest = connection.read_body(request)
    connection.answer({"method": request.method, "target": request.target, "fields": request.fields,
                       "trailers": request.trailers, "size": size, "sha256": digest,
                       "connection": request.connection})


class PythonBackend:
    """Serves each path by a function (connection, request); others by `echo`."""

    def __init__(self):
        self.handlers = {}
        self.requests = []
        self._connections = set()
        self._count = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self.drop_connections()

    def drop_connections(self):
        with self._lock:
            for raw in self._connections:
                try:
                    raw.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it is gone already

    def open_connections(self):
        with self._lock:
            return len(self._connections)

    def _accept(self):
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._count += 1
                self._connections.add(raw)
                number = self._count
            threading.Thread(target=self._serve, args=(raw, number), daemon=True).start()

    def _serve(self, raw, number):
        with raw, raw.makefile("rb") as stream:
            connection = Connection(stream, raw, number)
            try:
                while connection.open and (request := connection.read_request()):
                    self.requests.append(request)
                    handler = self.handlers.get(request.target.partition("?")[0], echo)
                    handler(connection, request)
            except (OSError, EOFError, ValueError):
                pass  # the gateway hung up, perhaps in the middle of a line
            finally:
                with self._lock:
                    self._connections.discard(raw)
