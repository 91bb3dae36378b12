"""MetaWorld's handle-press-side: a handle that stands sideways is to be pressed down."""

from __future__ import annotations

from eureka.tasks.shared.handle import PressedHandle


class HandlePressSide(PressedHandle):
    """The handle stands at the table's left."""

    PLACE_LOW, PLACE_HIGH = (-0.35, 0.65, -0.001), (-0.25, 0.75, 0.001)
