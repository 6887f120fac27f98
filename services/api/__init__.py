"""The API service: serves the records as JSON, the feed of changes, and webhooks."""
