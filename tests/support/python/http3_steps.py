"""What a misbehaving peer of either side does over HTTP/3: steps are frames (type, flags, stream,
payload), bytes for the control stream, and functions of the raw_http3.Peer."""
import raw_http2 as h2
import raw_http3 as h3

CODES = {"H3_STREAM_CREATION_ERROR": 0x103, "H3_CLOSED_CRITICAL_STREAM": 0x104,
         "H3_FRAME_UNEXPECTED": 0x105, "H3_FRAME_ERROR": 0x106, "H3_EXCESSIVE_LOAD": 0x107,
         "H3_SETTINGS_ERROR": 0x109, "H3_MISSING_SETTINGS": 0x10a, "H3_MESSAGE_ERROR": 0x10e}
ANY = ".*"  # nghttp3's own words
CLIENT_CERT_AUTH = h3.SETTINGS[h2.CLIENT_CERT_AUTH]
PING, GREASE = 0x6, 0x21  # a frame type of HTTP/2 that HTTP/3 reserves; one for nothing
LARGEST = 256 * 1024  # payload of ours that either side takes


def settings(*pairs):
    return lambda peer: peer.send_settings_of(*pairs)


def on_a_stream(kind, *frames):
    """Frames on a new unidirectional stream of that type."""
    data = h3.varint(kind) + b"".join(h3.frame_head(each[0], len(each[3])) + each[3]
                                      for each in frames)
    return lambda peer: peer.open_stream(data)


def head_of(kind, size):
    """A frame of which no more comes than its header."""
    return h3.frame_head(kind, size)


def end_control_stream(peer):
    peer.end_control_stream()


def reset_control_stream(peer):
    peer.reset_control_stream()
