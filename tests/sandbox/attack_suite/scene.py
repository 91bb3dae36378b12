"""What an attack is aimed at: a folder with a secret, listeners, another process, other candidates' secrets."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

KEY_NAME = "OPENAI_API_KEY"

_LISTENERS = {"port": socket.SOCK_STREAM, "udp_port": socket.SOCK_DGRAM}
_UNIX = {"unix_stream": socket.SOCK_STREAM, "unix_datagram": socket.SOCK_DGRAM}
_ABSTRACT = {"abstract_stream": socket.SOCK_STREAM, "abstract_datagram": socket.SOCK_DGRAM}


class Scene:
    """One scene for one run of one attack; only what the source names is set up.

    Args:
        source: the attack's source.
        key: the host's key, which is in its environment and in the victim's.
        rival: a secret of another candidate's, which the zygote has served before.
    """

    def __init__(self, source: str, key: str, rival: str) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="attack-")
        self.folder = Path(self._temporary.name)
        # An ordinary user's process could do here whatever root's can.
        self.folder.chmod(0o777)
        token = "file-" + os.urandom(16).hex()
        self.secrets = (token, key, rival)
        self.strays: list[int] = []
        self._sockets: dict[str, socket.socket] = {}
        self._victim: subprocess.Popen[bytes] | None = None
        secret = self.folder / "secret"
        secret.write_text(token)
        secret.chmod(0o666)
        (self.folder / "planted.py").write_text(f"SECRET = {token!r}\n")
        (self.folder / "planted_link").symlink_to(secret)
        (self.folder / "empty").mkdir(mode=0o777)
        self.names: dict[str, object] = {"folder": str(self.folder), "secret": str(secret), "host": os.getpid()}
        words = set(re.findall(r"\w+", source))
        for name in words & (_LISTENERS.keys() | _UNIX.keys() | _ABSTRACT.keys()):
            self._listen(name)
        if "victim" in words:
            self._victim = subprocess.Popen(
                ["sleep", "60"], env={KEY_NAME: key}, start_new_session=True, stdin=subprocess.DEVNULL
            )
            self.names["victim"] = self._victim.pid
        self._before = self._snapshot()

    def _listen(self, name: str) -> None:
        if name in _LISTENERS:
            made = socket.socket(socket.AF_INET, _LISTENERS[name])
            made.bind(("127.0.0.1", 0))
            self.names[name] = made.getsockname()[1]
        elif name in _UNIX:
            made = socket.socket(socket.AF_UNIX, _UNIX[name])
            path = f"{self.folder}/{name}"
            made.bind(path)
            os.chmod(path, 0o777)
            self.names[name] = path
        else:
            made = socket.socket(socket.AF_UNIX, _ABSTRACT[name])
            address = f"\0attack-{os.urandom(8).hex()}"
            made.bind(address)
            self.names[name] = address
        if made.type == socket.SOCK_STREAM:
            made.listen()
        made.setblocking(False)
        self._sockets[name] = made

    def _snapshot(self) -> dict[str, object]:
        state: dict[str, object] = {}
        for path in sorted(self.folder.rglob("*")):
            info = path.lstat()
            state[str(path)] = (info.st_mode, info.st_uid, info.st_size, info.st_mtime_ns, info.st_nlink)
        return state

    def changed(self) -> bool:
        """Whether anything in the folder is not as it was made."""
        return self._snapshot() != self._before

    def received(self) -> bool:
        """Whether a connection or a datagram arrived."""
        for listener in self._sockets.values():
            with suppress(BlockingIOError):
                if listener.type == socket.SOCK_STREAM:
                    listener.accept()[0].close()
                else:
                    listener.recv(64)
                return True
        return False

    def victim_hurt(self) -> bool:
        """Whether the victim has ended or is stopped."""
        assert self._victim is not None
        with suppress(subprocess.TimeoutExpired):
            self._victim.wait(0.05 if self._victim_state() not in "TZ" else 0)
        return self._victim.poll() is not None or self._victim_state() in "Tt"

    def _victim_state(self) -> str:
        assert self._victim is not None
        return Path(f"/proc/{self._victim.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def __enter__(self) -> Scene:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for listener in self._sockets.values():
            listener.close()
        if self._victim:
            self._victim.kill()
            self._victim.wait()
        for pid in self.strays:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._temporary.cleanup()
