"""A name server for tests, where the stack's DNS_SERVERS points to. What it is not told of does not exist."""
import socket
import struct
import threading

ADDRESS = ("127.0.0.1", 5300)
TYPES = {"A": 1, "SRV": 33, "NAPTR": 35}


def _name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def _text(text):
    return bytes([len(text)]) + text.encode()


def _data(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    if kind == "SRV":
        priority, weight, port, target = value
        return struct.pack(">HHH", priority, weight, port) + _name(target)
    order, preference, flags, service, replacement = value
    return struct.pack(">HH", order, preference) + _text(flags) + _text(service) + _text("") + _name(replacement)


class NameServer:
    """records: {name: [(kind, value), ...]}. `asked` is what was asked for, as (name, type number)."""

    def __init__(self, records):
        self.records, self.asked = records, []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(ADDRESS)
        self.sock.settimeout(0.1)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._closed.set()
        self._thread.join()
        self.sock.close()

    def _serve(self):
        while not self._closed.is_set():
            try:
                question, peer = self.sock.recvfrom(2048)
            except socket.timeout:
                continue
            self.sock.sendto(self._answer(question), peer)

    def _answer(self, question):
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        name, kind = ".".join(labels).lower(), struct.unpack(">H", question[at + 1:at + 3])[0]
        self.asked.append((name, kind))
        found = [(k, v) for k, v in self.records.get(name, []) if TYPES[k] == kind]
        code = 0 if name in self.records else 3
        out = question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0) + question[12:at + 5]
        for k, v in found:
            data = _data(k, v)
            out += _name(name) + struct.pack(">HHIH", TYPES[k], 1, 0, len(data)) + data
        return out
