"""How a process runs: settings, logs, HTTP manners, workers, the embedded database."""
