"""libsignet for Python, by ctypes: signet/client.h and signet/server.h as four classes.

    session = Session(tls, "https://example.com:443")     # a client's half of one connection
    agent = Agent(session)                                # its way to signetd
    requester = Requester(tls, verify_chain)              # a server's half

`tls` is an object like signet_pyopenssl.Tls. Nothing in here knows an HTTP stack, a TLS library or an
event loop; signet_h2.py connects it with python3-h2. As in C, an object is used by one thread at a time,
and times are milliseconds of one monotonic clock. $SIGNET_LIBRARY names another file than libsignet.so.0.
"""
import collections
import ctypes
import os
import time
from ctypes import (CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_short, c_size_t, c_uint16,
                    c_uint32, c_uint64, c_void_p)

OK, ERROR_STATE, ERROR_CONNECTION, ERROR_AGENT = 0, 2, 5, 6
HTTP2, HTTP3 = 2, 3
HASHES = {"sha256": 1, "sha384": 2}
NO_DEADLINE = 2**64 - 1

Setting = collections.namedtuple("Setting", "id value")
Frame = collections.namedtuple("Frame", "type payload")
Event = collections.namedtuple("Event", "type request identity kind subject reason detail")
Answer = collections.namedtuple("Answer", "id result chain signature_scheme detail")
EVENTS = {1: "requested", 2: "proved", 3: "declined"}
RESULTS = {1: "identity", 2: "declined", 3: "invalid"}


def now_ms():
    return int(time.monotonic() * 1000)


class Error(Exception):
    """Misuse, lack of memory, or a failed callback of `tls`."""


class RuleBroken(Exception):
    """The peer broke a rule of the draft: close the connection with this error."""

    def __init__(self, code, name, detail):
        super().__init__(f"{name}: {detail}")
        self.code = code


# -- the ABI: as in the headers, in their order

class Bytes(Structure):
    _fields_ = [("data", c_void_p), ("size", c_size_t)]

    def copy(self):
        return ctypes.string_at(self.data, self.size) if self.size else b""


EXPORT = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p, c_size_t)
DIGEST = CFUNCTYPE(c_int, c_void_p, c_int, POINTER(Bytes), c_size_t, c_void_p)
HMAC = CFUNCTYPE(c_int, c_void_p, c_int, Bytes, Bytes, c_void_p)
RANDOM = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)
VERIFY = CFUNCTYPE(c_int, c_void_p, Bytes, c_uint16, Bytes, Bytes)
VERIFY_CHAIN = CFUNCTYPE(c_int, c_void_p, c_uint64, POINTER(Bytes), c_size_t, POINTER(c_char_p))


class SizedStructure(Structure):
    """Its first member is its size, as far as this file knows it."""

    def __init__(self, **members):
        super().__init__(size=ctypes.sizeof(self), **members)


class CTls(SizedStructure):
    _fields_ = [("size", c_size_t), ("user", c_void_p), ("hash", c_int), ("export", EXPORT),
                ("digest", DIGEST), ("hmac", HMAC), ("random", RANDOM), ("verify", VERIFY)]


class CSetting(Structure):
    _fields_ = [("id", c_uint64), ("value", c_uint64)]


class CFrame(Structure):
    _fields_ = [("type", c_uint64), ("payload", Bytes)]


class CConnectionError(Structure):
    _fields_ = [("code", c_uint64), ("name", c_char_p), ("detail", c_char_p)]


class CSessionConfig(SizedStructure):
    _fields_ = [("size", c_size_t), ("tls", CTls), ("http", c_int), ("origin", c_char_p),
                ("limit", c_uint32), ("deadline_ms", c_uint32), ("code_points", c_void_p)]


class CEvent(Structure):
    _fields_ = [("type", c_int), ("request", c_uint64), ("identity", c_char_p), ("kind", c_char_p),
                ("subject", c_char_p), ("reason", c_char_p), ("detail", c_char_p)]


class CRequesterConfig(SizedStructure):
    _fields_ = [("size", c_size_t), ("tls", CTls), ("http", c_int), ("code_points", c_void_p),
                ("verify_chain", VERIFY_CHAIN), ("chain_user", c_void_p)]


