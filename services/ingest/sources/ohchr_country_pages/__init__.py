"""OHCHR's page on each State's reviews: documents by cycle, submissions, and draft reports."""
