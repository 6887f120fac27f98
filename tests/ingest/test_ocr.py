"""Letters of pages that are pictures, where `tesseract` is installed."""

import io
import random
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
from sqlalchemy import Engine

from services.core.domain.errors import UnreadableDocumentError
from services.core.store.archive import Archive
from services.core.store.documents import DOCUMENTS
from services.core.store.engine import make_engine
from services.ingest.ocr import RecognisingSandbox, installed_recogniser, sandbox_of
from services.ingest.reading import Reading
from services.ingest.runs import issues_of, run_files
from services.ingest.settings import IngestSettings

LETTERS = Path(__file__).parent / "parsers" / "documents"

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None or installed_recogniser() is None,
    reason="tesseract is not installed, or has none of the languages English, Spanish and French",
)


def pictures_of(file: Path, folder: Path, *, noise: float = 0.0) -> Path:
    """The same pages as pictures without any text, as a scanner makes them."""
    dice = random.Random(1)
    made = pypdfium2.PdfDocument.new()
    with pypdfium2.PdfDocument(file) as document:
        for page in document:
            width, height = page.get_size()
            bitmap = page.render(scale=150 / 72, grayscale=True)
            for _ in range(int(noise * len(bitmap.buffer))):
                bitmap.buffer[dice.randrange(len(bitmap.buffer))] = dice.choice((0, 255))
            image = pypdfium2.PdfImage.new(made)
            image.set_bitmap(bitmap)
            image.set_matrix(pypdfium2.PdfMatrix().scale(width, height))
            blank = made.new_page(width, height)
            blank.insert_obj(image)
            blank.gen_content()
    out = io.BytesIO()
    made.save(out)
    made.close()
    picture = folder / file.name
    picture.write_bytes(out.getvalue())
    return picture


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RecognisingSandbox]:
    recogniser = installed_recogniser()
    assert recogniser is not None
    with RecognisingSandbox(recogniser, 1) as pool:
        yield pool


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


@needs_tesseract
def test_a_scanned_letter_is_read_and_marked(sandbox: RecognisingSandbox, engine: Engine, tmp_path: Path) -> None:
    scan = pictures_of(LETTERS / "costamar-letter.pdf", tmp_path)
    archive = Archive(tmp_path / "kept")
    [step] = run_files(engine, [scan], sandbox, archive, source="test", backfill_after=timedelta(days=180))
    assert step.error is None
    with engine.connect() as connection:
        [document] = DOCUMENTS.where(connection)
    [file] = document.files
    assert document.kind == "letter"
    assert file["ocr"]["engine"] == "tesseract"
    assert file["ocr"]["confidence"] > 0.8
    [issue] = issues_of(engine, code="recognised_text")
    assert "mean confidence of" in issue["detail"]


@needs_tesseract
def test_what_is_recognised_says_what_the_print_says(sandbox: RecognisingSandbox, tmp_path: Path) -> None:
    printed = LETTERS / "senlara-letter-es.pdf"
    folder = tmp_path / "scans"
    folder.mkdir()
    plain, scanned = (outcome.result for outcome in sandbox.read_all([printed, pictures_of(printed, folder)]))
    assert isinstance(plain, Reading)
    assert isinstance(scanned, Reading)
    assert (plain.document.ocr, scanned.document.state_under_review) == (None, plain.document.state_under_review)
    assert (scanned.document.language, scanned.document.cycle) == (plain.document.language, plain.document.cycle)


@needs_tesseract
def test_what_is_hardly_legible_is_refused(sandbox: RecognisingSandbox, tmp_path: Path) -> None:
    [outcome] = sandbox.read_all([pictures_of(LETTERS / "costamar-letter.pdf", tmp_path, noise=0.35)])
    assert isinstance(outcome.result, UnreadableDocumentError)
    assert outcome.result.code in {"ocr_unsure", "no_text"}


def test_it_is_off_unless_asked_for(tmp_path: Path) -> None:
    scan = pictures_of(LETTERS / "costamar-letter.pdf", tmp_path)
    with sandbox_of(IngestSettings(), workers=1) as usual:
        assert not isinstance(usual, RecognisingSandbox)
        [outcome] = usual.read_all([scan])
    assert isinstance(outcome.result, UnreadableDocumentError)
    assert outcome.result.code == "no_text"


def test_without_tesseract_pages_stay_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.ocr.installed_recogniser", lambda: None)
    with sandbox_of(IngestSettings(ocr=True)) as usual:
        assert not isinstance(usual, RecognisingSandbox)
