"""Pages and tables like those of the sites that tell facts: written by us, of invented States, with the same traps."""
