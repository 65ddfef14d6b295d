"""Carries the frames and settings of a signet.Session or signet.Requester on a connection of python3-h2.

h2 knows nothing of extension frames, and needs no change:

- What it does not know it hands over as UnknownFrameReceived, with the frame's bytes.
- It never stops inside a frame or a header block, so between two calls of data_to_send() the output is
  at a frame boundary and a frame of ours can be added to it.
- Its encoder (hyperframe 6.0) keeps only the low eight bits of a setting's number, and gives an
  ExtensionFrame the length 0; so both are written here, byte by byte.
"""
import struct

import h2.events
import h2.settings

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_SIZE = 9


def encode_frame(kind, payload, stream=0, flags=0):
    return len(payload).to_bytes(3, "big") + struct.pack("!BBI", kind, flags, stream) + payload


def add_settings(first_bytes, settings):
    """h2's first bytes, with these as well in the SETTINGS frame that they end with."""
    start = len(PREFACE) if first_bytes.startswith(PREFACE) else 0
    entries = b"".join(struct.pack("!HI", *each) for each in settings)
    body = first_bytes[start + HEADER_SIZE:] + entries
    return first_bytes[:start] + encode_frame(first_bytes[start + 3], body)


class Bridge:
    """`end` is the session or the requester."""

    def __init__(self, connection, end):
        self._connection = connection
        self._end = end
        connection.initiate_connection()
        self._output = add_settings(connection.data_to_send(), end.settings())

    def receive(self, event):
        """For each event of h2. Raises signet.RuleBroken: then close the connection with its code."""
        if isinstance(event, h2.events.RemoteSettingsChanged):
            for setting in event.changed_settings.values():
                if setting.setting == h2.settings.SettingCodes.MAX_FRAME_SIZE:
                    self._end.peer_max_frame_size(setting.new_value)
                self._end.peer_setting(setting.setting, setting.new_value)
            self._end.peer_settings_done()
        elif isinstance(event, h2.events.UnknownFrameReceived):
            frame = event.frame
            if self._end.wants_frame(frame.type):
                self._end.receive_frame(frame.stream_id, frame.type, frame.body)

    def data_to_send(self):
        """Instead of h2's."""
        output, self._output = self._output, b""
        output += self._connection.data_to_send()
        return output + b"".join(encode_frame(*frame) for frame in self._end.frames())
