"""Door close inward: both hands are to push an open double door shut."""

from __future__ import annotations

from eureka.tasks.shared.door import Door
from eureka.tasks.shared.two_hands import HandPose


class DoorCloseInward(Door):
    """The leaves stand open to the side of the hands, which are beside them."""

    RIGHT_HAND = HandPose((0.9, 0.5, 0.6), (3.1416, 1.5708, 1.5708))
    LEFT_HAND = HandPose((0.9, -0.5, 0.6), (3.1416, -1.5708, 1.5708))
    INWARD = True
    IS_OPEN = True
