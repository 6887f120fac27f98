"""What a file that was fetched is called: by its address, if that names a file, else as the source calls it."""

import re
from urllib.parse import unquote, urlsplit

_FILE = re.compile(r"[\w() .~+-]{1,150}\.[A-Za-z0-9]{2,5}")
_ODD = re.compile(r"[^\w.()+~-]+")
_SUFFIXES = {"doc_ole2": "doc", "text": "txt", "unknown": "bin"}


def file_name(address: str, name: str, kind: str | None) -> str:
    """A name that ends in what the file is (`kind`, as `Fetched` has it), so that people can open it."""
    last = unquote(urlsplit(address).path.rpartition("/")[2])
    suffix = f".{_SUFFIXES.get(kind, kind)}" if kind else ""
    if _FILE.fullmatch(last) and (not suffix or last.lower().endswith(suffix)):
        return last
    return f"{_ODD.sub('-', name).strip('-.')[:150] or 'file'}{suffix}"
