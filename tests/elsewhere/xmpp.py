#!/usr/bin/env python3
"""Shows what prosody and ejabberd do with a promise. See tests/GUARANTEES.md.

    python3 tests/elsewhere/xmpp.py prosody|ejabberd SCENE

Owns a little XMPP client: plain TCP, SASL PLAIN, stream management (XEP-0198).
"""

import base64
import socket
import sys
import time
from xml.etree.ElementTree import XMLPullParser, tostring

from server import Server

STANZAS = ("message", "presence", "iq")
SM = "urn:xmpp:sm:3"
STREAM = (
    "<?xml version='1.0'?><stream:stream to='localhost' version='1.0' "
    "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)


def short(tag):
    return tag.rsplit("}", 1)[-1]


class Person:
    """Somebody who is connected. Reads only when asked to."""

    def __init__(self, port, name, register=False, managed=False, available=True):
        self.name = name
        self.count = 0
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.begin()
        if register:
            fields = f"<username>{name}</username><password>pw</password>"
            query = f"<query xmlns='jabber:iq:register'>{fields}</query>"
            self.ask("set", query)
        plain = base64.b64encode(f"\0{name}\0pw".encode()).decode()
        sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
        self.says(f"<auth xmlns='{sasl}' mechanism='PLAIN'>{plain}</auth>")
        self.waits("success")
        self.begin()
        bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desk</resource></bind>"
        self.ask("set", bind)
        if managed:
            self.says(f"<enable xmlns='{SM}' resume='true'/>")
            self.waits("enabled")
        if available:
            self.says("<presence/>")

    def begin(self):
        self.parser = XMLPullParser(events=("start", "end"))
        self.depth = 0
        self.heard = []
        self.says(STREAM)
        self.waits("features")

    def says(self, text):
        self.socket.sendall(text.encode())

    def leaves(self):
        """Logged out, and the server has had time to see it."""
        self.says("<presence type='unavailable'/></stream:stream>")
        self.socket.close()
        time.sleep(1)

    def ask(self, kind, query):
        """A question, and its answer."""
        self.says(f"<iq type='{kind}' id='q'>{query}</iq>")
        # Others' questions come as well.
        while (answer := self.waits("iq")).get("id") != "q":
            pass
        if answer.get("type") != "result":
            raise RuntimeError(f"{self.name} is refused {query}: {tostring(answer)}")
        return answer

    def tells(self, to, text):
        self.says(f"<message to='{to}@localhost' type='chat' id='m{text}'><body>{text}</body></message>")

    def acknowledged(self):
        """How many stanzas the server says it has taken (XEP-0198)."""
        self.says(f"<r xmlns='{SM}'/>")
        return int(self.waits("a").get("h"))

    def waits(self, tag, patience=20.0):
        """The next element of that name; those before it are kept in `heard`."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            for at, element in enumerate(self.heard):
                if short(element.tag) == tag:
                    return self.heard.pop(at)
            self.listens(deadline - time.monotonic())
        raise TimeoutError(f"{self.name} waits in vain for {tag}: {self.heard}")

    def listens(self, patience):
        """Whatever comes within that time, at least once; whether anything did."""
        self.socket.settimeout(max(patience, 0.001))
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return False
        if not data:
            raise EOFError(f"{self.name} is disconnected: {self.heard}")
        self.parser.feed(data)
        for event, element in self.parser.read_events():
            self.depth += 1 if event == "start" else -1
            if event == "end" and self.depth == 1:
                self.takes(element)
        return True

    def takes(self, element):
        """A whole element; the server is told how many stanzas have come."""
        tag = short(element.tag)
        if tag == "r":
            self.says(f"<a xmlns='{SM}' h='{self.count}'/>")
            return
        if tag == "iq" and element.get("type") == "get":
            # The server asks whether somebody is there.
            self.says(f"<iq type='result' id='{element.get('id')}' to='{element.get('from')}'/>")
        self.count = 0 if tag == "enabled" else self.count + (tag in STANZAS)
        self.heard.append(element)

    def reads(self, patience=3.0):
        """The texts that have come when nothing comes any more."""
        while self.listens(patience):
            pass
        texts = []
        for element in self.heard:
            texts += [part.text for part in element if short(part.tag) == "body"]
        self.heard.clear()
        return texts


def two(server, **bob_is):
    """alice with stream management, and bob, whose accounts are on the disk."""
    for name in ["alice", "bob"]:
        Person(server.port, name, register=True).leaves()
    server.stop()
    server.start()
    alice = Person(server.port, "alice", managed=True)
    return alice, Person(server.port, "bob", **bob_is)


def after_a_kill(server, alice):
    alice.tells("bob", "bring cake")
    count = alice.acknowledged()
    pause = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    time.sleep(pause)
    server.kill()
    print(f"alice: the server has taken {count} stanzas, her presence and the message; kill -9 after {pause} s")
    server.start()
    bob = Person(server.port, "bob")
    print(f"bob, logged in again, reads {bob.reads()}")


def online(server):
    """bob is connected and has not answered yet when the server is killed."""
    alice, _bob = two(server, managed=True)
    after_a_kill(server, alice)


def away(server):
    """bob is logged out when alice writes, and the server is killed."""
    alice, bob = two(server)
    bob.leaves()
    after_a_kill(server, alice)


def befriend(alice, bob):
    """alice sees bob's status."""
    alice.says("<presence to='bob@localhost' type='subscribe'/>")
    while bob.waits("presence").get("type") != "subscribe":
        pass
    bob.says("<presence to='alice@localhost' type='subscribed'/>")
    while True:
        status = alice.waits("presence")
        if status.get("from", "").startswith("bob@localhost/") and status.get("type") is None:
            return


def gone_after(alice, limit):
    """After how many seconds alice sees bob go; None if she does not."""
    start = time.monotonic()
    while (left := start + limit - time.monotonic()) > 0:
        try:
            status = alice.waits("presence", left)
        except TimeoutError:
            return None
        if status.get("from", "").startswith("bob@") and status.get("type") == "unavailable":
            return round(time.monotonic() - start, 1)
    return None


def ghost(server, managed, is_killed):
    limit = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    alice, bob = two(server, managed=managed)
    befriend(alice, bob)
    if is_killed:
        bob.socket.close()
    seconds = gone_after(alice, limit)
    if seconds is None:
        print(f"alice sees bob online for {limit} s, until the end of the test")
    else:
        print(f"alice sees bob online for {seconds} s more")


def killed(server):
    """bob's connection ends without a farewell."""
    ghost(server, managed=False, is_killed=True)


def killed_managed(server):
    """Likewise, and bob had asked for stream management with resumption."""
    ghost(server, managed=True, is_killed=True)


def silent(server):
    """bob's connection stands, and he reads and says nothing any more."""
    ghost(server, managed=False, is_killed=False)


def silent_managed(server):
    """Likewise, with stream management."""
    ghost(server, managed=True, is_killed=False)


def block(server):
    """A message right after the answer to a block, a hundred times."""
    alice, bob = two(server)
    arrived = []
    item = "<item jid='alice@localhost'/>"
    for number in range(100):
        bob.ask("set", f"<block xmlns='urn:xmpp:blocking'>{item}</block>")
        alice.tells("bob", str(number))
        alice.acknowledged()
        bob.ask("set", f"<unblock xmlns='urn:xmpp:blocking'>{item}</unblock>")
    arrived = bob.reads()
    print(f"of 100 messages after a block, bob reads {len(arrived)}")


def order(server):
    """A thousand messages in a row."""
    alice, bob = two(server)
    for number in range(1000):
        alice.tells("bob", str(number))
    texts = [int(text) for text in bob.reads()]
    print(f"bob reads {len(texts)} of 1000, in order: {texts == sorted(texts)}, twice: {len(texts) - len(set(texts))}")


def full(server):
    """Three hundred messages for bob, who is away."""
    alice, bob = two(server)
    bob.leaves()
    for number in range(300):
        alice.tells("bob", str(number))
    count = alice.acknowledged() - 1
    time.sleep(1)
    alice.listens(1.0)
    refused = [element for element in alice.heard if element.get("type") == "error"]
    bob = Person(server.port, "bob")
    print(f"the server has taken {count}, refused {len(refused)}, bob reads {len(bob.reads())}")


def main():
    scenes = [online, away, full, order, block, killed, killed_managed, silent, silent_managed]
    by_name = {scene.__name__: scene for scene in scenes}
    if len(sys.argv) < 3 or sys.argv[1] not in ("prosody", "ejabberd") or sys.argv[2] not in by_name:
        sys.exit(f"{__doc__}\nSCENE is one of: {', '.join(by_name)}")
    with Server(sys.argv[1]) as server:
        by_name[sys.argv[2]](server)


if __name__ == "__main__":
    main()
