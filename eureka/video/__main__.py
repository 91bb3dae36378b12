"""`python -m eureka.video TO.mp4 NICENESS`, with a VideoJob as JSON on stdin: films, and gives a Video as JSON."""

import os
import sys
from pathlib import Path

from eureka.errors import EurekaError
from eureka.serialize import dumps, loads
from eureka.video.job import VideoJob


def main() -> None:
    """Film one job. What is wrong is the last line on stderr."""
    os.nice(int(sys.argv[2]))
    from eureka.video.render import render_rollout

    try:
        video = render_rollout(loads(VideoJob, sys.stdin.read()), Path(sys.argv[1]))
    except EurekaError as error:
        sys.exit(" ".join(str(error).split()))
    sys.stdout.write(dumps(video))


if __name__ == "__main__":
    main()
