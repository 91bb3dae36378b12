"""Other trainers and environments, and our own one process at a time: what `benchmarks/bench.py` measures against.

Each module is one of them. Those that train are run as processes, `python -m peers.NAME JSON`, two at a time, and say
on stdout how far they are; `measuring` starts them and makes rates of what they say.
"""
