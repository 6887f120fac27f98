"""What the search service answers, one module a noun."""
