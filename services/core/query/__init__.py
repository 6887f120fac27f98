"""One filter vocabulary and one query language for search, lists, feed and webhooks."""
