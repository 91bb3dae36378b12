"""Trainer for manager-based environments in the user's own interpreter: mjlab and Isaac Lab, trained there by
rsl_rl."""
