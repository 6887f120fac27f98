"""The search service's pages for people: the search page."""
