"""What a verified reward graph tells before a second of training is spent.

- `structure`: which State fields each component reads, how it enters the total, and terms that no component reports.
- `behaviour`: constant, saturated and dominating components, and values that are about to become infinite.
- `parameters`: the named constants, and how much each of them matters.
- `ranking`: whether the reward orders recorded trajectories as the task metric does.
- `fingerprint`: whether two rewards are the same, or the same but for a factor; `screening` uses it in a run.
- `told`: what the graph adds to a trained candidate's Reflection, and so to the next prompt.
- `analyse`: all of it about one reward, for a page on the terminal.
"""
