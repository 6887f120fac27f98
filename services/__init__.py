"""OpenUPR: three services around one database (docs/architecture.md)."""
