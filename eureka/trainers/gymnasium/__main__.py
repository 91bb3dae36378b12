"""The training process: reads orders from its standard input, one JSON object per line, and answers with events.

An answer is the name of an event's class and its JSON. What an environment prints goes to standard error.
"""

from __future__ import annotations

import os
import sys

import torch

from eureka.core.processes import errors_end_process
from eureka.core.serialize import dumps, loads
from eureka.core.training import Progress, TrainingResult
from eureka.core.types import Rejected
from eureka.trainers.gymnasium.settings import TrainingOrder
from eureka.trainers.gymnasium.training import train


def main() -> None:
    """Serve orders until standard input ends."""
    torch.set_num_threads(1)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def emit(event: Progress | Rejected | TrainingResult) -> None:
        answers.write(f"{type(event).__name__} {dumps(event)}\n")
        answers.flush()

    for line in sys.stdin:
        train(loads(TrainingOrder, line), emit)


if __name__ == "__main__":
    with errors_end_process():
        main()
