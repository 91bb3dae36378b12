"""What several of the tasks that ship here have in common: bodies, scenes, rewards."""
