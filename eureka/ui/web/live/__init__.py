"""The report of a run as a page that is served on this machine and follows the run while it goes on.

Nothing here writes into a run folder or holds its database open between two looks at it, so that a page can be opened
and closed, and the server started and stopped, at any time.
"""
