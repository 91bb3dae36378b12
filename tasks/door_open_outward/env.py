"""Door open outward: both hands are to push a closed double door open."""

from __future__ import annotations

from eureka.tasks.shared.door import Door


class DoorOpenOutward(Door):
    """The leaves swing away from the hands."""

    INWARD = False
    IS_OPEN = False
