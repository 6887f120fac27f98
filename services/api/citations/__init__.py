"""Citations of records, lists and counts, as plain text, BibTeX and CSL-JSON."""
