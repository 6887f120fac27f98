"""Damaged and hostile files, through the whole of `upr ingest load`: sandbox, merge, PostgreSQL, and what is shown."""

import random
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.core.domain.errors import UnreadableDocumentError
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.reading import Reading
from services.ingest.runs import Step, run_files
from services.ingest.sandbox import Sandbox, SandboxLimits
from tests.effort import examples
from tests.ingest.fuzz import hostile
from tests.ingest.fuzz.mutations import mutations_of

pytestmark = pytest.mark.soak

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted(
    path
    for folder in ("samples/documents", "tests/ingest/parsers/documents")
    for path in (ROOT / folder).iterdir()
    if path.suffix in {".pdf", ".docx", ".doc"}
)
EXPORTS = sorted(path for path in (ROOT / "tests/ingest/datasets/samples").iterdir() if path.suffix != ".md")
LIMITS = SandboxLimits(deadline_seconds=30)
CODES = frozenset(re.findall(r"`([a-z_]+)`", (ROOT / "docs/ingest.md").read_text(encoding="utf-8")))


def read_honestly(content: Content) -> Reading:
    """Read as ever, and make sure that what was found stands in the file."""
    reading = read_document(content)
    printed = _letters(" ".join([*(block.text for block in content.text.blocks), *_cells(content)]))
    for record in (*reading.recommendations, *reading.pledges, *reading.statements):
        words = [_letters(word) for word in (record.text or "").split()]
        missing = [word for word in words if word not in printed]
        if len(missing) > 1 + len(words) // 10:
            raise AssertionError(f"made up: {record.text!r}: {missing}")
    return reading


def _cells(content: Content) -> Iterator[str]:
    return (cell for table in content.text.tables for row in table.rows for cell in row)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


def mutants(folder: Path, originals: list[Path], count: int, seed: int) -> list[Path]:
    """Files made of the originals, each by one to three mutations."""
    files = []
    for number in range(count):
        dice = random.Random(f"{seed} {number}")
        original = originals[number % len(originals)]
        data = original.read_bytes()
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            try:
                data = dice.choice(mutations_of(data))(data, dice) or b"\x00"
            except Exception:  # noqa: BLE001 - what is broken already cannot be broken by its structure
                continue
        files.append(folder / f"{number:05}-{original.name}")
        files[-1].write_bytes(data)
    return files


def loaded(engine: Engine, files: list[Path], folder: Path) -> list[Step]:
    """Every file is read and stored; the batch goes through to its end."""
    with Sandbox(2, limits=LIMITS, read=read_honestly) as sandbox:
        steps = list(
            run_files(engine, files, sandbox, Archive(folder), source="fuzz", backfill_after=timedelta(days=180))
        )
    done = [step for step in steps if step.share is None]
    assert [step.path for step in done] == files
    return done


def faults(steps: list[Step]) -> list[str]:
    """Files that were answered with a fault of ours: a parser's exception, a hang, a code that no page explains."""
    refused = [(step.path.name, step.error) for step in steps if step.error is not None]
    return [f"{name}: [{error.code}] {error.detail}" for name, error in refused if _is_a_fault(error)]


def _is_a_fault(error: UnreadableDocumentError) -> bool:
    if error.code == "not_storable":  # a symbol that another review's document bears is the file's fault
        return "already exists" not in error.detail
    ours = error.code == "parse_crashed" and re.search(r"(Error|made up)", error.detail) is not None
    return ours or error.code == "parse_timeout" or error.code not in CODES


def test_mutated_documents(engine: Engine, tmp_path: Path) -> None:
    files = mutants(tmp_path, DOCUMENTS, examples(90), seed=1)
    assert faults(loaded(engine, files, tmp_path / "kept")) == []


def test_mutated_exports(engine: Engine, tmp_path: Path) -> None:
    workbook = tmp_path / "uhri.xlsx"
    workbook.write_bytes(
        hostile.workbook(
            ("Stop torture", "Peru", "CAT", "CAT/C/1", "7"),
            ("140.1 Ratify it (Chile)", "Peru", "UPR", "A/HRC/22/15", "8"),
        )
    )
    files = mutants(tmp_path, [*EXPORTS, workbook], examples(40), seed=2)
    assert faults(loaded(engine, files, tmp_path / "kept")) == []


@pytest.mark.parametrize("made", [hostile.documents, hostile.exports])
def test_hostile_files(made: Callable[[], Iterator[tuple[str, bytes]]], engine: Engine, tmp_path: Path) -> None:
    files = []
    for name, content in made():
        files.append(tmp_path / name)
        files[-1].write_bytes(content)
    assert faults(loaded(engine, files, tmp_path / "kept")) == []
