"""The paragraphs of a review's documents, each with a name of its own and what it cites as printed."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from services.core.store.paragraphs import Citation, ParagraphRecord, paragraph_id, paragraph_sort_key
from services.ingest.merge.sources import SourceReading, split_superseded

_NOT_IN_ANCHORS = re.compile(r"[^A-Za-z0-9.]+")


def paragraph_records(review: str, readings: Iterable[SourceReading], *, sample: bool = False) -> list[ParagraphRecord]:
    """The paragraphs of all files that no later one replaced. Their citations are not resolved yet."""
    current, _ = split_superseded(readings)
    return [record for source in current for record in _of_file(review, source, sample=sample)]


def _of_file(review: str, source: SourceReading, *, sample: bool) -> Iterator[ParagraphRecord]:
    said = source.reading.document
    anchors = _anchors(each.number for each in source.reading.paragraphs)
    for ordinal, (told, anchor) in enumerate(zip(source.reading.paragraphs, anchors, strict=True), 1):
        yield ParagraphRecord(
            id=paragraph_id(source.document, source.language, anchor),
            document=source.document,
            sort_key=paragraph_sort_key(source.document, source.language, ordinal),
            review=review,
            state_under_review=said.state_under_review or "",
            cycle=said.cycle or 0,
            document_kind=said.kind,
            language=source.language,
            number=told.number,
            heading=told.heading,
            text=told.text,
            page=told.page,
            citations=[
                Citation(printed=cited.number, cycle=cited.cycle, recommendations=[]) for cited in told.recommendations
            ],
            recommendations=(),
            file=source.file["sha256"],
            parser=source.reading.parser,
            parser_version=source.reading.parser_version,
            sample=sample,
        )


def _anchors(numbers: Iterable[str | None]) -> Iterator[str]:
    """The printed number; with `~2`, `~3` … where it was printed before, and `~` and the place where there is none."""
    seen: Counter[str] = Counter()
    for place, number in enumerate(numbers, 1):
        name = _NOT_IN_ANCHORS.sub("-", number or "").strip("-.")
        seen[name] += 1
        yield f"~{place}" if not name else name if seen[name] == 1 else f"{name}~{seen[name]}"
