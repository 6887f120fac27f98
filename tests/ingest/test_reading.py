"""Nothing that a reading tells is lost without a word: `docs/ingest.md` says what becomes of each member."""

import re
from collections import defaultdict
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

from services.ingest.reading import Reading

DOCS = Path(__file__).parents[2] / "docs" / "ingest.md"
OF_THE_FILE = {"parser", "parser_version"}


def _documented() -> dict[str, set[str]]:
    section = DOCS.read_text(encoding="utf-8").partition("## What becomes of what was read")[2].partition("\n## ")[0]
    members: dict[str, set[str]] = defaultdict(set)
    part = ""
    for first, second in re.findall(r"^\| (.*?) ?\| (.*?) \| .*\|$", section, re.MULTILINE):
        part = first.strip(" `") or part
        members[part] |= set(re.findall(r"`(\w+)`", second))
    return members


def test_every_member_of_a_reading_is_accounted_for() -> None:
    told = _documented()
    hints = get_type_hints(Reading)
    for part in fields(Reading):
        if part.name not in OF_THE_FILE:
            kinds = [hints[part.name], *get_args(hints[part.name])]
            kind = next(each for each in kinds if hasattr(each, "__dataclass_fields__"))
            assert told[part.name] == {member.name for member in fields(kind)}, part.name
