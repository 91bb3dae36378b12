"""Tasks of other packages."""

from importlib.metadata import entry_points


def load_external_tasks():
    for entry_point in entry_points(group="isaaclab.tasks"):
        entry_point.load()
