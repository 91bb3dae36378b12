"""Lines of text in a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_LINES_PER_PICTURE = 22


def write_lines(picture: NDArray[np.uint8], lines: Sequence[str]) -> NDArray[np.uint8]:
    """A copy of `picture`, (height, width, 3), with `lines` in its upper left corner: white with a dark edge."""
    size = max(10, picture.shape[0] // _LINES_PER_PICTURE)
    image = Image.fromarray(picture)
    ImageDraw.Draw(image).multiline_text(
        (size / 2, size / 2),
        "\n".join(lines),
        fill="white",
        font=ImageFont.load_default(size),
        spacing=size // 4,
        stroke_width=max(1, size // 10),
        stroke_fill="black",
    )
    return np.asarray(image)
