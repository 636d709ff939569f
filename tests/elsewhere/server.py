"""A server of another make, in a directory of its own, to be killed and started.

Owns the process and its directory. Listens on 127.0.0.1 alone and leaves nothing
behind. The programs are those of the Debian packages mosquitto, prosody and
ejabberd; what is set differs from Debian's own only as said below.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PATIENCE = 30.0

# Beyond port and directory: anybody may connect, and it stays who it is.
MOSQUITTO = """
persistence true
persistence_location {home}/
listener {port} 127.0.0.1
allow_anonymous true
user root
"""

# Debian's file with these lines before it, so that no TLS is needed here and people
# may register.
PROSODY = """
data_path = "{home}/data"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
s2s_ports = {{ }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
allow_registration = true
registration_invite_only = false
run_as_root = true
"""

# The lines of Debian's file that are replaced, for the same ends.
EJABBERD_LISTEN = """registration_timeout: infinity
listen:
  -
    port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    access: c2s
"""
EJABBERD_MODULES = """modules:
  mod_register:
    ip_access: all
    registration_watchers: []
"""


def free_port():
    """A port below those that the system gives to connections."""
    for port in random.sample(range(18000, 30000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


class Server:
    """Started; ended with `with`."""

    def __init__(self, kind, *more):
        self.home = tempfile.mkdtemp()
        self.port = free_port()
        self.environment = dict(os.environ)
        self.command = getattr(self, kind)(*more)
        self.process = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.home)

    def write(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def mosquitto(self, more=""):
        text = MOSQUITTO.format(home=self.home, port=self.port) + more
        return ["/usr/sbin/mosquitto", "-c", self.write("mosquitto.conf", text)]

    def prosody(self):
        with open("/etc/prosody/prosody.cfg.lua", encoding="utf-8") as file:
            lines = file.read().splitlines()
        # The process number, the log and other people's hosts stay out of it.
        kept = [line for line in lines if not line.startswith(("pidfile", "Include"))]
        text = "\n".join(kept).replace("/var/log/prosody", self.home).replace("10kb/s", "10mb/s")
        os.mkdir(os.path.join(self.home, "data"))
        text = PROSODY.format(home=self.home, port=self.port) + text
        return ["/usr/bin/prosody", "-F", "--config", self.write("prosody.cfg.lua", text)]

    def ejabberd(self):
        with open("/etc/ejabberd/ejabberd.yml", encoding="utf-8") as file:
            text = file.read()
        before, rest = text.split("listen:\n", 1)
        lines = rest.splitlines()
        # The section ends where something stands at the left edge.
        end = next(i for i, line in enumerate(lines) if line and not line.startswith((" ", "#")))
        text = before + EJABBERD_LISTEN.format(port=self.port) + "\n".join(lines[end:])
        text = text.replace("\nmodules:\n", "\n" + EJABBERD_MODULES)
        path = self.write("ejabberd.yml", text)
        self.environment.update(
            ERL_LIBS="/usr/lib/x86_64-linux-gnu",
            EJABBERD_CONFIG_PATH=path,
            EJABBERD_LOG_PATH=os.path.join(self.home, "ejabberd.log"),
            HOME=self.home,
        )
        spool = f'"{self.home}/spool"'
        return ["/usr/bin/erl", "-noinput", "-mnesia", "dir", spool, "-s", "ejabberd"]

    def start(self):
        """Starts it, the first time or again, and waits until it listens."""
        with open(os.path.join(self.home, "output"), "a", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    with open(os.path.join(self.home, "output"), encoding="utf-8") as file:
                        raise RuntimeError("it does not start:\n" + file.read()) from None
                time.sleep(0.05)

    def kill(self):
        """As kill -9 does, and whatever it has started with it."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """As an operator stops it: what is in memory is saved."""
        self.process.terminate()
        self.process.wait(PATIENCE)

    def signal(self, number):
        self.process.send_signal(number)
