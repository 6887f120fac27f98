"""Press releases of the Inter-American Commission on Human Rights that sum up the hearings of a period."""
