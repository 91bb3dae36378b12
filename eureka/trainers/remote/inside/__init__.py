"""The code that runs in the other interpreter: Python 3.10 or newer, torch, the simulator and rsl_rl, without the rest
of this package.
"""
