#!/usr/bin/python3
"""An HTTP/2 server on python3-h2 and pyOpenSSL that asks who its clients are, one connection at a time.

usage: h2_server.py CERT-FILE KEY-FILE CLIENT-CA-FILE PORT

Everything below /login needs a certificate of that authority; the rest is for anybody. Prints who proved
what. PORT 0 takes a free one; the first line says which.
"""
import select
import socket
import sys

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from cryptography import x509
from OpenSSL import SSL, crypto

import signet
import signet_h2
import signet_pyopenssl

PATIENCE = 60


class Trust:
    """Whose certificates count."""

    def __init__(self, ca_file):
        with open(ca_file, "rb") as file:
            authority = crypto.load_certificate(crypto.FILETYPE_PEM, file.read())
        self.name = authority.get_subject().der()
        self._store = crypto.X509Store()
        self._store.add_cert(authority)

    def verify_chain(self, chain):
        leaf, *rest = [crypto.load_certificate(crypto.FILETYPE_ASN1, each) for each in chain]
        try:
            crypto.X509StoreContext(self._store, leaf, rest).verify_certificate()
            usage = leaf.to_cryptography().extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except crypto.X509StoreContextError as error:
            raise ValueError(str(error)) from error
        except x509.ExtensionNotFound:
            return
        if x509.ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
            raise ValueError("the certificate is not for clients")


class Connection:
    def __init__(self, tls, trust):
        self._tls = tls
        self._trust = trust
        self._requester = signet.Requester(signet_pyopenssl.Tls(tls), trust.verify_chain)
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self._bridge = signet_h2.Bridge(self._h2, self._requester)
        self._unsent = b""
        self._who = None  # was proved, for as long as the connection lives
        self._asked = False
        self._waiting = []  # streams

    def serve(self):
        try:
            self._send()
            while self._receive():
                self._take_answers()
                self._send()
        except (SSL.ZeroReturnError, SSL.SysCallError):
            pass  # the client has gone
        except h2.exceptions.ProtocolError as error:
            print(f"HTTP/2: {error}")
        except signet.RuleBroken as error:
            print(error)
            self._h2.close_connection(error.code)
            self._send()
        finally:
            self._requester.close()

    def _receive(self):
        """Waits for the client, and says whether to go on."""
        wait_to_write = [self._tls] if self._unsent else []
        if not any(select.select([self._tls], wait_to_write, [], PATIENCE)):
            return False
        try:
            while True:
                for event in self._h2.receive_data(self._tls.recv(65536)):
                    self._bridge.receive(event)
                    if isinstance(event, h2.events.RequestReceived):
                        self._decide(event.stream_id, dict(event.headers)[b":path"])
                    elif isinstance(event, h2.events.StreamReset) and event.stream_id in self._waiting:
                        self._waiting.remove(event.stream_id)
                    elif isinstance(event, h2.events.ConnectionTerminated):
                        return False
        except SSL.WantReadError:
            return True

    def _decide(self, stream, path):
        if not path.startswith(b"/login"):
            self._respond(stream, 200, "for anybody")
        elif self._who:
            self._respond(stream, 200, self._who)
        elif self._asked or self._requester.available() > 0:
            if not self._asked:
                self._requester.request([self._trust.name], signet_pyopenssl.SCHEMES)
            self._asked = True
            self._waiting.append(stream)
        else:
            self._respond(stream, 403, "this needs a client that can be asked for a certificate")

    def _take_answers(self):
        for answer in self._requester.answers():
            self._asked = False
            if answer.result == "identity":
                self._who = x509.load_der_x509_certificate(answer.chain[0]).subject.rfc4514_string()
                print(f"request {answer.id}: proved {self._who}")
            else:
                print(f"request {answer.id}: {answer.detail or 'the client declined'}")
            while self._waiting:
                self._respond(self._waiting.pop(), 200 if self._who else 403,
                              self._who or "no certificate, no entry")

    def _respond(self, stream, status, text):
        self._h2.send_headers(stream, [(":status", str(status)), ("content-type", "text/plain")])
        self._h2.send_data(stream, text.encode(), end_stream=True)

    def _send(self):
        self._unsent += self._bridge.data_to_send()
        try:
            while self._unsent:
                self._unsent = self._unsent[self._tls.send(self._unsent):]
        except (SSL.WantWriteError, SSL.WantReadError):
            pass


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    sys.stdout.reconfigure(line_buffering=True)
    _, certificate, key, client_ca, port = sys.argv
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.use_certificate_chain_file(certificate)
    context.use_privatekey_file(key)
    context.set_alpn_select_callback(
        lambda _, offered: b"h2" if b"h2" in offered else SSL.NO_OVERLAPPING_PROTOCOLS)
    trust = Trust(client_ca)
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        print(f"listening on {listener.getsockname()[1]}")
        while True:
            with listener.accept()[0] as accepted:
                tls = SSL.Connection(context, accepted)
                tls.set_accept_state()
                try:
                    tls.do_handshake()
                    tls.setblocking(False)
                    Connection(tls, trust).serve()
                    tls.shutdown()
                except SSL.Error as error:
                    print(f"TLS: {error}")


if __name__ == "__main__":
    main()
