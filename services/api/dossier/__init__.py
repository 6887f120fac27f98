"""Dossiers: all that is held of one State on one topic, cycle by cycle, to read, to print and to work with.

- `models`: the public shape.
- `content`: how it is put together from the store.
- `word_document`: the same as a Word document, with numbered references.
"""
