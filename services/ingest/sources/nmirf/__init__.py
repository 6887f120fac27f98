"""National mechanisms for implementation, reporting and follow-up."""
