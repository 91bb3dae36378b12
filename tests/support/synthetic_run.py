"""A made-up run folder, written through the store's own API: as large as wanted, the same every time.

The numbers follow a simple model of learning, so that the report of one looks like that of a real search: candidates
get better over the generations, some are rejected, repaired, equal to earlier ones, or collect reward without doing
the task.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from records import ask_for, finish

from eureka.core.costs import Usage
from eureka.core.ids import candidate_id
from eureka.core.training import ComponentStatistics, TrainingResult
from eureka.core.types import Candidate, Completion, FieldSpec, Message, Prompt, PromptFacts, Rejected, Reward, Stage
from eureka.evaluation.data import VERSION, ComparedMethod, Comparison, Estimate, Role
from eureka.evaluation.record import write_comparison
from eureka.search.reflection import reflect
from eureka.store import RunFacts, RunStore

MODEL = "claude-sonnet-5-5"
SENTENCE = "Make the ant run forward, in the direction of the world's +x axis, as fast as possible."
FIELDS = (
    FieldSpec("forward_velocity", (), "float32", "m/s", "world", "progress along +x"),
    FieldSpec("torso_position", (3,), "float32", "m", "world", "position of the torso"),
    FieldSpec("torso_up", (3,), "float32", "1", "world", "the torso's z axis"),
    FieldSpec("action", (8,), "float32", "1", "joint", "the action of this step"),
    FieldSpec("joint_velocity", (8,), "float32", "rad/s", "joint", "velocities of the hinges"),
)
TERMS = {
    "forward_speed": "weight_forward_speed * torch.clamp(forward_velocity, -1.0, 8.0)",
    "upright": "weight_upright * torch.exp(-(1.0 - torso_up[:, 2]) / 0.2)",
    "height_band": "weight_height_band * torch.exp(-torch.abs(torso_position[:, 2] - 0.55) / 0.1)",
    "alive_bonus": "weight_alive_bonus * torch.ones_like(forward_velocity)",
    "action_cost": "-weight_action_cost * action.pow(2).sum(dim=-1)",
    "joint_speed_cost": "-weight_joint_speed_cost * joint_velocity.abs().mean(dim=-1)",
    "lateral_drift": "-weight_lateral_drift * torso_position[:, 1].abs()",
    "stride_rhythm": "weight_stride_rhythm * torch.sigmoid(joint_velocity.abs().max(dim=-1).values - 2.0)",
    "speed_squared": "weight_speed_squared * torch.relu(forward_velocity).pow(2)",
}
CONFIG = """\
task: ant
seed: 1
budget: paper
output: null
sandbox: enforced
llm:
  name: anthropic
  model: claude-sonnet-5-5
  base_url: null
  effort: null
  extra_body: null
  max_output_tokens: 16384
  max_usd: 5.0
  max_tokens: null
  max_seconds: null
  concurrency: 8
  timeout_s: 300.0
  patience_s: 300.0
  fallback: null
  fallback_base_url: null
search:
  generations: {generations}
  samples: {samples}
  finalists: 3
  confirmation_seeds: 2
  parent: best_so_far
  repairs: 2
  hint: null
train:
  steps: null
  num_envs: null
  seeds: 1
  checkpoints: 4
  eval_episodes: 8
  workers: 2
evaluation:
  seeds: 5
  steps: null
