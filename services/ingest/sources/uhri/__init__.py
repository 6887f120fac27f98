"""OHCHR's Universal Human Rights Index, as its full export."""
