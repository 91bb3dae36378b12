"""Changes a parent program according to its Reflection, with one rule per candidate of a generation."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from eureka.core.diagnosis import DiagnosisKind
from eureka.core.types import ComponentReflection, Reflection
from eureka.proposers.program_search.draw import (
    MAX_TERMS,
    Library,
    draw_drive,
    draw_program,
    draw_regulariser,
    draw_secondary,
    is_redundant,
    log_uniform,
    preferences,
    rounded,
)
from eureka.proposers.program_search.source import Program, Term
from eureka.reward.analysis.diagnosis import of_training, rise
from eureka.reward.analysis.thresholds import FLAT_RISE

# Squares, sums of squares, and norms of one field.
_PENALISED = re.compile(r"torch\.(square\(|sum\(|linalg\.vector_norm\(\w+,)")
Role = Literal["drive", "regulariser", "constant"]


@dataclass(frozen=True)
class Proposal:
    """A program, and sentences on what was changed and why."""

    program: Program
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ParentProgram:
    """The input of a rule: the parent's terms (after repairs), its Reflection, and the library of features."""

    terms: tuple[Term, ...]
    reflection: Reflection
    lib: Library
    rng: Random

    def component(self, term: Term) -> ComponentReflection | None:
        """The term's statistics; None where the Reflection has none of that name."""
        return next((c for c in self.reflection.components if c.name == term.name), None)

    def shows(self, term: Term, kind: DiagnosisKind) -> bool:
        """Whether the training has this diagnosis for the term's component."""
        return any(found.component == term.name and found.kind is kind for found in of_training(self.reflection))

    def correlation(self, term: Term) -> float:
        """The component's correlation with the metric; 0 where unknown."""
        component = self.component(term)
        return (component.metric_correlation or 0.0) if component else 0.0

    def of_role(self, *roles: Role) -> list[Term]:
        """The terms of these roles, the most correlated with the metric first."""
        return sorted((t for t in self.terms if role(t) in roles), key=lambda t: -self.correlation(t))

    def with_term(self, old: Term, new: Term | None) -> Program:
        """The program with one term changed, or dropped where `new` is None."""
        changed = [new if t is old else t for t in self.terms]
        return Program(tuple(t for t in changed if t is not None))


Rule = Callable[[ParentProgram], Proposal | None]


def role(term: Term) -> Role:
    """The role of a term, from its form: a square or a norm is a regulariser, everything else a drive."""
    if not term.quantity:
        return "constant"
    return "regulariser" if _PENALISED.match(term.quantity) else "drive"


def is_flat(reflection: Reflection) -> bool:
    """Whether the task metric did not rise over the training."""
    return rise([point for point in reflection.metric_points if math.isfinite(point)]) < FLAT_RISE


def mutate(program: Program, reflection: Reflection, lib: Library, index: int, rng: Random) -> Proposal:
    """Candidate `index` (from 1) of the generation after `program`: its own rule, or the next one that applies.

    The first candidate only rescales; for the others dead and harmful components go first.
    """
    flat = is_flat(reflection)
    parent = ParentProgram(program.terms, reflection, lib, rng)
    repaired = Proposal(program, ()) if index == 1 else _repaired(parent)
    if not any(role(t) != "constant" for t in repaired.program.terms):
        return Proposal(draw_program(lib, rng), (*repaired.reasons, "Nothing useful was left, so I start afresh."))
    parent = replace(parent, terms=repaired.program.terms, lib=_without_dropped(parent, repaired.program))
    rules = _BOLD if flat else _CAREFUL
    notes = (_flat_sentence(reflection),) if flat and index != 1 else ()
    for step in range(len(rules)):
        proposal = rules[(index - 1 + step) % len(rules)](parent)
        if proposal is not None:
            return Proposal(_ordered(proposal.program), (*notes, *repaired.reasons, *proposal.reasons))
    return Proposal(draw_program(lib, rng), (*notes, "No rule applied, so I start afresh."))


def _flat_sentence(reflection: Reflection) -> str:
    if not reflection.metric_points:
        return "No task metric says what to keep, so I make a larger change."
    first, best = reflection.metric_points[0], reflection.metric_max
    return f"The task metric stayed flat ({first:.3g} at the start, {best:.3g} at best), so I make a larger change."


def _without_dropped(parent: ParentProgram, repaired: Program) -> Library:
    """The library without the features just found useless, so that they are not drawn again at once."""
    dropped = {t.quantity for t in parent.terms if t not in repaired.terms}
    left = tuple(f for f in parent.lib.features if f.quantity not in dropped)
    return replace(parent.lib, features=left) if left else parent.lib


def _ordered(program: Program) -> Program:
    """The program with the constant last and at most MAX_TERMS terms."""
    terms = [t for t in program.terms if role(t) != "constant"]
    constant = [t for t in program.terms if role(t) == "constant"]
    return Program((*terms[: MAX_TERMS - len(constant)], *constant))


def _repaired(parent: ParentProgram) -> Proposal:
    kept, reasons = [], []
    for term in parent.terms:
        fault = _fault(parent, term)
        if fault is None:
            kept.append(term)
        else:
            reasons.append(f"I drop {term.name}: {fault}.")
    return Proposal(Program(tuple(kept)), tuple(reasons))


_DEAD = (DiagnosisKind.COMPONENT_FLAT, DiagnosisKind.COMPONENT_RARE, DiagnosisKind.COMPONENT_CONSTANT)


def _fault(parent: ParentProgram, term: Term) -> str | None:
    component = parent.component(term)
    if component is None or role(term) == "constant":
        return None
    if any(parent.shows(term, kind) for kind in _DEAD):
        return f"it hardly changed (standard deviation {component.std:.3g}, active {component.active_fraction:.0%})"
    if role(term) == "drive" and parent.shows(term, DiagnosisKind.COMPONENT_OPPOSES):
        return f"it moves against the task metric (correlation {parent.correlation(term):.2f})"
    return None