"""
FACTS = RunFacts(
    eureka="0.1.0",
    python="3.11.15",
    machine="Linux 6.18.5 x86_64",
    torch="2.13.0",
    mujoco="4.0.0",
    numpy="2.4.6",
    proposer=f"The language model {MODEL} (anthropic) writes the reward functions.",
    had_metric_access=False,
    sandbox_layers=dict.fromkeys(("no_new_privs", "rlimits", "seccomp", "landlock", "namespaces"), "on"),
    sentence=SENTENCE,
    metric="mean forward velocity over the time limit",
    metric_unit="m/s",
)


@dataclass(frozen=True)
class Idea:
    """What a made-up candidate is: its terms with their weights, how well it does, and what becomes of it."""

    terms: tuple[tuple[str, float], ...]
    quality: float
    hacks: bool = False
    broken: Stage | None = None


def source_of(terms: Sequence[tuple[str, float]]) -> str:
    """A reward function of these terms, as a model would write it."""
    inputs = [field.name for field in FIELDS if any(field.name in TERMS[name] for name, _ in terms)]
    lines = ["import torch", "", "", f"def compute_reward({', '.join(inputs)}):"]
    lines.append('    """Run forward fast, stay upright, and spend little on the way."""')
    for name, weight in terms:
        lines.append(f"    weight_{name} = {weight:.3g}")
    lines.append("")
    for name, _ in terms:
        lines.append(f"    # {name.replace('_', ' ')}")
        lines.append(f"    {name} = {TERMS[name]}")
    lines += ["", f"    total = {' + '.join(name for name, _ in terms)}", "    components = {"]
    lines += [f'        "{name}": {name},' for name, _ in terms]
    return "\n".join([*lines, "    }", "    return total, components"]) + "\n"


def answer_of(source: str, rng: random.Random) -> str:
    """An answer around the code."""
    thoughts = (
        "The statistics show that the policy keeps its balance but hardly moves, so the speed term should lead.",
        "I keep the structure, lower the cost of actions, and sharpen the temperature of the upright term.",
        "The bonus for being alive dominates the total; I scale it down so that progress decides.",
        "A band on the height keeps the ant from launching itself, which had ended many episodes early.",
    )
    return (
        f"{rng.choice(thoughts)} {rng.choice(thoughts)}\n\n```python\n{source}```\n\nEach term stays within [-2, 8].\n"
    )


def write_synthetic_run(folder: Path, generations: int = 5, samples: int = 16, updates: int = 440) -> RunStore:
    """Write a finished run of `generations` times `samples` candidates; gives its open store."""
    rng = random.Random(7)
    store = RunStore.create(folder, CONFIG.format(generations=generations, samples=samples), FACTS)
    parent: Candidate | None = None
    best_idea = Idea(draw_terms(rng), 0.9)
    scores: dict[str, float] = {}
    ideas: dict[str, Idea] = {}
    for generation in range(1, generations + 1):
        names = [candidate_id(generation, sample) for sample in range(1, samples + 1)]
        ask_for(store, names, prompt_about(store, generation, parent), parents=[parent.id] if parent else [])
        for name in names:
            ideas[name] = draw_idea(rng, best_idea if parent else None, generation, duplicate=name.endswith("c07"))
            write_candidate(store, name, ideas[name], rng)
        for reward in store.rewards(generation):
            if ideas[reward.candidate_id].broken is Stage.TRAIN:
                text = "the total became NaN after 20,480 steps"
                store.record_rejection(Rejected(reward.candidate_id, Stage.TRAIN, text, f"{text}: clamp it."))
                continue
            result = train(reward.candidate_id, ideas[reward.candidate_id], 1, updates, rng)
            store.record_result(result)
            scores[reward.candidate_id] = result.score
        best = max(scores, key=lambda name: scores[name])
        best_idea = ideas[best]
        parent = next(c for c in store.candidates() if c.id == best)
        finish(store, generation, best)
    for name in sorted(scores, key=lambda name: -scores[name])[:4]:
        for seed in (2, 3):
            store.record_result(train(name, ideas[name], seed, updates, rng))
    write_evaluation(store, best, ideas[best], updates, rng)
    store.write_file("best/reward.py", source_of(best_idea.terms))
    store.mark_finished()
    return store


def write_evaluation(store: RunStore, best: str, idea: Idea, updates: int, rng: random.Random) -> None:
    """Trainings of the best reward and of two baselines with five fresh seeds, and their comparison."""
    baselines = {"human": Idea(idea.terms[:3], 0.8 * idea.quality), "sparse": Idea(idea.terms[:1], 0.3 * idea.quality)}
    roles = {best: Role.BEST, "human": Role.HUMAN, "sparse": Role.SPARSE}
    methods = []
    for name, method_idea in {best: idea, **baselines}.items():
        results = [train(name, method_idea, seed, updates, rng) for seed in range(1000, 1005)]
        for result in results:
            store.record_evaluation(result)
        scores = tuple(result.score for result in results)
        middle = sum(sorted(scores)[1:4]) / 3
        human = name == "human"
        methods.append(
            ComparedMethod(
                role=roles[name],
                name=name,
                seeds=tuple(result.seed for result in results),
                scores=scores,
                iqm=Estimate(middle, (min(scores), max(scores))),
                improvement=None if human else Estimate(0.92 if name == best else 0.04, (0.7, 1.0)),
                normalised=Estimate(1.31, (1.18, 1.44)) if name == best else None,
                correlation=1.0 if human else 0.62,
            )
        )
    comparison = Comparison(
        version=VERSION,
        task="ant",
        metric=FACTS.metric,
        unit="m/s",
        steps=1_000_000,
        search_steps=450_560,
        eval_episodes=8,
        methods=tuple(methods),
        gap=Estimate(0.5 * idea.quality, (0.4 * idea.quality, 0.6 * idea.quality)),
        transitions=512,
    )
    write_comparison(store, comparison)


def draw_terms(rng: random.Random) -> tuple[tuple[str, float], ...]:
    """Three to six terms with their weights."""
    names = ["forward_speed", *rng.sample([name for name in TERMS if name != "forward_speed"], rng.randint(2, 5))]
    return tuple((name, rng.uniform(0.05, 2.0)) for name in names)


def draw_idea(rng: random.Random, parent: Idea | None, generation: int, *, duplicate: bool) -> Idea:
    """A first idea, or a change of the parent's."""
    if parent is None:
        quality, terms = rng.uniform(0.2, 1.3), draw_terms(rng)
    elif duplicate:
        return parent
    else:
        quality = max(parent.quality + rng.gauss(-0.05, 0.35), 0.1)
        changed = [(name, weight * rng.uniform(0.5, 1.6)) for name, weight in parent.terms]
        if rng.random() < 0.5 and len(changed) > 2:
            changed.pop(rng.randrange(1, len(changed)))
        new = [name for name in TERMS if name not in dict(changed)]
        if rng.random() < 0.6 and new:
            changed.append((rng.choice(new), rng.uniform(0.05, 1.0)))
        terms = tuple(changed)
    fate = rng.random()
    stages = {0.05: Stage.EXTRACT, 0.1: Stage.TRACE, 0.16: Stage.VERIFY, 0.19: Stage.TRAIN}
    broken = next((stage for bound, stage in stages.items() if fate < bound), None)
    return Idea(terms, quality, hacks=0.19 < fate < 0.27, broken=broken)


