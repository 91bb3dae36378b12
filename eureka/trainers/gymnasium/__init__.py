"""Trainer for Gymnasium environments with Stable-Baselines3; independent of MuJoCo."""
