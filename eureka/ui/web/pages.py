"""The pages of the server: the report of each run and the list of all runs, rendered when they have changed."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from eureka.config.settings import stored_settings
from eureka.core.errors import EurekaError
from eureka.store import RunStore, find_runs, is_run
from eureka.ui.report import RunEntry, render_report, render_runs
from eureka.ui.report.headline import headline
from eureka.ui.report.reading import read_run
from eureka.ui.web.runs import version

_SCRIPT = files("eureka.ui.web").joinpath("live.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Page:
    """A page's HTML, the version it was made from, and the CPU seconds of its rendering."""

    html: str
    version: str
    cost_s: float


class Pages:
    """Renders a page once for every version of its content; safe to use from several threads.

    Args:
        has_reviews: whether the review of a run is served too, so that its page links to it.
    """

    def __init__(self, root: Path, *, has_reviews: bool = False) -> None:
        self._root = root
        self._has_reviews = has_reviews
        self._pages: dict[str, Page] = {}
        self._entries: dict[str, tuple[str, RunEntry]] = {}
        # One lock per page, so that a slow folder from an untrusted source does not block the other pages.
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def run(self, name: str, folder: Path) -> Page:
        """The report of a run.

        Raises:
            StoreError: the run cannot be read.
        """

        def render(script: str) -> str:
            with RunStore.open(folder, read_only=True) as store:
                asks = self._has_reviews and stored_settings(store.config_yaml).get("search.feedback") == "ask"
                return render_report(store, script.replace("PAGE_REVIEW", "review/" if asks else ""))

        return self._page(name, version(folder), render)

    def overview(self) -> Page:
        """The list of all runs, each with its result."""
        runs = find_runs(self._root)

        def render(script: str) -> str:
            return render_runs(self._listed(runs), script.replace("PAGE_REVIEW", ""))

        return self._page("", overview_version(runs), render)

    def cost_s(self, name: str) -> float:
        """The CPU seconds of the last rendering of a page; the list's name is empty."""
        page = self._pages.get(name)
        return page.cost_s if page else 0.0

    def _page(self, name: str, present: str, render: Callable[[str], str]) -> Page:
        with self._locks[name]:
            page = self._pages.get(name)
            if page is None or page.version != present:
                # CPU time, not wall time: during a training the process may wait for a core for much longer.
                started = time.thread_time()
                # The version is taken before reading: a change in between causes one extra rendering, but is never
                # missed.
                overview = "" if name == "" or is_run(self._root) else "../../"
                html = render(_SCRIPT.replace("PAGE_VERSION", present).replace("PAGE_OVERVIEW", overview))
                page = self._pages[name] = Page(html, present, time.thread_time() - started)
        return page

    def _listed(self, runs: Mapping[str, Path]) -> list[RunEntry]:
        entries = []
        for name, folder in runs.items():
            present = version(folder)
            known = self._entries.get(name)
            if known is None or known[0] != present:
                known = self._entries[name] = (present, _entry(name, folder))
            entries.append(known[1])
        return entries


def overview_version(runs: Mapping[str, Path]) -> str:
    """The `version` of all runs together."""
    text = "\n".join(f"{name} {version(folder)}" for name, folder in runs.items())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _entry(name: str, folder: Path) -> RunEntry:
    shown = name.replace("~", "/")
    try:
        with RunStore.open(folder, read_only=True) as store:
            run = read_run(store)
            finished = len(store.finished_generations())
    except EurekaError as error:
        return RunEntry(name, shown, "", "cannot be read", str(error))
    state = "finished" if run.is_finished else f"{finished} of {run.generations_wanted} generations"
    return RunEntry(name, shown, run.task, state, headline(run).sentence)
