"""MetaWorld's handle-press: a handle is to be pressed down."""

from __future__ import annotations

from eureka.tasks.shared.handle import PressedHandle


class HandlePress(PressedHandle):
    """The handle stands in front of the arm."""

    PLACE_LOW, PLACE_HIGH = (-0.1, 0.8, -0.001), (0.1, 0.9, 0.001)
