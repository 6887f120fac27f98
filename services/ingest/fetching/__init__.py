"""How the files of others are fetched: politely, within bounds, and never twice without a reason."""
