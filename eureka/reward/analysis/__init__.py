"""Analysis of a verified reward graph before any training.

- `structure`: which State fields each component reads, how it enters the total, and terms that no component reports.
- `behaviour`: constant, saturated and dominating components, and values that are about to become infinite.
- `parameters`: the named constants, and how much each of them matters.
- `ranking`: whether the reward orders recorded trajectories as the task metric does.
- `fingerprint`: whether two rewards are the same, or the same but for a factor; `screening` uses it in a run.
- `diagnosis`: what stands out, in a training, in a graph and on recorded transitions; `thresholds` has its numbers.
- `analyse`: all of it about one reward; `confined` does so in a process of the sandbox.
"""
