"""A stand-in for mjlab: the names that Eureka and its packages use. It loads entry points, as mjlab does."""

from importlib.metadata import entry_points

for _entry_point in entry_points(group="mjlab.tasks"):
    _entry_point.load()