def prompt_about(store: RunStore, generation: int, parent: Candidate | None) -> Prompt:
    """A prompt of realistic length; from the second generation on with the parent's statistics."""
    reflection = None
    if parent is not None:
        reflection = reflect(parent, [r for r in store.results() if r.candidate_id == parent.id])
    shown = "\n".join(f"    {field.name}: {field.description} ({field.unit})" for field in FIELDS)
    user = f"The task: {SENTENCE}\n\n{shown}\n\n" + "def advance(self, carry, sim, action, rng):\n    ...\n" * 60
    if reflection is not None:
        user += f"\nTraining with {parent.id if parent else ''} gave:\n" + "\n".join(
            f"    {c.name}: {[round(point, 3) for point in c.points]}" for c in reflection.components
        )
    messages = (Message("system", "You write reward functions in Python."), Message("user", user))
    return Prompt(messages, PromptFacts("ant", 1, generation, FIELDS, reflection))


def write_candidate(store: RunStore, name: str, idea: Idea, rng: random.Random) -> None:
    """An answer, what came of it, and for some a repair."""
    source = source_of(idea.terms)
    usage = Usage(4200 + rng.randint(0, 300), 900 + rng.randint(0, 400), 3800, 250, 0.018 + rng.random() * 0.01)
    if idea.broken is Stage.EXTRACT:
        store.record_completion(Completion(name, "I would rather describe the reward in words.", MODEL, usage))
        store.record_rejection(Rejected(name, Stage.EXTRACT, "the answer has no code block", "Answer with code."))
        return
    if rng.random() < 0.12:
        wrong = source.replace("torch.clamp", "torch.clampp")
        store.record_completion(Completion(name, answer_of(wrong, rng), MODEL, usage))
        store.record_candidate(Candidate(name, wrong, inputs_of(wrong)))
        reason = "line 12: AttributeError: module 'torch' has no attribute 'clampp'"
        store.record_rejection(Rejected(name, Stage.TRACE, "the code raised AttributeError", reason))
        ask_for(store, [name], attempt=1)
        store.record_completion(Completion(name, answer_of(source, rng), MODEL, usage, attempt=1))
    else:
        store.record_completion(Completion(name, answer_of(source, rng), MODEL, usage))
    store.record_candidate(Candidate(name, source, inputs_of(source)))
    if idea.broken in (Stage.TRACE, Stage.VERIFY):
        reason = "the total has shape (num_envs, 1); it must be (num_envs,)"
        store.record_rejection(Rejected(name, idea.broken, reason, f"line 20: {reason}: squeeze the last dimension."))
        return
    graph = json.dumps({"terms": [[term, round(weight, 6)] for term, weight in idea.terms]})
    store.record_reward(Reward(name, graph, tuple(term for term, _ in idea.terms)))


