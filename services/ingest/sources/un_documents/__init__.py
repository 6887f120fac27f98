"""The documents of every review, by their symbols, from the United Nations' document server."""
