"""Managers: always scaled by the control step, and classes of terms have a base class."""

from stand_in import RewardTerms, TermCfg


class RewardTermCfg(TermCfg):
    """A term of the table."""


class ManagerTermBase:
    """Base of terms that are classes."""

    def __init__(self, cfg, env):
        self.cfg, self._env = cfg, env

    def reset(self, env_ids=None):
        pass


class RewardManager(RewardTerms):
    """The reward manager."""

    def __init__(self, cfg, env):
        super().__init__(cfg, env)

    def check_class(self, cls):
        if not issubclass(cls, ManagerTermBase):
            raise TypeError(f"{cls.__name__} is no ManagerTermBase")
