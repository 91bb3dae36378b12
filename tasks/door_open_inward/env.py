"""Door open inward: both hands are to pull a closed double door open by its handles."""

from __future__ import annotations

from eureka.tasks.shared.door import Door


class DoorOpenInward(Door):
    """The leaves swing to the hands."""

    INWARD = True
    IS_OPEN = False
