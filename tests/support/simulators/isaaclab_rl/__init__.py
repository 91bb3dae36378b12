"""Libraries that train."""
