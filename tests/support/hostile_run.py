"""A run whose every text was written to break out of a page."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

from records import ask_for, finish
from synthetic_run import CONFIG, FIELDS, SENTENCE, Idea, train

from eureka.core.costs import Usage
from eureka.core.training import TrainingResult
from eureka.core.types import Candidate, Completion, Message, Prompt, PromptFacts, Rejected, Reward, Stage
from eureka.store import RunFacts, RunStore

MARKS = [
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 2</script>",
    "</style><img src=x onerror='window.hacked = 3'>",
    "</textarea></title></pre></code></details></svg><svg onload='window.hacked = 4'>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.hacked=5>",
    '"><iframe srcdoc="<script>parent.hacked = 6</script>">',
    "' onmouseover='window.hacked = 7",
    "<a href='javascript:window.hacked=8'>click</a> [click](javascript:window.hacked=8)",
    "![x](http://127.0.0.1:9/beacon) <img src=http://127.0.0.1:9/beacon>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    "<base href='http://127.0.0.1:9/'><form action=http://127.0.0.1:9/><input autofocus onfocus=window.hacked=9>",
    "{{ 7 * 7 }} {% raw %} ${7*7} {{ ''.__class__ }}",
    "<!-- --!> --><![CDATA[ ]]> &lt;script&gt; &#x3c;script&#x3e;",
    "\x1b[31mred\x1b[0m \x1b]8;;http://127.0.0.1:9\x07link\x1b]8;;\x07",
    "\u202efdp.exe\u202c \u2066isolate\u2069 zero\u200bwidth \ufeff",
    "\ud800 lone, \x00 nul, \x85 next line, \u2028 separator",
    "``` ~~~ # heading\n\n> quote\n| a | b |\n|---|---|",
]
"""Each of them is written out in the page, and none does anything."""
ALL = "\n".join(MARKS)


def write_hostile_run(folder: Path) -> RunStore:
    """A finished run of two generations in which everything that can be a text is `ALL`."""
    written = ALL.replace("\ud800", "")  # facts are written by people and by us, and SQLite has no lone surrogates
    facts = RunFacts(
        sentence=written,
        metric=written,
        metric_unit=MARKS[0],
        machine=written,
        unsafe=written,
        sandbox_layers={written: written},
        others={written: written},
    )
    hint = CONFIG.format(generations=2, samples=2).replace("hint: null", f"hint: {MARKS[1]!r}")
    store = RunStore.create(folder, hint, facts)
    rng = random.Random(1)
    for generation in (1, 2):
        messages = (Message("system", ALL), Message("user", ALL))
        facts_of = PromptFacts("ant", 1, generation, FIELDS, hint=SENTENCE)
        good, bad = f"g{generation:02d}-c01", f"g{generation:02d}-c02"
        ask_for(store, [good, bad], Prompt(messages, facts_of, ALL))
        source = f"def compute_reward(x):\n    '''{ALL}'''\n    return x, {{'a': x}}  # {ALL} {generation}"
        store.record_completion(Completion(good, ALL, ALL, Usage(1, 1)))
        store.record_candidate(Candidate(good, source, ("x",)))
        store.record_reward(Reward(good, str(generation), tuple(MARKS)))
        store.record_result(hostile_result(good, rng))
        store.record_completion(Completion(bad, ALL, ALL, Usage(1, 1), finish="length"))
        store.record_rejection(Rejected(bad, Stage.EXTRACT, ALL, ALL))
        store.record_completion(Completion(bad, ALL, ALL, Usage(1, 1), attempt=1, finish="refusal"))
        store.record_rejection(Rejected(bad, Stage.VERIFY, ALL, ALL))
        finish(store, generation, good)
    store.mark_finished()
    return store


def hostile_result(name: str, rng: random.Random) -> TrainingResult:
    """A training with hostile component names and with numbers that are none."""
    result = train(name, Idea((("forward_speed", 1.0),), 1.0), 1, 30, rng)
    curve, statistics = result.components["forward_speed"], result.statistics["forward_speed"]
    return dataclasses.replace(
        result,
        components=dict.fromkeys(MARKS, (float("nan"), float("inf"), *curve[2:])),
        statistics=dict.fromkeys(MARKS, dataclasses.replace(statistics, maximum=float("inf"))),
    )
