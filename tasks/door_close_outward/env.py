"""Door close outward: both hands are to pull an open double door shut by its handles."""

from __future__ import annotations

from eureka.tasks.shared.door import Door


class DoorCloseOutward(Door):
    """The leaves stand open on the other side, a long way from the hands."""

    INWARD = False
    IS_OPEN = True
    TOO_FAR_M = 3.0
    OFFSET = 6.0