class CRequest(SizedStructure):
    _fields_ = [("size", c_size_t), ("schemes", POINTER(c_uint16)), ("scheme_count", c_size_t),
                ("authorities", POINTER(Bytes)), ("authority_count", c_size_t),
                ("oid_filters", c_void_p), ("oid_filter_count", c_size_t)]


class CAnswer(Structure):
    _fields_ = [("id", c_uint64), ("result", c_int), ("chain", POINTER(Bytes)), ("chain_length", c_size_t),
                ("signature_scheme", c_uint16), ("detail", c_char_p)]


def _load():
    library = ctypes.CDLL(os.environ.get("SIGNET_LIBRARY", "libsignet.so.0"))
    library.signet_status_string.restype = c_char_p
    library.signet_session_deadline.restype = c_uint64
    library.signet_agent_events.restype = c_short
    for name in ("signet_session_settings", "signet_requester_settings", "signet_requester_available",
                 "signet_session_outstanding"):
        getattr(library, name).restype = c_size_t
    return library


_library = _load()


def _check(status):
    if status != OK:
        raise Error(_library.signet_status_string(status).decode())


def _array(kind, values):
    return (kind * len(values))(*values)


def _views(buffers):
    """They borrow the buffers' memory."""
    return _array(Bytes, [Bytes(ctypes.cast(c_char_p(each), c_void_p), len(each)) for each in buffers])


def _text(value):
    return value.decode(errors="replace") if value is not None else None


def _c_tls(tls):
    """An exception in a callback is printed by ctypes and fails the call: it then returns 0."""
    names = {number: name for name, number in HASHES.items()}

    def give(out, result):
        ctypes.memmove(out, result, len(result))
        return 1

    return CTls(
        hash=HASHES[tls.hash],
        export=EXPORT(lambda _, label, out, size: give(out, tls.export_keying_material(label, size))),
        digest=DIGEST(lambda _, name, parts, count, out: give(out, tls.digest(
            names[name], b"".join(parts[i].copy() for i in range(count))))),
        hmac=HMAC(lambda _, name, key, data, out: give(out, tls.hmac(names[name], key.copy(), data.copy()))),
        random=RANDOM(lambda _, out, size: give(out, os.urandom(size))),
        verify=VERIFY(lambda _, certificate, scheme, message, signature: int(tls.verify(
            certificate.copy(), scheme, message.copy(), signature.copy()))))


# -- the classes

class _End:
    """What a client's and a server's half have in common; `noun` is what C calls it."""

    noun = None

    def __init__(self):
        self._object = c_void_p()

    def _call(self, verb, *arguments):
        return getattr(_library, f"signet_{self.noun}_{verb}")(self._object, *arguments)

    def _do(self, verb, *arguments):
        status = self._call(verb, *arguments)
        if status == ERROR_CONNECTION:
            error = CConnectionError()
            _check(self._call("error", byref(error)))
            raise RuleBroken(error.code, _text(error.name), _text(error.detail))
        _check(status)

    def _each(self, verb, kind):
        item = kind()
        while (status := self._call(verb, byref(item))) != ERROR_STATE:
            _check(status)
            yield item

    def close(self):
        self._call("free")
        self._object = c_void_p()

    def settings(self):
        """These belong into our first SETTINGS."""
        entries = _array(CSetting, [CSetting()] * 4)
        return [Setting(each.id, each.value) for each in entries[:self._call("settings", entries, c_size_t(4))]]

    def peer_setting(self, number, value):
        self._do("peer_setting", c_uint64(number), c_uint64(value))

    def peer_max_frame_size(self, size):
        self._do("peer_max_frame_size", c_uint32(size))

    def peer_settings_done(self):
        """A SETTINGS frame of the peer has ended."""

    def wants_frame(self, kind):
        return bool(self._call("wants_frame", c_uint64(kind)))

    def frames(self):
        """What is due, in order: to be sent on stream 0 (HTTP/2) or the control stream (HTTP/3)."""
        for frame in self._each("next_frame", CFrame):
            yield Frame(frame.type, frame.payload.copy())


