"""A person's judgement of a generation: what is shown, how the person is asked, and the answer.

The run is the only writer of `run.db`. It writes the material to review into a folder, and a page, a terminal or a file
puts the answer there, which the run then records.
"""
