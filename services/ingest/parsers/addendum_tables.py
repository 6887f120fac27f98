"""Tables of addenda in Word: a row answers a recommendation, in a column of answers or by a tick in one of several.

Columns are known by their heads. A row that spans the table is a heading over the rows under it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from services.ingest.normalise.attributions import find_attributions
from services.ingest.parsers.addendum_answers import Answer, opening_answer, read_answer, whole_answer
from services.ingest.parsers.addendum_numbers import Numbering, Run, opening_run
from services.ingest.parsers.addendum_passages import Passage
from services.ingest.parsers.addendum_replies import Reply, read_reply
from services.ingest.parsers.addendum_words import compiled
from services.ingest.parsers.text.blocks import Table

_NUMBERS = compiled(r"^\W*(?:<number_sign>|<paragraph>|ref\w*|s/?n|item|<recommendation>\.?\s*<number_sign>)\W*$")
_TEXTS = compiled(r"\b<recommendation>")
_ANSWERS = compiled(r"\b<answer_column>\b")
_COMMENTS = compiled(r"\b<comment_column>\b")
_TICK = re.compile(r"^[\s(\[]*(?:[xX✓✔√☑☒✗✘●■◼•∗*+]|[\uf000-\uf0ff]|yes|sí|oui)[\s)\]]*$", re.IGNORECASE)
_LONGEST_VERDICT = 90
_HEAD_ROWS = 2
_TICK_COLUMNS = 2
_SECTION_LEVEL = 0.25


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column holds what. `ticks`: the columns whose head is an answer."""

    number: int | None
    text: int | None
    answer: int | None
    comment: int | None
    ticks: Mapping[int, Answer]
    head: int


def answers_in(table: Table) -> bool:
    """Whether a table's heads tell that its rows answer recommendations."""
    return _columns(table) is not None


def table_passages(table: Table, numbering: Numbering, codes: Mapping[str, Answer]) -> Iterator[Passage]:
    """The rows of a table as replies, and as headings."""
    columns = _columns(table)
    assert columns is not None
    for cells in table.rows[columns.head + 1 :]:
        if len(set(cells)) == 1 and len(cells) > 1:
            yield Passage(None, [cells[0]], level=_SECTION_LEVEL)
            continue
        row = _row(cells, columns, numbering, codes)
        if row:
            run, reply = row
            yield Passage(None, [" ".join(cells)], run=run, reply=reply)


def _columns(table: Table) -> _Columns | None:
    for at, cells in enumerate(table.rows[:_HEAD_ROWS]):
        if len(set(cells)) < _TICK_COLUMNS:
            continue
        ticks = {place: told for place, cell in enumerate(cells) if (told := _head_answer(cell))}
        number = _first(cells, _NUMBERS)
        answer = _first(cells, _ANSWERS, ticks)
        comment = _first(cells, _COMMENTS, {*ticks, answer})
        text = _first(cells, _TEXTS, {number, answer, comment, *ticks})
        if (text is None and number is None) or (answer is None and comment is None and len(ticks) < _TICK_COLUMNS):
            continue
        return _Columns(number, text, answer, comment, ticks if len(ticks) >= _TICK_COLUMNS else {}, at)
    return None


def _head_answer(cell: str) -> Answer | None:
    answer = whole_answer(" ".join(cell.split()))
    return answer if answer and answer.position else None


def _first(cells: Sequence[str], pattern: re.Pattern[str], taken: object = ()) -> int | None:
    used = set(taken) if isinstance(taken, (set, dict, tuple)) else set()
    return next(
        (at for at, cell in enumerate(cells) if at not in used and pattern.search(" ".join(cell.split()))), None
    )


def _row(
    cells: Sequence[str], columns: _Columns, numbering: Numbering, codes: Mapping[str, Answer]
) -> tuple[Run, Reply] | None:
    """The numbers of a row, and its answer."""
    text = _cell(cells, columns.text)
    run, words = _numbers(_cell(cells, columns.number), text, numbering)
    if run is None:
        return None
    printed = read_reply(words, {}, numbering) if columns.text is not None else Reply(None)
    answer = _ticked(cells, columns) or _verdict(_cell(cells, columns.answer), codes)
    if answer is None and columns.answer is None:
        answer = read_reply(_cell(cells, columns.comment), codes, numbering).answer
    text_told = printed.text or (_whole_text(words) if columns.text is not None else None)
    return run, replace(printed, answer=answer, text=text_told, of_several=False)


def _numbers(number: str, text: str, numbering: Numbering) -> tuple[Run | None, str]:
    """The numbers of a row and the words of its recommendation: the text's own number before that of the row."""
    own = opening_run(text, numbering)
    if own:
        return own, text[own.end :]
    given = opening_run(number, replace(numbering, in_table=True))
    if given is None or (numbering.is_dotted and all(each.isdecimal() for each in given.numbers)):
        return None, text
    return given, text


def _ticked(cells: Sequence[str], columns: _Columns) -> Answer | None:
    """The one column that bears a tick."""
    ticked = [answer for at, answer in columns.ticks.items() if _TICK.match(_cell(cells, at))]
    return ticked[0] if len(ticked) == 1 else None


def _verdict(cell: str, codes: Mapping[str, Answer]) -> Answer | None:
    flat = " ".join(cell.split())
    if flat in codes:
        return codes[flat]
    opened = whole_answer(flat) or opening_answer(flat)
    return opened or (read_answer(flat) if len(flat) <= _LONGEST_VERDICT else None)


def _whole_text(words: str) -> str | None:
    flat = " ".join(words.split()).strip(' .;:“”"«»')
    return flat if len(flat.split()) > _TICK_COLUMNS and not find_attributions(flat) else None


def _cell(cells: Sequence[str], at: int | None) -> str:
    return cells[at] if at is not None and at < len(cells) else ""
