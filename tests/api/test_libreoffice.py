"""What we write opens in LibreOffice, and says there what it says here (`make test-office`).

A file that would have to be repaired is none that it converts without asking: it says that it cannot be loaded.
"""

import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine

from tests.api.dossier.test_dossiers import BROWSER, numbers_in, numbers_of, subjects, words_of_pdf
from tests.api.site import Site, open_site
from tests.records import fill

OFFICE = shutil.which("soffice")

pytestmark = [
    pytest.mark.office,
    pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not here: apt install libreoffice-writer -calc -draw"),
]


@pytest.fixture
def site(engine: Engine, database_url: str) -> Iterator[Site]:
    with engine.begin() as connection:
        fill(connection, seed=5, each=12, recommendations=150)
    with open_site(database_url) as site:
        yield site


def converted(file: Path, form: str, reader: str | None = None) -> Path:
    """A file as LibreOffice reads it, in another form; `reader` is its filter where it has several."""
    assert OFFICE is not None
    profile = f"-env:UserInstallation={(file.parent / 'profile').as_uri()}"
    chosen = [f"--infilter={reader}"] if reader else []
    folder = file.parent / f"{file.suffix[1:]}-as-{form.partition(':')[0]}"
    done = subprocess.run(
        [OFFICE, profile, "--headless", *chosen, "--convert-to", form, "--outdir", str(folder), str(file)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    made = folder / f"{file.stem}.{form.partition(':')[0]}"
    assert made.exists(), f"{file.name} does not open: {done.stdout}{done.stderr}"
    return made


def kept(folder: Path, name: str, content: bytes) -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def test_a_dossier_says_the_same_everywhere(site: Site, tmp_path: Path) -> None:
    state, topic = subjects(site)[0]
    told = numbers_of(site.json(f"/v1/dossiers/{state}/{topic}", lang="es"))
    assert told
    page = site.client.get(f"/dossier/{state}/{topic}?lang=es", headers=BROWSER).text
    word, pdf = (
        kept(tmp_path, f"dossier.{suffix}", site.get(f"/dossier/{state}/{topic}.{suffix}?lang=es").content)
        for suffix in ("docx", "pdf")
    )
    body = LexborHTMLParser(page).body
    said = {
        "page": body.text() if body else "",
        "PDF": words_of_pdf(pdf.read_bytes()),
        "DOCX as text": converted(word, "txt:Text (encoded):UTF8").read_text("utf-8-sig"),
        "DOCX as PDF": words_of_pdf(converted(word, "pdf").read_bytes()),
    }
    assert {form: numbers_in(text) for form, text in said.items()} == dict.fromkeys(said, told)
    drawn = zipfile.ZipFile(converted(pdf, "odg", "draw_pdf_import")).read("content.xml").decode()
    with closing(pypdfium2.PdfDocument(pdf.read_bytes())) as held:
        assert drawn.count("<draw:page ") == len(held)


def test_a_matrix_says_the_same_everywhere(site: Site, tmp_path: Path) -> None:
    reviews = site.rows("/v1/reviews", limit=200)
    counts = {each["id"]: site.json("/v1/recommendations", review=each["id"])["total"] for each in reviews}
    review = max(counts, key=counts.__getitem__)
    rows = site.rows("/v1/recommendations", review=review, limit=200)
    for suffix in ("docx", "xlsx"):
        file = kept(tmp_path, f"matrix.{suffix}", site.get(f"/v1/reviews/{review}/matrix.{suffix}").content)
        text = _text_of(converted(file, "pdf"))
        assert all(_squeezed(row["text"]) in text for row in rows)
        assert f"{len(rows)}(" in text


def _text_of(pdf: Path) -> str:
    with closing(pypdfium2.PdfDocument(pdf.read_bytes())) as held:
        pages: list[Any] = list(held)
        return _squeezed("".join(page.get_textpage().get_text_bounded() for page in pages))


def _squeezed(text: str) -> str:
    return re.sub(r"[\s\u00ad\u2010\ufffe-]", "", text)


def test_a_broken_file_is_told_from_a_whole_one(tmp_path: Path) -> None:
    """So that the tests above say something."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("word/document.xml", "<w:document>")
    with pytest.raises(AssertionError, match="does not open"):
        converted(kept(tmp_path, "broken.docx", made.getvalue()), "pdf")
