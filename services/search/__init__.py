"""The search service: indexes the records and answers full-text and faceted queries."""
