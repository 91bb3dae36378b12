"""A person's judgement of a generation: what they are shown, how they are asked, and what they answered.

The run is the only writer of `run.db`. It writes what there is to review into a folder, and a page, a terminal or a
file leaves the answer there, which the run then records.
"""
