"""Section II of a report: groups of numbered recommendations under lead-in paragraphs.

Two ways of numbering occur. From the ninth session on items carry their paragraph's number (`116.17`, `116.17.`);
before, they are a plain list (`17.`) under each paragraph, and the numbers of paragraphs and of items run side by
side. Both are told apart line by line, by which number may come next.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.ingest.normalise.attributions import find_attributions
from services.ingest.parsers.text.blocks import Block
from services.ingest.parsers.working_group_report.languages import in_all_languages, patterns
from services.ingest.parsers.working_group_report.line_ends import joined

_DOTTED = re.compile(r"^(\d{1,3})\s?\.\s?(\d{1,3})(?:\s?\.)?(?=[\s\W]|[A-Z]|$)\s*")
_PLAIN = re.compile(r"^\(?(\d{1,3})\s?[.)]\s*(?=[^\s\d]|\d{4}|\d{1,3} |$)")
_UNDOTTED = re.compile(r"^(\d{1,3})\s+(?=[A-Z][a-z])")
"""An item of a plain list whose full stop is lost: believed only where it is the one that is due."""

_LEAD_IN = re.compile(
    in_all_languages(
        "lead_in", r"recommendations?\b|conclusions?\b|enjoys? (?:the )?support|\bexamined by\b|\bpledges?\b"
    ),
    re.IGNORECASE,
)
_CLOSING = re.compile(in_all_languages("closing", r"All (?:the )?conclusions and"), re.IGNORECASE)
"""How the last paragraph of section II begins, whatever stands before it."""

_FINISHED = re.compile(r"[.;:)\]*”\"⁰-⁹¹²³]\s*$|\)\s*\W*$|[;,]\s+(?:and|y|et)$|[).;]\s?\d{1,3}$", re.IGNORECASE)
_WINDOW = 3
"""Lines that are enough to see whether a paragraph is a lead-in."""

_GAP_BRIDGED = 3


@dataclass
class Item:
    """One numbered entry of a group, as printed. `lines` are its printed lines, the number taken off."""

    number: str
    page: int | None
    lines: list[str] = field(default_factory=list)
    last_page: int | None = None
    counted: bool = False
    """Whether the number is not printed but the entry's place in its list."""

    @property
    def text(self) -> str:
        """The entry in one line."""
        return joined(self.lines)


@dataclass
class Group:
    """A numbered paragraph of section II and the items listed under it (none under a comment).

    `paragraph` is 0 where a list stands under no paragraph and prints no numbers.
    """

    paragraph: int
    page: int | None
    lines: list[str] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)

    @property
    def lead_in(self) -> str:
        """The paragraph's own words."""
        return joined(self.lines)


def read_groups(lines: Iterable[Block]) -> list[Group]:
    """Cut section II into its groups. Whatever stands before the first paragraph is left out."""
    return _Reader(list(lines)).read()


def ends_in_attribution(text: str) -> bool:
    """Whether `text` closes with the States that made a recommendation."""
    found = find_attributions(text)
    return bool(found) and not re.search(r"\w", text[found[-1].end :])


def _is_dotted(lines: Sequence[Block]) -> bool:
    """Whether items carry their paragraph's number: some list begins so (`116.` and `116.1`), or most items do.

    One line of a plain list may begin with a number like `19.5` all the same.
    """
    dotted = [found for line in lines if (found := _DOTTED.match(line.text))]
    plain = {found[1] for line in lines if (found := _PLAIN.match(line.text))}
    return any(found[2] == "1" and found[1] in plain for found in dotted) or len(dotted) > len(plain)


