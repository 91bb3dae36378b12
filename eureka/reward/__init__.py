"""Reward graphs: model-written reward code traced in the sandbox, verified here, compiled to straight-line torch.

- `runtime`: the graph's format, its fixed op table and `compile_graph`; needs only torch, and can be copied elsewhere.
- `trace`: the child side, the only code that runs a candidate's source; used inside the sandbox only. `source` loads
  and rewrites the code, `watch`, `recorder` and `resolvers` record its operations, `lower` makes a graph of two
  recordings, `explain` words its failures, `canonical` writes the graph's text.
- `shapes`, `verify`: the checks on a graph that nobody vouches for; `trial` runs it for the first time, in a process
  of its own.
- `service`: `RewardVerifier`, which takes a `Candidate` through all of it; `wire` carries the messages, `warm_up` is
  the sandbox's preload.
- `settings`: a reward with many settings of its named constants at once.
- `trusted`: the graphs of functions that the host trusts, a task's own.
"""
