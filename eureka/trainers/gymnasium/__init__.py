"""Gymnasium environments, trained by Stable-Baselines3; knows nothing of MuJoCo."""
