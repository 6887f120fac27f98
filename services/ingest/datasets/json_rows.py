"""The objects of a JSON array, one after the other, however long it is."""

from collections.abc import Iterator
from pathlib import Path

import ijson

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.datasets.base import Json

_BUFFER = 2**18
_UTF8_MARK = b"\xef\xbb\xbf"


def json_rows(path: Path, prefix: str) -> Iterator[Json]:
    """What stands at `prefix` (ijson's: `item`, `rows.item`). A value that is no object comes as an empty one.

    Raises `UnreadableDocumentError` (`damaged_json`) where the JSON is cut off or none.
    """
    with path.open("rb") as stream:
        if stream.read(len(_UTF8_MARK)) != _UTF8_MARK:
            stream.seek(0)
        try:
            for row in ijson.items(stream, prefix, buf_size=_BUFFER, use_float=True):
                yield row if isinstance(row, dict) else {}
        except (ijson.JSONError, UnicodeDecodeError, ValueError, OverflowError) as error:
            raise UnreadableDocumentError("damaged_json", f"the JSON is damaged or cut off: {error}") from error
