"""Tasks by their ids, which `gymnasium.make` knows too."""

from types import SimpleNamespace

import gymnasium

REGISTERED_ENVS: dict = {}


def register_env(uid, max_episode_steps=None, override=False, asset_download_ids=(), **kwargs):
    """Register a class of environments."""

    def register(cls):
        REGISTERED_ENVS[uid] = SimpleNamespace(
            cls=cls,
            max_episode_steps=max_episode_steps,
            asset_download_ids=list(asset_download_ids),
            default_kwargs=kwargs,
        )
        gymnasium.register(uid, entry_point=cls, disable_env_checker=True, order_enforce=False, kwargs=kwargs)
        return cls

    return register
