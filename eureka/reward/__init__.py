"""Reward graphs: model-written reward code traced in the sandbox, verified here, compiled to straight-line torch.

- `runtime`: the graph's format, its fixed op table and `compile_graph`; needs only torch, and can be copied elsewhere.
- `trace`: the child side, the only code that runs a candidate's source; used inside the sandbox only. `source` loads
  and rewrites the code, `watch` and `recorder` record its operations, `lower` makes a graph of two recordings,
  `explain` words its failures, `canonical` writes the graph's text.
- `verify`: the parent's checks on a graph that it did not write.
- `service`: `RewardVerifier`, which takes a `Candidate` through all of it; `wire` carries the messages.
"""
