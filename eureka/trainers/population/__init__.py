"""Training rewards: population PPO, its workers, evaluation."""
