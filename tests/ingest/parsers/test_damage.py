"""Documents whose lines are lost, doubled or out of order: every parser answers or refuses, and soon."""

import random
import time
from contextlib import suppress
from pathlib import Path

import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers import PARSERS
from services.ingest.parsers.base import Content
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.parsers.text.sniff import FileType

DOCUMENTS = sorted(path for path in (Path(__file__).parent / "documents").iterdir() if path.suffix in {".pdf", ".doc"})
NOISE = (
    *("", "recommendations " + "1, " * 2000, "(" * 3000, "140.1-140." + "9" * 400, "and the " * 800, "1. " * 900),
    *("Peace, Development and " * 900, "7. Alderia (also on behalf of " + "Karvenia (also on behalf of " * 400),
    *("JS1 Joint submission 1 submitted by: " + "A (Peru), and B; " * 500, "examen de la cycle review of the " * 500),
    *("(a) Observers for non-governmental organizations: " + "Friends, Inc. and " * 700, "On behalf of Peru, " * 900),
)


def damaged(text: DocumentText, seed: int) -> DocumentText:
    chance = random.Random(seed)
    blocks = [block for block in text.blocks if chance.random() > 0.1]
    for _ in range(chance.randrange(8)):
        chance.shuffle(blocks) if chance.random() < 0.2 else blocks.insert(
            chance.randrange(len(blocks) + 1), Block(chance.choice(NOISE), chance.choice([None, 1, 2]))
        )
    return DocumentText(tuple(blocks[: chance.randrange(len(blocks) + 1)]), pages=chance.choice([None, text.pages]))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_damaged_documents(path):
    text = Content(path.name, path.read_bytes()).text
    for seed in range(25):
        content = Content(path.name, b"")
        content.__dict__.update(text=damaged(text, seed), file_type=FileType.PDF)
        for parser in PARSERS:
            started = time.monotonic()
            if parser.bid(content):
                with suppress(UnreadableDocumentError):
                    parser.read(content)
            assert time.monotonic() - started < 5, (parser.name, seed)


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_nothing_is_read_out_of_nothing(parser):
    for text in (DocumentText(()), DocumentText((Block(""),), pages=1), DocumentText((Block("Hello"),))):
        content = Content("nothing", b"")
        content.__dict__.update(text=text, file_type=FileType.PDF)
        assert parser.bid(content) == 0.0
        with pytest.raises(UnreadableDocumentError):
            parser.read(content)