def inputs_of(source: str) -> tuple[str, ...]:
    """The State fields that the source reads."""
    return tuple(field.name for field in FIELDS if field.name in source)


def train(name: str, idea: Idea, seed: int, updates: int, rng: random.Random) -> TrainingResult:
    """Curves that saturate at the idea's quality, with noise; a hacked reward rises while the metric stays."""
    final = (0.05 if idea.hacks else idea.quality) * (1 + rng.gauss(0, 0.08))
    pace = rng.uniform(0.15, 0.4)
    grown = [1 - 2.718281828 ** (-(i + 1) / updates / pace) for i in range(updates)]
    noisy = [(1 + rng.gauss(0, 0.04)) for _ in range(updates)]
    metric = tuple(final * g * n for g, n in zip(grown, noisy, strict=True))
    components = {}
    for term, weight in idea.terms:
        low, high = weight * rng.uniform(-0.1, 0.2), weight * (rng.uniform(0.5, 1.5) if "cost" not in term else -0.4)
        components[term] = tuple(low + (high - low) * g * n for g, n in zip(grown, noisy, strict=True))
    total = tuple(sum(curve[i] for curve in components.values()) for i in range(updates))
    return TrainingResult(
        candidate_id=name,
        seed=seed,
        steps=tuple(1024 * (i + 1) for i in range(updates)),
        metric=metric,
        episode_length=tuple(200 + 780 * g * min(idea.quality / 2, 1) for g in grown),
        total=total,
        components=components,
        statistics={term: statistics_of(curve, rng) for term, curve in components.items()},
        final_scores=tuple(final * (1 + rng.gauss(0, 0.05)) for _ in range(8)),
        checkpoint_scores=tuple(final * share * (1 + rng.gauss(0, 0.03)) for share in (0.5, 0.8, 0.95, 1.0)),
        policy=b"policy",
        wall_s=28 + 8 * rng.random(),
    )


def statistics_of(curve: Sequence[float], rng: random.Random) -> ComponentStatistics:
    """Moments of a curve, with a made-up share and correlation."""
    mean = sum(curve) / len(curve)
    spread = (sum((value - mean) ** 2 for value in curve) / len(curve)) ** 0.5
    return ComponentStatistics(
        mean=mean,
        minimum=min(curve),
        maximum=max(curve),
        std=spread,
        variance_share=rng.choice((0.003, 0.1, 0.25, 0.4, 0.93)),
        active_fraction=rng.choice((0.005, 0.6, 0.99, 1.0)),
        metric_correlation=rng.uniform(-0.4, 0.95),
    )
