"""Judge what the policies of a generation do: `eureka review`."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Annotated

import typer

from eureka.app.commands.common import RunFolder, app
from eureka.ui.console import line


@app.command()
def review(
    folder: RunFolder,
    plain: Annotated[bool, typer.Option("--plain", help="Ask here in the terminal instead of by a page.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The page's port; 0: any that is free.")] = 0,
) -> None:
    """Judge what the policies of a generation do, where the run waits for it (search.feedback=ask).

    It serves a page on this machine with their films side by side, which goes on from generation to generation. What
    you choose and write goes into the next prompt, and your best is the next generation's parent.
    """
    if plain:
        from eureka.ui.web.review.terminal import review_in_terminal

        review_in_terminal(folder)
        return
    from eureka.ui.web.review.state import review_state
    from eureka.ui.web.server import open_browser, serving

    review_state(folder)
    with suppress(KeyboardInterrupt), serving(folder, port=port) as ready:
        address = ready.review_address
        line(f"review it at {address} (Ctrl-C ends this; in the terminal: eureka review {folder} --plain)")
        open_browser(address, os.environ)
        ready.run()
