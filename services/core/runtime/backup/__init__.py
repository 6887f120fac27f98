"""`upr admin backup` and `upr admin restore`: the whole store in one file, and back.

- `programs`: PostgreSQL's own programs, found in a version that fits, and told the password in their environment.
- `contents`: what is in a backup: its manifest, and how it is checked.
- `writing`, `restoring`: the two ways.
"""
