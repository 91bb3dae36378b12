"""Files that tasks need: there are none here."""

DATA_GROUPS: dict = {"PickStone-v1": ["stones"]}


def expand_data_group_into_individual_data_source_ids(group):
    """The sources of a group."""
    return DATA_GROUPS[group]


def is_data_source_downloaded(source):
    """Whether a source's files are there."""
    return False
