"""The text of a document as parsers see it: blocks in reading order, each with its page."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph (DOCX) or one printed line (PDF).

    `page` counts from 1 and is None where the format has no pages. `style` is the Word style's name. `size`
    is the font size in points where known, `x` the left edge in points, for telling footnotes and columns
    apart. `label` is the number that Word itself puts in front of the paragraph (`6.17`), which is not in
    `text`; None where it puts none, or a bullet.
    """

    text: str
    page: int | None = None
    style: str | None = None
    bold: bool = False
    size: float | None = None
    x: float | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a Word document: rows of cells, each cell's paragraphs joined by a newline.

    Merged cells repeat. `blocks_before` counts the document's blocks that stand before the table. `starts` holds for
    each row the columns at which its printed cells begin, where that is known.
    """

    rows: tuple[tuple[str, ...], ...]
    blocks_before: int = 0
    starts: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentText:
    """All of a document's text.

    `properties` holds what the format itself declares (title, created, modified). `running_heads` are the
    lines of page headers, then of page footers, each once, where the format keeps them apart from the text
    (DOCX).
    """

    blocks: tuple[Block, ...]
    tables: tuple[Table, ...] = ()
    pages: int | None = None
    properties: dict[str, str] = field(default_factory=dict)
    running_heads: tuple[str, ...] = ()
