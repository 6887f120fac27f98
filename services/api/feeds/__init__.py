"""The latest changes for people: entries in words, as Atom and as JSON Feed."""
