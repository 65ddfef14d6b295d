"""A bad network of one's own: passes datagrams between one client and a server, and on the way loses,
doubles and delays them by chance, or lets the client appear at another address."""
import random
import selectors
import socket
import threading


class UdpRelay:
    """Listens at `address` for one client. `bad` is the chance of each kind of trouble."""

    def __init__(self, server_port, bad=0.0, seed=20261121):
        self._server = ("127.0.0.1", server_port)
        self._chance = random.Random(seed)
        self._bad = bad
        self._front = self._open()
        self._front.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._front.getsockname()[1]
        self._back = self._open()
        self._old_backs = []
        self._client = None
        self._late = []  # (socket, datagram, address), each until others have overtaken it
        self.first_answer = b""
        self.lost = self.doubled = self.delayed = 0
        self._rebind = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def rebind(self):
        """From now on the server sees the client at another port, as behind a NAT that forgot."""
        self._rebind.set()

    def close(self):
        self._stopped.set()
        self._thread.join()
        for each in [self._front, self._back, *self._old_backs]:
            each.close()

    @staticmethod
    def _open():
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def _run(self):
        while not self._stopped.is_set():
            if self._rebind.is_set():
                self._rebind.clear()
                self._old_backs.append(self._back)
                self._back = self._open()
            self._turn()

    def _turn(self):
        selector = selectors.DefaultSelector()
        selector.register(self._front, selectors.EVENT_READ)
        selector.register(self._back, selectors.EVENT_READ)
        ready = [key.fileobj for key, _ in selector.select(timeout=0.02)]
        selector.close()
        if self._front in ready:
            datagram, self._client = self._front.recvfrom(65536)
            self._pass(self._back, datagram, self._server)
        if self._back in ready:
            datagram = self._back.recv(65536)
            self.first_answer = self.first_answer or datagram
            self._pass(self._front, datagram, self._client)
        if not ready:
            self._release()

    def _pass(self, to, datagram, address):
        chance = self._chance.random()
        if chance < self._bad:
            self.lost += 1
            return
        if chance < 2 * self._bad:
            self.delayed += 1
            self._late.append((to, datagram, address))
            return
        to.sendto(datagram, address)
        if chance < 3 * self._bad:
            self.doubled += 1
            to.sendto(datagram, address)
        if self._chance.random() < 0.5:
            self._release()

    def _release(self):
        for to, datagram, address in self._late:
            to.sendto(datagram, address)
        self._late.clear()
