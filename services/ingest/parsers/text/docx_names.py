"""Names of elements and attributes in Word documents (ECMA-376 part 1), as XML libraries write them.

python-docx has the same function; but a service that reads no document itself should not load all of it for a name.
"""

_WORDPROCESSING = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def qn(name: str) -> str:
    """`{namespace}p` for `w:p`. Raises `ValueError` for another prefix."""
    prefix, _, local = name.partition(":")
    if prefix != "w":
        raise ValueError(f"{name}: only names that begin with w: are known")
    return f"{{{_WORDPROCESSING}}}{local}"
