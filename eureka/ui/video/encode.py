"""Encodes frames to an mp4 that browsers play, writes poster pictures, and draws lines of text into frames."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from eureka.core.errors import VideoError
from eureka.store.files import temporary_name

_LINES_PER_PICTURE = 22


class Mp4Writer:
    """Writes (height, width, 3) uint8 RGB frames: H.264, yuv420p, index in front.

    The file appears when the context ends without an error; until then it has a temporary name in the same folder.

    Raises:
        VideoError: the file cannot be written, or the size cannot be encoded.
    """

    def __init__(self, path: Path, width: int, height: int, fps: Fraction, crf: int = 24) -> None:
        self.frames = 0
        self._path = path
        self._partial = temporary_name(path)
        options = {"crf": str(crf), "preset": "veryfast"}
        try:
            self._container = av.open(str(self._partial), "w", format="mp4", options={"movflags": "faststart"})
            self._stream = self._container.add_stream("libx264", rate=fps, options=options)
        except (OSError, ValueError) as error:
            raise VideoError(f"{path}: the video cannot be written: {error}") from error
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.thread_count = 1

    def add(self, frame: NDArray[np.uint8]) -> None:
        """Append one frame."""
        self._encode(av.VideoFrame.from_ndarray(frame, format="rgb24"))
        self.frames += 1

    def _encode(self, frame: av.VideoFrame | None) -> None:
        """Encode one frame, or flush the encoder if None."""
        try:
            self._container.mux(self._stream.encode(frame))
        except OSError as error:
            raise VideoError(f"{self._path}: the video cannot be written: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._encode(None)
                self._container.close()
                os.replace(self._partial, self._path)
            else:
                self._container.close()
        except OSError as failure:
            raise VideoError(f"{self._path}: the video cannot be written: {failure}") from failure
        finally:
            self._partial.unlink(missing_ok=True)


def save_poster(picture: NDArray[np.uint8], path: Path) -> None:
    """Write the poster of a video as JPEG.

    Raises:
        VideoError: the file cannot be written.
    """
    try:
        Image.fromarray(picture).save(path, quality=85)
    except OSError as error:
        raise VideoError(f"{path}: the poster frame cannot be written: {error}") from error


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
