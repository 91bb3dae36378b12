"""The reward manager."""

from copy import deepcopy

from stand_in import RewardTerms, TermCfg


class RewardTermCfg(TermCfg):
    """A term of the table; keywords alone, and a weight must be given."""

    def __init__(self, *, func, weight, params=None):
        super().__init__(func=func, weight=weight, params=dict(params or {}))


class RewardManager(RewardTerms):
    """Keeps a copy of the table of its own, as mjlab's does."""

    def __init__(self, cfg, env, *, scale_by_dt=True):
        super().__init__(deepcopy(cfg), env, scale_by_dt)
