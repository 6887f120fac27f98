"""Archives that are not as they should be, read by zipfile itself."""

import io
import zipfile
from collections.abc import Callable

import pytest

from services.core.runtime.zip_damage import ZIP_DAMAGE


def _archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("text.xml", "Ratify the Convention. " * 50)
    return content.getvalue()


def _with(in_local: int, in_directory: int, value: int) -> bytes:
    """The archive with another number of two bytes in the heads of its one member."""
    changed, directory = bytearray(_archive()), _archive().index(b"PK\1\2")
    for place in (in_local, directory + in_directory):
        changed[place : place + 2] = value.to_bytes(2, "little")
    return bytes(changed)


@pytest.mark.parametrize(
    ("damaged", "raised"),
    [
        (lambda: _with(8, 10, 99), NotImplementedError),  # a way of packing that zipfile does not know
        (lambda: _with(6, 8, 1), RuntimeError),  # a password is needed
        (lambda: _archive()[:60], zipfile.BadZipFile),
    ],
)
def test_what_zipfile_raises_is_known_as_damage(damaged: Callable[[], bytes], raised: type[Exception]) -> None:
    with pytest.raises(ZIP_DAMAGE) as fault, zipfile.ZipFile(io.BytesIO(damaged())) as archive:
        archive.read("text.xml")
    assert fault.type is raised
