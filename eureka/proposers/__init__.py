"""Who writes the reward functions: the `Proposer` protocol and what stands behind it."""
