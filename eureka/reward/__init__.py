"""Model-written reward code: taken from answers, traced in the sandbox to a reward graph, verified, analysed, exported.

- `extract`: finds a reward function in a model's answer.
- `graph`: what a reward graph is. `operations` is the table of everything that a graph may do, `format` and `parse`
  its text, `runtime` runs it, `shapes`, `rows` and `verify` check an untrusted one.
- `trace`: makes a graph of a candidate's code, inside the sandbox. `source` loads the code, `watch`, `recorder` and
  `resolvers` record its operations, `lower` makes one graph of two recordings, `explain` words failures. `service` is
  the entry point: `RewardVerifier` takes a `Candidate` through all stages, and `trial` runs a new graph for the first
  time in a process of its own. `trusted` traces a task's own functions here.
- `analysis`: what a verified reward does; `diagnosis` reports findings.
- `export`: writes a graph as readable torch code.
"""
