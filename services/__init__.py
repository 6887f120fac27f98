"""OpenUPR: three services around one database (docs/architecture.md)."""

__version__ = "0.1.0"
