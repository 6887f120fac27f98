"""Word documents as files: the same bytes whenever the same is written."""

import io
import zipfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from docx.document import Document

WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MADE = (1980, 1, 1, 0, 0, 0)
"""The time of all members of the archive."""


def save_document(document: "Document", file: IO[bytes]) -> None:
    """Write a document into a file."""
    written = io.BytesIO()
    document.save(written)
    with zipfile.ZipFile(written) as made, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as kept:
        for member in made.infolist():
            kept.writestr(zipfile.ZipInfo(member.filename, _MADE), made.read(member), zipfile.ZIP_DEFLATED)
