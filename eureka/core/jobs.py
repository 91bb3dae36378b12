"""The jobs that a search gives to the answers of a generation."""

from __future__ import annotations

from enum import StrEnum


class SampleJob(StrEnum):
    """What one answer is asked to do.

    EXPLOIT changes a parent on the strength of its statistics, COMBINE makes one reward of two, EXPLORE takes an idea
    unlike all before, REPAIR mends what failed promisingly, and TUNE keeps a structure and changes its constants.
    """

    EXPLOIT = "exploit"
    COMBINE = "combine"
    EXPLORE = "explore"
    REPAIR = "repair"
    TUNE = "tune"


class SearchState(StrEnum):
    """How a search stands when a generation is planned."""

    NOTHING_LEARNED = "nothing learned yet"
    ONE_LEADS = "one reward leads"
    SEVERAL_LEAD = "several rewards lead"
    PLATEAU = "no progress in the last generation"
