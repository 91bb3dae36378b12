"""The page's templates, its style sheet and its script."""
