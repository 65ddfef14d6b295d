"""An agent for the tests of the client side: agent.sock as ipc/agent.proto describes it, with keys
in memory and, where a test wants it, bad manners."""
import contextlib
import os
import socket
import struct
import threading

from authenticator import Keys, Proof, vector
from ipc import agent_pb2 as agent

HASHES = {agent.PRF_HASH_SHA256: "sha256", agent.PRF_HASH_SHA384: "sha384"}
CERTIFICATE_AUTHORITIES = 47


def parse_request(message):
    """A CertificateRequest: its context and the DER names of its certificate_authorities."""
    body = message[4:]
    context = body[1:1 + body[0]]
    rest = body[1 + len(context) + 2:]
    authorities = []
    while rest:
        kind, size = struct.unpack("!HH", rest[:4])
        data, rest = rest[4:4 + size], rest[4 + size:]
        if kind == CERTIFICATE_AUTHORITIES:
            names = data[2:]
            while names:
                length = int.from_bytes(names[:2], "big")
                authorities.append(names[2:2 + length])
                names = names[2 + length:]
    return context, authorities


def prove(call, identity, kind):
    """Certificate and CertificateVerify of `identity` for the request."""
    keys = Keys(HASHES[call.hash], call.handshake_context, b"")  # Finished is not an agent's
    proof = Proof(keys, call.request, [each.der for each in identity.chain], identity.key)
    certificate = proof.certificate()
    return agent.AuthenticateResponse(authenticator=agent.Authenticator(
        certificate=certificate, certificate_verify=proof.certificate_verify(certificate),
        identity=identity.name, kind=kind,
        subject=identity.certificate.subject.rfc4514_string()))


def declined(reason, detail):
    return agent.AuthenticateResponse(declined=agent.Declined(reason=reason, detail=detail))


class FakeAgent:
    """Answers each call with the identity whose issuer the request names, or declines.

    `answer(call)` may be replaced; it returns an AuthenticateResponse, bytes to send as they are,
    CLOSE to hang up, or None to stay silent. Answers leave `batch` at a time, the last one first.
    """

    CLOSE = object()

    def __init__(self, path, identities=()):
        self.path = path
        self.identities = list(identities)  # (Identity, IdentityKind)
        self.answer = self.answer_honestly
        self.batch = 1
        self.calls = []  # all AuthenticateRequests
        self._called = threading.Condition()
        self._connections = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for connection, thread in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is gone already
            thread.join()
            connection.close()
        os.unlink(self.path)

    @property
    def origins(self):
        return [call.origin for call in self.calls]

    def await_calls(self, count, timeout):
        """False when there are fewer after `timeout` seconds."""
        with self._called:
            return self._called.wait_for(lambda: len(self.calls) >= count, timeout)

    def settle(self):
        """Returns when all that programs which have ended said was heard."""
        with socket.socket(socket.AF_UNIX) as last:  # connections are accepted in their order
            last.connect(self.path)
            last.shutdown(socket.SHUT_WR)
            last.recv(1)
        for _, thread in self._connections:
            thread.join()

    def answer_honestly(self, call):
        _, authorities = parse_request(call.request)
        for identity, kind in self.identities:
            if any(each.issuer.subject_der in authorities for each in identity.chain):
                return prove(call, identity, kind)
        return declined(agent.DECLINE_REASON_NO_IDENTITY,
                        "no identity fits; see signet identity list")

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._connections.append((connection, thread))
            thread.start()

    def _serve(self, connection):
        stream = connection.makefile("rb")
        replies = []
        try:
            while header := stream.read(4):
                message = agent.ClientMessage.FromString(
                    stream.read(int.from_bytes(header, "big")))
                if message.WhichOneof("call") != "authenticate":
                    continue
                with self._called:
                    self.calls.append(message.authenticate)
                    self._called.notify_all()
                result = self.answer(message.authenticate)
                if result is FakeAgent.CLOSE:
                    return
                if isinstance(result, bytes):
                    replies.append(result)
                elif result is not None:
                    reply = agent.AgentMessage(id=message.id, authenticate=result)
                    replies.append(vector(4, reply.SerializeToString()))
                if len(replies) == self.batch:
                    connection.sendall(b"".join(reversed(replies)))
                    replies.clear()
        except OSError:
            pass  # the client hung up
        finally:
            stream.close()
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