class _Reader:
    """The state of reading section II: the groups so far, and whether their items are dotted or plain."""

    def __init__(self, lines: list[Block]) -> None:
        self._lines = lines
        self._groups: list[Group] = []
        self._previous = ""
        self._dotted = _is_dotted(lines)

    def read(self) -> list[Group]:
        for place, line in enumerate(self._lines):
            if not (
                self._take_item(line)
                or self._take_paragraph(place, line)
                or self._take_plain(line)
                or self._take_unnumbered(line)
            ):
                self._continue(line)
            self._previous = line.text
        return self._groups

    @property
    def _group(self) -> Group | None:
        return self._groups[-1] if self._groups else None

    def _take_item(self, line: Block) -> bool:
        """A dotted item: of the paragraph at hand, or the next in sequence under a misprinted paragraph number."""
        found = _DOTTED.match(line.text) if self._dotted else None
        if not found:
            return False
        paragraph, number = int(found[1]), int(found[2])
        group = self._group
        if group is None or (paragraph == group.paragraph + 1 and number == 1):
            self._groups.append(Group(paragraph, line.page))
        elif not self._expects(group, paragraph, number):
            return False
        self._add(f"{paragraph}.{number}", line, found.end())
        return True

    def _expects(self, group: Group, paragraph: int, number: int) -> bool:
        last = int(group.items[-1].number.rpartition(".")[2]) if group.items else 0
        if number == last + 1:
            return True
        return paragraph == group.paragraph and (number > last or self._finished())

    def _take_paragraph(self, place: int, line: Block) -> bool:
        found = _PLAIN.match(line.text)
        if not found:
            return False
        number, group = int(found[1]), self._group
        if group is None:
            opens = not self._dotted or self._is_lead_in(place)
        elif not group.paragraph < number <= group.paragraph + _GAP_BRIDGED:
            opens = False
        elif not self._finished():
            opens = bool(_CLOSING.match(line.text[found.end() :]))
        elif self._dotted:
            opens = line.text[found.end() :][:1].isupper()
        else:
            opens = not self._next_plain(group, number) or self._is_lead_in(place)
            opens = opens and (number == group.paragraph + 1 or self._is_lead_in(place))
        if opens:
            self._groups.append(Group(number, line.page, [line.text[found.end() :]]))
        return opens

    def _take_plain(self, line: Block) -> bool:
        """An item of a plain list: the next number, or a later one where the text before is finished."""
        found = None if self._dotted else _PLAIN.match(line.text) or self._undotted(line)
        group = self._group
        if not found or group is None:
            return False
        number = int(found[1])
        last = int(group.items[-1].number) if group.items else 0
        skips = last < number <= last + _GAP_BRIDGED and last > 0 and self._finished()
        if number != last + 1 and not skips:
            return False
        self._add(found[1], line, found.end())
        return True

    def _take_unnumbered(self, line: Block) -> bool:
        """A paragraph of a Word document that is a recommendation and has lost its automatic number."""
        group = self._group
        if line.page is not None or (group and group.items and not group.items[-1].counted):
            return False
        if not ends_in_attribution(line.text):
            return False
        if group is None:
            group = Group(0, None)
            self._groups.append(group)
        number = str(len(group.items) + 1)
        self._add(f"{group.paragraph}.{number}" if self._dotted and group.paragraph else number, line, 0)
        group.items[-1].counted = True
        return True

    def _undotted(self, line: Block) -> re.Match[str] | None:
        found, group = _UNDOTTED.match(line.text), self._group
        due = found and group and self._next_plain(group, int(found[1])) and self._finished()
        return found if due else None

    def _next_plain(self, group: Group, number: int) -> bool:
        last = int(group.items[-1].number) if group.items else 0
        return number == last + 1

    def _add(self, number: str, line: Block, at: int) -> None:
        self._groups[-1].items.append(Item(number, line.page, [line.text[at:]], line.page))

    def _continue(self, line: Block) -> None:
        group = self._group
        if group is None:
            return
        if group.items:
            group.items[-1].lines.append(line.text)
            group.items[-1].last_page = line.page
        else:
            group.lines.append(line.text)

    def _is_lead_in(self, place: int) -> bool:
        window = " ".join(line.text for line in self._lines[place : place + _WINDOW])
        opens = _OPENS_LEAD_IN.match(window) or _OPENS_ELSEWHERE.match(window)
        return bool(_LEAD_IN.search(window)) and bool(opens)

    def _finished(self) -> bool:
        return bool(_FINISHED.search(self._previous))


_OPENS_ELSEWHERE = re.compile(
    r"^\d{1,3}\s?[.)]\s*(?:" + "|".join(each.pattern for each in patterns("opens_lead_in")) + r")\b", re.IGNORECASE
)
"""Lead-ins in Spanish and French."""

_OPENS_LEAD_IN = re.compile(
    r"^\d{1,3}\s?[.)]\s*(?:"
    r"(?:All|Other|Both|The(?:se)?|Those|Certain|Some)?\s?(?:of )?(?:the )?(?:above[- ]|following |other |remaining )?"
    r"(?:mentioned )?(?:recommendations?|conclusions?)\b.{0,80}?"
    r"\b(?:formulated|made|noted|listed|below|contained|set out|which|that|were|was|are|is|have|did|do|will|enjoy|in"
    r"|and)\b"
    r"|In the course of|During the|With (?:regard|respect) to|The (?:response|following)\b"
    r"|[A-Z][\w’'-]+(?: [\w’'-]+){0,8}? (?:considers?|indicated|noted|takes? note|has noted|explained|rejects?|stated"
    r")\b"
    r"|(?:The )?(?:delegation|Government|State))",
    re.DOTALL,
)
