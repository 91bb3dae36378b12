"""Door close outward: both hands are to pull an open double door shut by its handles."""

from __future__ import annotations

from eureka.tasks.shared.door import Door


class DoorCloseOutward(Door):
    """The leaves stand open on the other side, a long way from the hands."""

    INWARD, IS_OPEN = False, True
    TOO_FAR_M, OFFSET = 3.0, 6.0
