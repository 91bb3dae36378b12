"""Requests and what answers them, in the other interpreter.

    about   its versions and device, without importing the simulator
    open    an environment: the answer describes the task
    record  transitions
    speed   control steps a second
    policy  whether a training can start from one
    train   a training: several messages, the last of which is `end`

A failed request is answered by `error` with one sentence. Output of an environment goes to standard error.
"""

from __future__ import annotations

import os
import platform
import sys
import traceback
from collections.abc import Mapping
from typing import Any, BinaryIO

import torch

from eureka.trainers.remote.inside.describe import describe
from eureka.trainers.remote.inside.environment import OpenEnvironment, OpenRequest
from eureka.trainers.remote.inside.simulators import SIMULATORS, SimulatorError, installed
from eureka.trainers.remote.inside.state import StateReadingError
from eureka.trainers.remote.inside.training import RemoteOrder, require_policy, train
from eureka.trainers.remote.inside.wire import RemoteMessage, RemoteWireError, decode, encode

_PACKAGES = ("mjlab", "isaaclab", "mani_skill", "rsl-rl-lib", "mujoco", "warp-lang")
_NETWORK = (
    "https://",
    "urlopen",
    "connection",
    "nucleus",
    "resolve host",
    "download",
    "name resolution",
    "max retries",
)
_GPU = ("cuda", "no gpu", "nvidia driver")
_VULKAN = ("rendering device", "supported physical device", "vk::")


class Server:
    """Serves one simulator's environment."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self._requests, self._answers = requests, answers
        self._environment: OpenEnvironment | None = None
        self._simulator: Any = None

    def serve(self) -> None:
        """Answer requests until standard input ends."""
        while True:
            try:
                request = decode(self._requests.readline, self._read)
            except (RemoteWireError, EOFError):
                break
            try:
                self._answer(request)
            except (SimulatorError, StateReadingError) as error:
                self._send(RemoteMessage("error", {"sentence": str(error)}))
            except Exception as error:  # noqa: BLE001
                # The simulator's own errors are of any type; the other end gets one sentence.
                traceback.print_exc()
                self._send(RemoteMessage("error", {"sentence": explain(error)}))
        if self._simulator is not None:
            self._simulator.close()

    def _read(self, size: int) -> bytes:
        content = self._requests.read(size)
        if len(content) != size:
            raise EOFError
        return content

    def _send(self, message: RemoteMessage) -> None:
        self._answers.write(encode(message))
        self._answers.flush()

    def _answer(self, request: RemoteMessage) -> None:
        if request.kind == "about":
            self._send(RemoteMessage("about", about()))
        elif request.kind == "open":
            self._open(request.data)
        elif self._environment is None:
            raise SimulatorError("nothing is open")
        elif request.kind == "record":
            rows = self._environment.record_transitions(int(request.data["num"]), int(request.data["seed"]))
            self._send(RemoteMessage("recorded", {}, rows))
        elif request.kind == "speed":
            self._send(
                RemoteMessage("speed", {"steps": self._environment.measure_speed(float(request.data["seconds"]))})
            )
        elif request.kind == "train":
            order = RemoteOrder(**{**request.data, "evaluated_after": tuple(request.data["evaluated_after"])})
            train(self._environment, order, request.blobs, self._send)
            self._environment.put_in(None)
            self._send(RemoteMessage("end"))
        elif request.kind == "policy":
            require_policy(self._environment, request.blobs["policy"])
            self._environment.put_in(None)
            self._send(RemoteMessage("fits"))
        else:
            raise SimulatorError(f"there is no request {request.kind}")

    def _open(self, data: Mapping[str, Any]) -> None:
        if self._simulator is None:
            self._simulator = SIMULATORS[data["simulator"]]()
        wanted = {key: value for key, value in data.items() if key != "simulator"}
        self._environment = OpenEnvironment(self._simulator, OpenRequest(**wanted))
        self._send(RemoteMessage("opened", describe(self._environment)))


def about() -> dict[str, Any]:
    """Versions and device of this interpreter."""
    cuda = torch.cuda.is_available()
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if cuda else "",
        "packages": {name: found for name in _PACKAGES if (found := installed(name)) is not None},
    }


def explain(error: BaseException) -> str:
    """One sentence for a failure of the simulator, with a remedy if one is known."""
    said = f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
    low = said.lower()
    if any(word in low for word in _VULKAN):
        return (
            "ManiSkill builds its scenes with Vulkan, and finds no device that it can use: install a driver; without a "
            f"GPU Mesa's software Vulkan from 24.3 on does (Debian: mesa-vulkan-drivers, from backports) ({said})"
        )
    if any(word in low for word in _GPU) and not torch.cuda.is_available():
        return f"the task wants a GPU, and torch sees none in that interpreter ({said})"
    if any(word in low for word in _NETWORK):
        return f"the task wants files from the network, which could not be had: fetch them first ({said})"
    if isinstance(error, FileNotFoundError) or "motion_file" in low:
        return f"the task wants a file that is not there ({said})"
    return f"the simulator failed ({said})"


def serve() -> None:
    """Serve on the standard input and output of this process."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Server(sys.stdin.buffer, answers).serve()
    # Simulators may leave threads running that would keep the process alive.
    answers.flush()
    os._exit(0)
