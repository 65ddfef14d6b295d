#!/usr/bin/python3
"""An HTTP/2 client on python3-h2 and pyOpenSSL that can prove who its user and its machine are.

usage: h2_client.py CA-FILE HOST PORT PATH...

Gets the paths one after another on one connection. Bodies go to stdout, what the server asked and what
was proved to stderr. Exits with 0 when every status is below 400.
"""
import select
import socket
import sys

import h2.config
import h2.connection
import h2.events
from cryptography import x509
from OpenSSL import SSL

import signet
import signet_h2
import signet_pyopenssl

PATIENCE_MS = 60000


def connect(ca_file, host, port):
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.load_verify_locations(ca_file)
    context.set_verify(SSL.VERIFY_PEER)
    context.set_alpn_protos([b"h2"])
    connection = SSL.Connection(context, socket.create_connection((host, port)))
    connection.set_tlsext_host_name(host.encode())
    connection.set_connect_state()
    connection.do_handshake()
    certificate = connection.get_peer_certificate().to_cryptography()  # pyOpenSSL checks no names
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if host not in names.get_values_for_type(x509.DNSName):
        sys.exit(f"the server's certificate is not for {host}")
    if connection.get_alpn_proto_negotiated() != b"h2":
        sys.exit("the server does not speak HTTP/2")
    connection.setblocking(False)
    return connection


class Client:
    def __init__(self, tls, host, port):
        self._tls = tls
        self._authority = f"{host}:{port}"
        self._session = signet.Session(signet_pyopenssl.Tls(tls), f"https://{self._authority}")
        self._agent = signet.Agent(self._session)
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self._bridge = signet_h2.Bridge(self._h2, self._session)
        self._unsent = b""
        self._done = None  # the stream that ended last
        self._status = None

    def get(self, path, fields=()):
        stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(stream, [(":method", "GET"), (":scheme", "https"),
                                       (":authority", self._authority), (":path", path), *fields],
                              end_stream=True)
        self._send()
        while self._done != stream:
            self._wait()
            self._receive()
            self._session.advance()
            self._agent.process()
            self._send()
            self._tell_events()
        print(self._status, path, file=sys.stderr)
        return self._status

    def close(self):
        self._h2.close_connection()
        self._send()
        self._agent.close()
        self._session.close()
        self._tls.shutdown()

    def _wait(self):
        """For the server, the agent or the session's deadline."""
        poller = select.poll()
        poller.register(self._tls.fileno(), select.POLLIN | (select.POLLOUT if self._unsent else 0))
        if self._agent.fileno() >= 0:
            poller.register(self._agent.fileno(), self._agent.poll_events())
        patience = self._session.patience_ms()
        if not poller.poll(PATIENCE_MS if patience is None else patience) and patience is None:
            sys.exit("the server does not answer")

    def _receive(self):
        try:
            while True:
                for event in self._h2.receive_data(self._tls.recv(65536)):
                    self._handle(event)
        except SSL.WantReadError:
            pass
        except signet.RuleBroken as error:
            self._h2.close_connection(error.code)
            self._send()
            sys.exit(f"the server broke a rule: {error}")
        except (SSL.ZeroReturnError, SSL.SysCallError):
            sys.exit("the server closed the connection")

    def _handle(self, event):
        self._bridge.receive(event)
        if isinstance(event, h2.events.ResponseReceived):
            self._status = int(dict(event.headers)[b":status"])
        elif isinstance(event, h2.events.DataReceived):
            sys.stdout.buffer.write(event.data)
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self._done = event.stream_id
        elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
            sys.exit(f"the server gave up: {event}")

    def _send(self):
        self._unsent += self._bridge.data_to_send()
        try:
            while self._unsent:
                self._unsent = self._unsent[self._tls.send(self._unsent):]
        except (SSL.WantWriteError, SSL.WantReadError):
            pass

    def _tell_events(self):
        for event in self._session.events():
            if event.type == "requested":
                print("the server asks who we are", file=sys.stderr)
            elif event.type == "proved":
                print(f"proved {event.kind} {event.identity} ({event.subject})", file=sys.stderr)
            else:
                print(f"declined, {event.reason}: {event.detail}", file=sys.stderr)


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    _, ca_file, host, port, *paths = sys.argv
    client = Client(connect(ca_file, host, int(port)), host, port)
    worst = max([client.get(path) for path in paths])
    client.close()
    sys.exit(0 if worst < 400 else 1)


if __name__ == "__main__":
    main()
