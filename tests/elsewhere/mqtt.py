#!/usr/bin/env python3
"""Shows what mosquitto does with a promise. See tests/GUARANTEES.md.

    python3 tests/elsewhere/mqtt.py SCENE

Owns a little MQTT client, version 3.1.1.
"""

import signal
import socket
import sys
import time

from server import Server

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, DISCONNECT = 8, 9, 14


def text(words):
    data = words.encode()
    return len(data).to_bytes(2, "big") + data


class Person:
    """Somebody who is connected, with a session that the broker keeps."""

    def __init__(self, port, name, will=None, keepalive=60):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.input = b""
        flags = 0 if will is None else 0b0010_0100  # retained
        more = b"" if will is None else text(f"status/{name}") + text(will)
        head = text("MQTT") + bytes([4, flags]) + keepalive.to_bytes(2, "big")
        self.says(CONNECT, 0, head + text(name) + more)
        assert self.hears()[0] == CONNACK

    def says(self, kind, flags, body):
        length, rest = b"", len(body)
        while True:
            length += bytes([rest % 128 | (128 if rest > 127 else 0)])
            rest //= 128
            if rest == 0:
                break
        self.socket.sendall(bytes([kind << 4 | flags]) + length + body)

    def hears(self, patience=3.0):
        """The next packet: kind, flags, body. None if nothing comes any more."""
        self.socket.settimeout(patience)
        while True:
            length, at = 0, 1
            while at < len(self.input):
                length |= (self.input[at] & 127) << 7 * (at - 1)
                at += 1
                if self.input[at - 1] < 128:
                    if len(self.input) >= at + length:
                        head, body = self.input[0], self.input[at : at + length]
                        self.input = self.input[at + length :]
                        return head >> 4, head & 15, body
                    break
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                return None
            if not data:
                raise EOFError("disconnected")
            self.input += data

    def listens_to(self, topic, quality):
        self.says(SUBSCRIBE, 2, b"\0\1" + text(topic) + bytes([quality]))
        assert self.hears()[0] == SUBACK

    def tells(self, topic, words, quality=1, number=1, again=False, retained=False):
        flags = quality << 1 | (8 if again else 0) | (1 if retained else 0)
        head = text(topic) + (number.to_bytes(2, "big") if quality else b"")
        self.says(PUBLISH, flags, head + words.encode())

    def answered(self, number=1):
        """Waits until the broker has taken the message."""
        while True:
            kind, _, body = self.hears()
            if kind == PUBREC:
                self.says(PUBREL, 2, body)
            elif kind in (PUBACK, PUBCOMP) and body == number.to_bytes(2, "big"):
                return

    def reads(self, patience=3.0):
        """The texts that come until nothing comes any more."""
        texts = []
        while (packet := self.hears(patience)) is not None:
            kind, flags, body = packet
            if kind == PUBREL:
                self.says(PUBCOMP, 0, body)
            if kind != PUBLISH:
                continue
            end = 2 + int.from_bytes(body[:2], "big")
            quality = flags >> 1 & 3
            if quality:
                self.says(PUBACK if quality == 1 else PUBREC, 0, body[end : end + 2])
                end += 2
            texts.append(body[end:].decode())
        return texts

    def leaves(self):
        self.says(DISCONNECT, 0, b"")
        self.socket.close()
        time.sleep(0.2)


def saved(server):
    """The broker saves now what it would save every half hour, and at its end."""
    server.signal(signal.SIGUSR1)
    time.sleep(1)


def bob_who_is_away(server, quality=1):
    bob = Person(server.port, "bob")
    bob.listens_to("to/bob", quality)
    bob.leaves()
    saved(server)


def acknowledged(server):
    """bob is away; the broker is killed after its PUBACK to alice."""
    pause = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    bob_who_is_away(server)
    alice = Person(server.port, "alice")
    alice.tells("to/bob", "bring cake")
    alice.answered()
    time.sleep(pause)
    server.kill()
    print(f"alice: PUBACK; kill -9 after {pause} s")
    server.start()
    print(f"bob, connected again, reads {Person(server.port, 'bob').reads()}")


def autosaved(server):
    """Likewise, and the broker saves at each change."""
    acknowledged(server)


def full(server):
    """1,500 messages for bob, who is away."""
    bob_who_is_away(server)
    alice = Person(server.port, "alice")
    for number in range(1, 1501):
        alice.tells("to/bob", str(number), number=number)
        alice.answered(number)
    texts = Person(server.port, "bob").reads()
    print(f"alice: 1500 times PUBACK; bob reads {len(texts)}, the last {texts[-1]}")


def again(server, quality=1):
    """alice is cut off before the answer, and sends the message again."""
    bob = Person(server.port, "bob")
    bob.listens_to("to/bob", quality)
    alice = Person(server.port, "alice")
    alice.tells("to/bob", "bring cake", quality)
    time.sleep(0.2)
    alice.socket.close()
    alice = Person(server.port, "alice")
    alice.tells("to/bob", "bring cake", quality, again=True)
    alice.answered()
    print(f"bob reads {bob.reads()}")


def again_twice(server):
    """Likewise with quality of service 2."""
    again(server, quality=2)


def order(server):
    """A thousand messages in a row."""
    bob = Person(server.port, "bob")
    bob.listens_to("to/bob", 1)
    alice = Person(server.port, "alice")
    for number in range(1, 1001):
        alice.tells("to/bob", str(number), number=number)
        alice.answered(number)
    texts = [int(text) for text in bob.reads()]
    print(f"bob reads {len(texts)} of 1000, in order: {texts == sorted(texts)}, twice: {len(texts) - len(set(texts))}")


def status(server):
    watcher = Person(server.port, "watcher")
    watcher.listens_to("status/alice", 1)
    return watcher


def ghost(server):
    """alice is shown online; she and the broker are killed; she stays away."""
    alice = Person(server.port, "alice", will="offline")
    alice.tells("status/alice", "online", retained=True)
    alice.answered()
    saved(server)
    server.kill()
    alice.socket.close()
    server.start()
    print(f"a minute later her friends read {status(server).reads(60.0)}")


def silent(server):
    """alice says nothing any more, and her connection stands."""
    alice = Person(server.port, "alice", will="offline", keepalive=10)
    alice.tells("status/alice", "online", retained=True)
    alice.answered()
    start = time.monotonic()
    watcher = status(server)
    texts = watcher.reads(1.0)
    while "offline" not in texts and time.monotonic() < start + 60:
        texts += watcher.reads(0.2)
    print(f"with a keepalive of 10 s her friends read {texts}, after {time.monotonic() - start:.0f} s")


def main():
    scenes = [acknowledged, autosaved, full, again, again_twice, order, ghost, silent]
    by_name = {scene.__name__: scene for scene in scenes}
    if len(sys.argv) < 2 or sys.argv[1] not in by_name:
        sys.exit(f"{__doc__}\nSCENE is one of: {', '.join(by_name)}")
    more = "autosave_interval 1\nautosave_on_changes true\n" if sys.argv[1] == "autosaved" else ""
    with Server("mosquitto", more) as server:
        by_name[sys.argv[1]](server)


if __name__ == "__main__":
    main()
