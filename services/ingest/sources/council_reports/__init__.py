"""The Human Rights Council's reports on its sessions, and its decisions on the outcomes of reviews."""
