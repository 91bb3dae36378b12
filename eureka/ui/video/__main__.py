"""`python -m eureka.ui.video NICENESS`: makes a film for each request on stdin, and answers each on stdout."""

import os
import sys
from pathlib import Path

from eureka.core.errors import EurekaError, RenderingUnavailable
from eureka.core.processes import lower_priority
from eureka.core.serialize import dumps, loads
from eureka.ui.video.film import Video
from eureka.ui.video.gl import find_gl
from eureka.ui.video.process import FilmReply, FilmRequest


def film(request: FilmRequest) -> Video:
    """Make one film. mujoco reads MUJOCO_GL when it is imported, so it is imported here and not at the top."""
    from eureka.ui.video.render import film_policy

    return film_policy(request.job, Path(request.to))


def main() -> None:
    """Make films until stdin ends."""
    # Only replies go to the real standard output; a task's output goes to standard error.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        # At normal priority: with the lowest one, the attempts would exceed their time limit on busy cores.
        os.environ["MUJOCO_GL"] = find_gl(os.environ)
        unavailable = ""
    except RenderingUnavailable as error:
        unavailable = str(error)
    lower_priority(int(sys.argv[1]))
    for line in sys.stdin:
        request = loads(FilmRequest, line)
        try:
            reply = FilmReply(None, unavailable, can_draw=False) if unavailable else FilmReply(film(request))
        except EurekaError as error:
            reply = FilmReply(None, " ".join(str(error).split()), not isinstance(error, RenderingUnavailable))
        print(dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
