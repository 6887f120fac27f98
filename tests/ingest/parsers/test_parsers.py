"""Choosing a parser, and what every parser reads in the samples."""

from pathlib import Path

import orjson
import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers import PARSERS, read_document
from services.ingest.parsers.base import Content
from services.ingest.reading import Reading, reading_from
from tests.ingest.parsers.documents.write import main as write

GOLDEN = Path(__file__).parent / "golden"
DOCUMENTS = Path(__file__).parent / "documents"
WRITTEN = sorted(path.name for path in DOCUMENTS.iterdir() if path.suffix not in {".py", ".toml", ".pyc", ""})
SAMPLES = ("costamar-matrix.docx", "costamar-report.pdf", "tierralta-report.pdf")


def read(path: Path) -> Reading:
    return read_document(Content(path.name, path.read_bytes()))


def as_golden(reading: Reading, name: str) -> bytes:
    return orjson.dumps(reading.as_line(name), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_read_as_in_their_golden_files(samples, matches_golden, name):
    matches_golden(GOLDEN / f"{name}.json", as_golden(read(samples / name), name))


@pytest.mark.parametrize("name", WRITTEN)
def test_documents_written_here_are_read_as_in_their_golden_files(matches_golden, name):
    matches_golden(GOLDEN / f"{name}.json", as_golden(read(DOCUMENTS / name), name))


def test_the_documents_are_what_their_script_writes(tmp_path):
    write(tmp_path)
    for name in WRITTEN:
        assert (tmp_path / name).read_bytes() == (DOCUMENTS / name).read_bytes(), name


@pytest.mark.parametrize("name", WRITTEN)
def test_only_one_parser_bids_highest_for_a_document_written_here(name):
    content = Content(name, (DOCUMENTS / name).read_bytes())
    bids = sorted((parser.bid(content) for parser in PARSERS), reverse=True)
    assert bids[0] >= 0.9
    assert bids[1] < bids[0]


def test_every_sample_has_a_golden_file(samples):
    assert sorted(path.name for path in samples.iterdir()) == list(SAMPLES)


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_every_parser_has_a_golden_file(parser):
    goldens = [orjson.loads(path.read_bytes()) for path in GOLDEN.glob("*.json")]
    assert any((g["parser"], g["parser_version"]) == (parser.name, parser.version) for g in goldens)


def test_parsers_have_different_names():
    assert len({parser.name for parser in PARSERS}) == len(PARSERS)


def test_only_one_parser_bids_for_a_sample(samples):
    for name in SAMPLES:
        content = Content(name, (samples / name).read_bytes())
        assert sum(parser.bid(content) > 0 for parser in PARSERS) == 1


@pytest.mark.parametrize("name", WRITTEN)
def test_a_reading_survives_json(name):
    reading = read(DOCUMENTS / name)
    assert reading_from(orjson.loads(orjson.dumps(reading))) == reading


def test_a_sample_s_reading_survives_json(samples):
    reading = read(samples / SAMPLES[0])
    assert reading_from(orjson.loads(orjson.dumps(reading))) == reading


def test_a_document_of_no_known_kind(real_documents):
    with pytest.raises(UnreadableDocumentError) as refusal:
        read(real_documents / "slovenia" / "cycle4" / "infographic-slovenia.pdf")
    assert refusal.value.code == "unknown_kind"


def test_a_file_s_own_fault_is_told_before_any_bid():
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_document(Content("report.pdf", b""))
    assert refusal.value.code == "empty_file"
