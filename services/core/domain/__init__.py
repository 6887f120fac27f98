"""The field itself, in plain Python: no I/O, no third-party imports."""
