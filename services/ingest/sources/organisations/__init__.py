"""Organisations that people ask for: coalitions, institutions, cities; from a file of facts of our own."""
