"""Public hearings of the Inter-American Commission on Human Rights."""
