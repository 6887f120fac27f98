"""What the tests of ingest share."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def real_documents() -> Path:
    """The folder of real UN documents, which stands beside the repository and is no part of it."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real documents are not at {folder}")
    return folder


@pytest.fixture
def samples() -> Path:
    """The folder of the documents that the project wrote itself."""
    return REPOSITORY / "samples" / "documents"
