"""The web application: live pages with the reports of runs, and a person's review of a run's policies.

A page of a run writes nothing into the run folder and opens its database only while reading, so that pages can be
opened and closed, and the server started and stopped, at any time. A review writes the answer to a file, which the run
reads.
"""
