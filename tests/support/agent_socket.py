"""A bare client of agent.sock: ipc/agent.proto by hand, for what libsignet would never do."""
import socket
import struct

LIST_IDENTITIES = b"\x08\x01\x1a\x00"  # ClientMessage{id: 1, list_identities: {}}


def frame(message):
    return struct.pack(">I", len(message)) + message


def connect(stand):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(stand.dir / "run/agent.sock"))
    return connection


def receive(connection):
    """The next message, and not a byte more; b"" when the agent has closed the connection."""
    size = _read(connection, 4)
    return _read(connection, struct.unpack(">I", size)[0]) if size else b""


def _read(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            return b""
        data += more
    return data


def list_identities(connection):
    """The whole answer: names of identities can be searched for in it."""
    connection.sendall(frame(LIST_IDENTITIES))
    return receive(connection)
