"""Proposers, which write the reward functions: the `Proposer` protocol and its implementations."""
