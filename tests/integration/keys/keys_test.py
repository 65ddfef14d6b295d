"""A program that speaks TLS itself signs with keys of the agent, through libsignet's key.h."""
import base64
import ctypes
import hashlib
import os
import time
import unittest

from tests.support.stand import BIN, Stand

P256 = 0x0403
VERIFY = b" " * 64 + b"TLS 1.3, client CertificateVerify\0" + hashlib.sha256(b"a handshake").digest()
PATIENCE_MS = 20_000
OK, ERROR_AGENT, ERROR_DECLINED = 0, 6, 7


class Bytes(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_char)), ("size", ctypes.c_size_t)]

    @classmethod
    def of(cls, value):
        return cls(ctypes.cast(ctypes.create_string_buffer(value, len(value)),
                               ctypes.POINTER(ctypes.c_char)), len(value))

    def __bytes__(self):
        return ctypes.string_at(self.data, self.size)


class Keys:
    def __init__(self, socket_path):
        self.library = ctypes.CDLL(str(BIN.parent / "lib" / "libsignet.so.0"))
        self.library.signet_keys_detail.restype = ctypes.c_char_p
        self.object = ctypes.c_void_p()
        assert self.library.signet_keys_new(str(socket_path).encode(), PATIENCE_MS,
                                            ctypes.byref(self.object)) == OK

    def close(self):
        self.library.signet_keys_free(self.object)

    def sign(self, identity, content, public_key=b""):
        """The status, and the signature or what happened."""
        signature = Bytes()
        status = self.library.signet_keys_sign(
            self.object, identity.encode(), ctypes.c_uint16(P256), Bytes.of(content),
            Bytes.of(public_key), ctypes.byref(signature))
        return status, bytes(signature) if status == OK else self.detail()

    def get(self, identity):
        public_key, chain, size = Bytes(), ctypes.POINTER(Bytes)(), ctypes.c_size_t()
        status = self.library.signet_keys_get(self.object, identity.encode(), ctypes.byref(public_key),
                                              ctypes.byref(chain), ctypes.byref(size))
        if status != OK:
            return status, self.detail()
        return status, (bytes(public_key), [bytes(chain[i]) for i in range(size.value)])

    def names(self):
        names, count = ctypes.POINTER(ctypes.c_char_p)(), ctypes.c_size_t()
        assert self.library.signet_keys_list(self.object, ctypes.byref(names),
                                             ctypes.byref(count)) == OK, self.detail()
        return [names[i].decode() for i in range(count.value)]

    def detail(self):
        return self.library.signet_keys_detail(self.object).decode()


@unittest.skipIf(os.environ.get("SIGNET_SANITIZE"), "this Python can't load a sanitized library")
class SignsForPrograms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = stand = cls.enterClassContext(Stand())
        stand.add_software()
        stand.rules.append('[[rule]]\npurpose = "tls-client"\nidentity = "a"\ndecision = "allow"\n')
        stand.start_agent()
        for name in ("a", "b"):
            stand.enrol(name, "file", "device")
        cls.keys = Keys(stand.dir / "run" / "agent.sock")
        cls.addClassCleanup(cls.keys.close)

    def refused(self, says, *arguments):
        status, detail = self.keys.sign(*arguments)
        self.assertEqual(status, ERROR_DECLINED, detail)
        self.assertIn(says, detail)
        self.stand.wait_for_record(event="sign", detail=detail)

    def test_AClientsHandshakeIsSignedAlsoAfterTheAgentRestarts(self):
        self.assertEqual(self.keys.sign("a", VERIFY)[0], OK)
        self.stand.stop("signetd")
        begin = time.monotonic()
        status, detail = self.keys.sign("a", VERIFY)
        self.assertEqual(status, ERROR_AGENT)
        self.assertIn("is signetd running?", detail)
        self.assertLess(time.monotonic() - begin, PATIENCE_MS / 1000)
        self.stand.start_agent()
        self.assertEqual(self.keys.sign("a", VERIFY)[0], OK)

    def test_NothingElseIsSigned(self):
        self.refused("nothing else is signed", "a", b"pay 100")
        self.refused("TLS server's handshake", "a", VERIFY.replace(b"client", b"server"))

    def test_WithoutARuleTheRefusalNamesIt(self):
        self.refused("signet policy allow --purpose tls-client --identity b", "b", VERIFY)

    def test_AnotherKeyThanExpectedSignsNothing(self):
        key = self.keys.get("a")[1][0]
        self.assertEqual(self.keys.sign("a", VERIFY, key)[0], OK)
        self.refused("its key is another now", "a", VERIFY, key[:-1] + bytes([key[-1] ^ 1]))

    def test_PublicPartAndChainAreForThoseThatARuleAdmits(self):
        status, (key, chain) = self.keys.get("a")
        self.assertEqual(status, OK)
        shown = self.stand.must("identity", "show", "a", "--json").json["identity"]
        self.assertIn(base64.b64encode(key).decode()[:60], shown["public_key_pem"])
        self.assertEqual([hashlib.sha256(der).hexdigest() for der in chain], [shown["sha256"]])
        self.assertEqual(self.keys.get("b")[0], ERROR_DECLINED)
        self.assertEqual(self.keys.names(), ["a"])


if __name__ == "__main__":
    unittest.main()