class Session(_End):
    noun = "session"

    def __init__(self, tls, origin, limit=0, deadline_ms=0, http=HTTP2):
        super().__init__()
        self._tls = _c_tls(tls)  # holds the callbacks
        config = CSessionConfig(tls=self._tls, http=http, origin=origin.encode(), limit=limit,
                                deadline_ms=deadline_ms)
        _check(_library.signet_session_new(byref(config), byref(self._object)))

    def peer_settings_done(self):
        self._do("peer_settings_done")

    def negotiated(self):
        return bool(self._call("negotiated"))

    def receive_frame(self, stream, kind, payload):
        self._do("receive_frame", c_uint64(stream), c_uint64(kind), payload, c_size_t(len(payload)),
                 c_uint64(now_ms()))

    def patience_ms(self):
        """How long one may wait before advance() has something to do, or None."""
        deadline = self._call("deadline")
        return None if deadline == NO_DEADLINE else max(0, deadline - now_ms())

    def advance(self):
        self._do("advance", c_uint64(now_ms()))

    def events(self):
        for event in self._each("next_event", CEvent):
            yield Event(EVENTS[event.type], event.request, _text(event.identity), _text(event.kind),
                        _text(event.subject), _text(event.reason), _text(event.detail))


class Agent:
    """Close it before its session. `fd`: a connected socket, which it then owns."""

    def __init__(self, session, path=None, fd=None):
        self._session = session
        self._object = c_void_p()
        if fd is not None:
            _check(_library.signet_agent_from_fd(session._object, c_int(fd), byref(self._object)))
        else:
            _check(_library.signet_agent_new(session._object, path and os.fsencode(path),
                                             byref(self._object)))

    def close(self):
        _library.signet_agent_free(self._object)
        self._object = c_void_p()

    def fileno(self):
        """-1 when there is nothing to poll now; ask again before each poll."""
        return _library.signet_agent_fd(self._object)

    def poll_events(self):
        return _library.signet_agent_events(self._object)

    def process(self):
        """What fails in here becomes a declined request, and an event of the session."""
        status = _library.signet_agent_process(self._object)
        if status != ERROR_AGENT:
            _check(status)


class Requester(_End):
    """`verify_chain(chain)` raises ValueError when a chain (DER, leaf first) is not to be trusted."""

    noun = "requester"

    def __init__(self, tls, verify_chain, http=HTTP2):
        super().__init__()
        self._tls = _c_tls(tls)
        self._verify_chain = verify_chain
        self._reasons = []  # they must last as long as the requester
        self._callback = VERIFY_CHAIN(self._judge)
        config = CRequesterConfig(tls=self._tls, http=http, verify_chain=self._callback)
        _check(_library.signet_requester_new(byref(config), byref(self._object)))

    def _judge(self, _, __, chain, count, why):
        try:
            self._verify_chain([chain[i].copy() for i in range(count)])
        except ValueError as error:
            self._reasons.append(c_char_p(str(error).encode()))
            why[0] = self._reasons[-1]
            return 0
        return 1

    def available(self):
        """How many more requests may be sent now."""
        return self._call("available")

    def request(self, authorities=(), schemes=None):
        """Asks once: for a certificate of one of these (DER names), signing with one of these."""
        views = _views(authorities)
        codes = _array(c_uint16, schemes) if schemes else None
        request = CRequest(schemes=codes, scheme_count=len(schemes or ()), authorities=views,
                           authority_count=len(authorities))
        number = c_uint64()
        self._do("request", byref(request), c_size_t(1), byref(number))
        return number.value

    def receive_frame(self, stream, kind, payload):
        self._do("receive_frame", c_uint64(stream), c_uint64(kind), payload, c_size_t(len(payload)))

    def answers(self):
        for answer in self._each("next_answer", CAnswer):
            chain = [answer.chain[i].copy() for i in range(answer.chain_length)]
            yield Answer(answer.id, RESULTS[answer.result], chain, answer.signature_scheme,
                         _text(answer.detail))
