"""The web application: the reports of runs as pages that follow them, and a person's review of a run's policies.

A page of a run writes nothing into the run folder and holds its database open only while it reads, so that it can be
opened and closed, and the server started and stopped, at any time. A review leaves the answer as a file for the run.
"""