def _rescale(parent: ParentProgram) -> Proposal | None:
    """Scale a dominating term down or a negligible drive up; where there is neither, scale the best term a little."""
    for term in parent.of_role("drive", "regulariser"):
        component = parent.component(term)
        share = (component.variance_share if component else None) or 0.0
        told = f"{share:.0%} of the total's variance, correlation with the metric {parent.correlation(term):.2f}"
        if parent.shows(term, DiagnosisKind.COMPONENT_DOMINATES):
            return _scaled(parent, term, parent.rng.uniform(0.2, 0.4), f"it dominates ({told})")
        if role(term) == "drive" and parent.shows(term, DiagnosisKind.COMPONENT_NEGLIGIBLE):
            return _scaled(parent, term, parent.rng.uniform(2.0, 5.0), f"it is negligible ({told})")
    best = parent.of_role("drive", "regulariser")[0]
    return _scaled(parent, best, log_uniform(parent.rng, 1.2, 2.0), "nothing is out of proportion, a small step")


def _scaled(parent: ParentProgram, term: Term, factor: float, reason: str) -> Proposal:
    new = replace(term, weight=rounded(term.weight * factor))
    text = f"I change {term.name}_weight from {term.weight:.3g} to {new.weight:.3g}: {reason}."
    return Proposal(parent.with_term(term, new), (text,))


def _retune(parent: ParentProgram) -> Proposal | None:
    """Change the temperature, saturation or target of a term."""
    for term in parent.of_role("drive", "regulariser"):
        if term.scale is None:
            continue
        scale = rounded(term.scale * parent.rng.choice((0.5, 0.7, 1.5, 2.0)))
        new = replace(term, scale=scale)
        text = f"I change the width of {term.name} from {term.scale:.3g} to {scale:.3g}"
        if term.target and parent.rng.random() < 0.5:
            new = replace(new, target=rounded(term.target * parent.rng.choice((1.25, 1.5, 2.0))))
            text += f" and its target from {term.target:.3g} to {new.target:.3g}, so that there is more to gain"
        return Proposal(parent.with_term(term, new), (f"{text}.",))
    return None


def _prune(parent: ParentProgram) -> Proposal | None:
    """Drop the term with the smallest share of the total's variance, but not the main drive."""
    spare = [t for t in parent.of_role("drive", "regulariser") if t not in parent.of_role("drive")[:1]]
    if len(parent.terms) < 3 or not spare:
        return None

    def says(term: Term) -> float:
        component = parent.component(term)
        return abs(component.variance_share or 0.0) if component else 0.0

    least = min(spare, key=says)
    text = f"I leave out {least.name}: with {says(least):.1%} of the total's variance it says least."
    return Proposal(parent.with_term(least, None), (text,))


def _add_drive(parent: ParentProgram) -> Proposal | None:
    return _added(parent, draw_secondary(parent.lib, parent.terms, parent.rng), "a weaker drive beside the main one")


def _add_penalty(parent: ParentProgram) -> Proposal | None:
    return _added(parent, draw_regulariser(parent.lib, parent.terms, parent.rng), "a small penalty for smoother motion")


def _added(parent: ParentProgram, term: Term | None, why: str) -> Proposal | None:
    if term is None or len(parent.terms) >= MAX_TERMS:
        return None
    return Proposal(Program((*parent.terms, term)), (f"I add {term.name}, {why}.",))


def _rescale_penalties(parent: ParentProgram) -> Proposal | None:
    """Scale all penalties and the constant against the drives."""
    if not parent.of_role("drive") or not parent.of_role("regulariser", "constant"):
        return None
    factor = log_uniform(parent.rng, 0.25, 0.7) if parent.rng.random() < 0.6 else log_uniform(parent.rng, 1.4, 2.5)
    terms = [t if role(t) == "drive" else replace(t, weight=rounded(t.weight * factor)) for t in parent.terms]
    return Proposal(
        Program(tuple(terms)), (f"I scale the penalties and the bonus by {factor:.2g} against the drives.",)
    )


def _replace_main(parent: ParentProgram) -> Proposal | None:
    """Replace the main drive by another."""
    drives = parent.of_role("drive")
    free = [f for f in parent.lib.drives if not is_redundant(f, parent.terms)]
    if not drives or not free:
        return None
    old = drives[0]
    feature = parent.rng.choices(free, preferences(parent.lib, free))[0]
    new = draw_drive(parent.lib, feature, parent.rng, log_uniform(parent.rng, 0.7, 2.0))
    return Proposal(parent.with_term(old, new), (f"I replace {old.name} by {new.name} as the main drive.",))


def _flip(parent: ParentProgram) -> Proposal | None:
    """Reverse the main drive, where its direction was a guess."""
    for term in parent.of_role("drive"):
        feature = parent.lib.feature_of(term.quantity)
        if feature and feature.directed and not parent.lib.correlation_of(feature):
            new = replace(term, target=-term.target) if term.target else replace(term, weight=-term.weight)
            return Proposal(parent.with_term(term, new), (f"I turn {term.name} round: its direction was a guess.",))
    return None


def _fresh(parent: ParentProgram) -> Proposal | None:
    return Proposal(draw_program(parent.lib, parent.rng), ("I try a fresh reward.",))


_CAREFUL: tuple[Rule, ...] = (_rescale, _rescale_penalties, _prune, _add_drive, _retune, _add_penalty)
_BOLD: tuple[Rule, ...] = (_rescale, _replace_main, _fresh, _flip)
