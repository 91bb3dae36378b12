"""The jobs that a search gives to the answers of a generation."""

from __future__ import annotations

from enum import StrEnum


class SampleJob(StrEnum):
    """What one answer is asked to do.

    EXPLOIT changes a parent according to its statistics, COMBINE merges two rewards, EXPLORE tries an idea unlike all
    earlier ones, REPAIR fixes a promising reward that failed, and TUNE keeps a structure and changes its constants.
    """

    EXPLOIT = "exploit"
    COMBINE = "combine"
    EXPLORE = "explore"
    REPAIR = "repair"
    TUNE = "tune"


class SearchState(StrEnum):
    """The state of a search when a generation is planned."""

    NOTHING_LEARNED = "nothing learned yet"
    ONE_LEADS = "one reward leads"
    SEVERAL_LEAD = "several rewards lead"
    PLATEAU = "no progress in the last generation"
