"""Pages for people: what templates, styles and words the services share.

A page is HTML made on the server from the very values that the JSON of the same resource shows. It needs no script
(what there is makes it quicker to use), loads nothing from elsewhere, sets no cookie, and is in the reader's language.

- `words`: every word of the interface in four languages (`words.toml`), and numbers and dates as people write them.
- `addresses`: the address of a page with one parameter more or less.
- `rendering`: templates, the headers of pages, and faults as pages.
- `charts`: pictures of counts, as SVG.
"""
