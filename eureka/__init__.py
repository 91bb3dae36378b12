"""Eureka: language models write reward functions, populations of policies show which ones work."""

__version__ = "0.1.0"
