"""Videos of policies, rendered without a screen in a separate process."""
