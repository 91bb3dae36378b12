"""A small part of `benchmarks/fuzz_graphs.py`, what it tells of harm and crashes, and the result that is kept."""

import json
import os
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import fuzz_graphs as fuzz
import fuzz_step
import pytest
from result_files import COMMITTED

from eureka.reward.graph.operations import OPS
from eureka.reward.trace.wire import unpack
from eureka.sandbox import Failed, Finished, Sandbox

GRAPHS = 2000


@pytest.fixture(scope="module")
def material():
    return fuzz.real_graphs()


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(fuzz_step.PRELOAD, fuzz.LIMITS, import_path=[Path(fuzz.__file__).parent]) as sandbox:
        yield sandbox


@pytest.mark.process
@pytest.mark.timeout(900)
def test_graphs_of_every_kind_do_no_harm(material, sandbox):
    tally = fuzz.fuzz_block(material, 1, 7, sandbox, GRAPHS)
    assert tally.graphs == GRAPHS
    assert tally.verdicts["malformed"] > 0.1 * GRAPHS
    assert tally.verdicts["accepted"] > 0.1 * GRAPHS
    assert tally.verdicts["accepted, passed and trained with"] > 0.1 * GRAPHS
    assert not [verdict for verdict in tally.verdicts if "breaks" in verdict], tally.verdicts
    assert tally.harm == tally.crashes == []
    assert tally.slowest_check_s < 1.0
    assert 0.0 < tally.slowest_step_s < 1e-3


@pytest.fixture
def spoilt(material, monkeypatch):
    """Puts something into an operation of the first real graph; gives that graph's text."""
    document = material.documents[0]
    op = next(node["op"] for node in document["nodes"] if OPS[node["op"]].outputs == 1)

    def spoil(deed):
        function = OPS[op].function
        spoilt = replace(OPS[op], function=lambda *a, **k: (deed(), function(*a, **k))[1])
        monkeypatch.setitem(OPS, op, spoilt)
        return json.dumps(document)

    return spoil


@pytest.mark.process
def test_the_hook_hears_of_harm(spoilt):
    text = spoilt(lambda: Path(__file__).read_bytes())
    heard = get_context("fork").SimpleQueue()
    fork = get_context("fork").Process(target=_harm, args=(text, heard))
    fork.start()
    (harm,) = heard.get()
    fork.join()
    assert "open" in harm


def _harm(text, heard):
    fuzz_step._hear()
    tried = fuzz_step.FuzzResults()
    fuzz_step.try_all([text], tried)
    heard.put(tried.harm)


class _Breaks:
    """A sandbox whose process dies of one graph."""

    def __init__(self, guilty):
        self._guilty = guilty

    def run(self, target, payload):
        del target
        if self._guilty in unpack(payload).body["graphs"]:
            return Failed("killed", "The code crashed its process (SIGFPE).")
        return Finished(fuzz_step.try_graphs(payload), 0.0)


@pytest.mark.process
def test_a_graph_that_breaks_its_process_is_told_from_its_company(material):
    sound, other, guilty = (json.dumps(document) for document in material.documents[:3])
    tally = fuzz.Tally()
    fuzz.try_accepted([sound, guilty, other], _Breaks(guilty), tally)
    assert tally.verdicts == {
        "accepted, passed and trained with": 2,
        "accepted, and breaks its confined process: killed": 1,
    }
    assert tally.slowest_step_s > 0.0


@pytest.mark.process
def test_a_graph_that_the_parent_dies_of_is_told(material, sandbox, monkeypatch):
    monkeypatch.setattr(fuzz, "judge", lambda *_: os._exit(9))
    tally = fuzz.fuzz_block(material, 0, 3, sandbox, 5)
    (crash,) = tally.crashes
    text = fuzz.Forger(material.documents, [f.name for f in material.fields], "3/0").text()
    assert crash == f"the parent died with exit code 9 of: {text}"
    assert "graphs that the parent died of: 1" in fuzz.lines(tally, 3)


def test_the_result_is_kept_and_gone_on_with(tmp_path):
    path = tmp_path / "fuzz.json"
    assert fuzz.read_result(path, 0) == fuzz.Tally()
    tally = fuzz.Tally(2000, seconds=3.0)
    tally.verdicts["malformed"] = 2000
    fuzz.write_result(path, 0, tally)
    assert fuzz.read_result(path, 0) == tally
    with pytest.raises(SystemExit, match="is of seed 0 in blocks of 2000"):
        fuzz.read_result(path, 1)


RESULT = COMMITTED / fuzz.FILE


@pytest.mark.skipif(not RESULT.exists(), reason="the long run has not been made")
def test_the_long_run_found_nothing():
    tally = fuzz.read_result(RESULT, json.loads(RESULT.read_text())["seed"])
    assert tally.graphs >= 200_000
    assert sum(n for verdict, n in tally.verdicts.items() if not verdict.startswith("accepted,")) == tally.graphs
    assert tally.verdicts["accepted"] > 0.1 * tally.graphs
    assert tally.harm == tally.crashes == []
    assert tally.slowest_check_s < 1.0
    assert tally.slowest_step_s < 1e-3
