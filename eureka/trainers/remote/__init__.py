"""Manager-based environments in an interpreter of the user's own: mjlab and Isaac Lab, trained there by rsl_rl."""
