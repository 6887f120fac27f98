"""Recommendations that section II only points at: "those noted in the report in paragraphs 35 (b), 43 (a) (ii) and 80".

Until 2010 what a State rejected was often left out of the lists: it stands in section I alone, in the words of the
statement, and section II gives paragraphs and letters. Later reports point the other way, from a comment to numbers of
their own lists ("recommendations Nos. 93.2 and 93.40 above have already been implemented").
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from services.core.domain.positions import Position
from services.ingest.normalise.positions import PrintedPosition, read_detail, read_position
from services.ingest.normalise.states import leading_state
from services.ingest.parsers.working_group_report.completing import treaty_head
from services.ingest.parsers.working_group_report.furniture import without_footnote_marks
from services.ingest.parsers.working_group_report.groups import Group
from services.ingest.parsers.working_group_report.segments import (
    lacks_object,
    opens_with_verb,
    segment_of,
    without_addressee,
)
from services.ingest.parsers.working_group_report.skeleton import Paragraph
from services.ingest.parsers.working_group_report.statements import speaker_of
from services.ingest.reading import ReadIssue, ReadRecommendation

_POINTS = re.compile(r"\bparagraphs?\s*(?=\d)|\brecommendations?\s+(?:Nos?\.?\s*)?(?=\d{1,3}\s*\([a-z])", re.IGNORECASE)
_ABOUT_RECOMMENDATIONS = re.compile(r"recommendations?\b", re.IGNORECASE)
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d{1,3})(?![\d.])|\((?P<letters>[a-z](?:\s*(?:,|and)\s*[a-z])*)\)|\((?P<roman>[ivx]{2,4})\)"
    r"|(?P<joint>,|;|/|–|-|\band\b|\bto\b)|(?P<last>\blast sentence\b)|(?P<skip>\b(?:in )?paragraphs?\b|\babove\b))"
)
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_LETTER_MARK = re.compile(r"(?<![\w(])\(?([a-z])\)\s*(?=\S)")
_ROMAN_MARK = re.compile(r"(?<![\w(])\(([ivx]{1,4})\)\s*(?=\S)")
_SENTENCE = re.compile(r"(?<=[\w)”’\"])(?<!\bMs)(?<!\bMr)(?<!\bMrs)(?<!\bDr)(?<!\bNo)(?<!\bSt)\.\s+(?=[A-Z])")
_SENTENCE_OF_LEAD_IN = re.compile(r"(?<=[a-z\d)])[.:]\s+(?=[A-Z])")
_RECOMMENDS = re.compile(
    r"\b(?:recommend(?:ed|s|ing)?|recommendations?|encourag(?:ed|es|ing)|urg(?:ed|es|ing)|call(?:ed|s) (?:on|upon|for)|"
    r"suggest(?:ed|s)|request(?:ed|s)|invit(?:ed|es)|proposed|advised|advocated|hoped|asked)\b"
)
_STRONGLY = re.compile(r"\brecommend(?:ed|s|ing)\b")
_STRONG_INTRODUCTION = re.compile(r"^.*?\b(?:recommended|recommends|recommending)\b\s*(?:that\s+)?", re.DOTALL)
_INTRODUCTION = re.compile(
    r"^.*?\b(?:recommended|recommends|recommending|encouraged|encourages|urged|urges|called (?:on|upon)|suggested|"
    r"requested|invited|proposed|advised|called for)\b\s*(?:that\s+)?",
    re.DOTALL,
)
_SPOKEN = re.compile(
    r"^(?:(?:it )?(?:also |further |strongly )?"
    r"(?:recommended|recommends|encouraged|urged|suggested|called (?:on|upon))\s+)(?:that\s+)?"
)
"""The verb of the statement where it stands inside the lettered clause."""

_TIDY_END = re.compile(r"(?:[\s;,.:]|\band\b|\bor\b|\balso\b)+$")
_TIDY_START = re.compile(r"^(?:[\s;,]|and\b|or\b|also\b(?= that\b))+")
_SPEAKS_ON = re.compile(
    r",?\s+and\s+(?:also\s+|further\s+)?(?:(?:wished|wanted) to know|wondered|asked|inquired|enquired|noted|welcomed"
    r"|commended|expressed|thanked|congratulated|requested|appreciated|acknowledged|stated|said)\b.*$",
    re.DOTALL,
)
"""Where the statement leaves the recommendation and speaks on."""

_LEADS_ON = re.compile(r",?\s+and (?:recommended |also )?that(?: [A-Z][\w’-]+| the (?:Government|State))*$")
"""What leads on to the next letter ("…, and that Peru (d) continue")."""

_TO_THE_STATE = re.compile(
    r"^to (?:the )?(?:Government|State|authorities|[A-Z][\w’-]+)(?: of [A-Z][\w’-]+)*,?\s+(?:that\s+)?"
)
_SAID_RIGHT_BEFORE = re.compile(r"\brecommend(?:ed|s|ing)\b(?:\s+[\w’-]+){0,5}[\s:]*$")
_LIST_GOES_ON = re.compile(r"[;,](?:\s+and)?\s*$")
_THAT = re.compile(r"\bthat\s*$")
_OPEN_LETTER = re.compile(r"\s*\(?[a-z]\)\s*$")
_LEADS_ON_TO_TREATY = re.compile(r"\band to ([a-z]+ (?:to|with|for|on)) (?:both )?(?:the )?$")
_TREATY = re.compile(r"^(?:(?:both )?the )?(?:[A-Z][a-z]+ ){0,3}(?:Convention|Covenant|Protocol|Statute|[A-Z-]{3,})\b")
_NUMBERED_LIST = re.compile(
    r"(?:\bNos?\.?\s*|\brecommendations?\s+(?:numbers?\s+)?(?=\d{1,3}\.\d)|\b(?:sub)?paragraphs?\s+(?=\d{1,3}\.\d{1,3}\b))"
    r"(?P<numbers>\d[\d.,;\s–-]*(?:and\s+\d[\d.,;\s–-]*)*)"
    r"(?:[^.]{0,60}?\bparagraph\s+(?P<paragraph>\d{1,3}))?",
)
_PARAGRAPH_BEFORE = re.compile(r"\bparagraph\s+(\d{1,3}),?\s*$")
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:-|–|to)\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in section I: paragraph 43, letter (a), roman (ii); `last` for "last sentence"."""

    paragraph: int
    letter: str | None = None
    roman: str | None = None
    last: bool = False

    @property
    def number(self) -> str:
        """`43.a.ii`."""
        return ".".join(filter(None, (str(self.paragraph), self.letter, self.roman)))


def read_references(text: str) -> list[Reference]:
    """The places that `text` points at, in order and without repetition."""
    found: dict[Reference, None] = {}
    at = 0
    while start := _POINTS.search(text, at):
        references, at = _references_from(text, start.end())
        found |= dict.fromkeys(references)
    return list(found)


def read_pointed_at(
    groups: Iterable[Group], paragraphs: Sequence[Paragraph], issues: list[ReadIssue]
) -> Iterator[ReadRecommendation]:
    """The recommendations of section I that section II points at, each once, with the position given there."""
    by_number = {paragraph.number: paragraph for paragraph in paragraphs}
    groups = list(groups)
    seen: set[Reference] = set()
    listed = {group.paragraph for group in groups}
    for group in groups:
        whole = read_position(group.lead_in)
        for sentence in _SENTENCE_OF_LEAD_IN.split(group.lead_in):
            if not _ABOUT_RECOMMENDATIONS.search(sentence) or _NUMBERED_LIST.search(sentence):
                continue
            references = [
                reference
                for reference in read_references(sentence)
                if reference not in seen and reference.paragraph not in listed
            ]
            stated = read_position(sentence)
            if (stated is None or stated.position is None) and whole and whole.position is Position.NOTED:
                stated = whole
            if stated is None or stated.position is None:
                continue  # "has submitted its views on …": those stand in the lists as well
            for reference in references:
                paragraph = by_number.get(reference.paragraph)
                for meant in _meant(reference, paragraph):
                    seen.add(meant)
                    yield from _recommendations_at(meant, paragraph, group, stated, issues)


def with_references(read: Sequence[ReadRecommendation], groups: Iterable[Group]) -> tuple[ReadRecommendation, ...]:
    """`read` with what later paragraphs add to positions by number ("Nos. 85-119 have already been implemented")."""
    changed = list(read)
    groups = list(groups)
    listing = {str(group.paragraph) for group in groups if group.items}
    for group in groups:
        if group.items:
            continue
        whole = group.lead_in
        for sentence in _SENTENCE_OF_LEAD_IN.split(whole):
            stated = read_position(sentence) or read_position(whole)
            detail = read_detail(sentence) or read_detail(whole)
            for found in _NUMBERED_LIST.finditer(sentence):
                numbers = _expanded(found["numbers"])
                named = _PARAGRAPH_BEFORE.search(sentence[: found.start()])
                paragraph = found["paragraph"] or (named[1] if named else None)
                paragraph = paragraph if paragraph in listing else None  # misprinted: the list before is meant
                for place, recommendation in enumerate(changed):
                    if _is_meant(recommendation, numbers, paragraph, group.paragraph):
                        changed[place] = _restated(recommendation, stated, detail, group)
    return tuple(changed)


def without_numbered(lead_in: str) -> str:
    """The sentences of a paragraph that are not about recommendations named by their numbers."""
    sentences = _SENTENCE_OF_LEAD_IN.split(lead_in)
    return ". ".join(sentence for sentence in sentences if not _NUMBERED_LIST.search(sentence))


def _references_from(text: str, at: int) -> tuple[list[Reference], int]:
    """References from `at` on, as long as nothing but numbers, letters and joints follows, and where that ends."""
    found: list[Reference] = []
    current: Reference | None = None
    bare = False  # the number at hand has been given without letters so far
    while token := _TOKEN.match(text, at):
        at = token.end()
        if token["number"]:
            found += [current] if bare and current else []
            current, bare = Reference(int(token["number"])), True
        elif current is None:
            continue
        elif token["last"]:
            current = replace(current, last=True)
        elif token["letters"] or token["roman"]:
            found += _under(current, token, text)
            current, bare = _with_letter(current, token), False
    found += [current] if bare and current else []
    return found, at


def _under(current: Reference, token: re.Match[str], text: str) -> Iterator[Reference]:
    """The places that one parenthesis names under a paragraph: letters, or a roman numeral under the last letter."""
    if token["roman"] or (token["letters"] == "i" and current.letter and _adjacent(text, token)):
        yield replace(current, roman=token["roman"] or "i")
        return
    for letter in re.findall(r"\b[a-z]\b", token["letters"]):
        if not _followed_by_roman(text, token.end()):
            yield Reference(current.paragraph, letter)


def _adjacent(text: str, token: re.Match[str]) -> bool:
    return text[max(0, token.start() - 3) : token.start()].rstrip().endswith(")")


def _with_letter(current: Reference, token: re.Match[str]) -> Reference:
    letters = re.findall(r"\b[a-z]\b", token["letters"] or "")
    return Reference(current.paragraph, letters[-1]) if letters and not current.roman else current


def _followed_by_roman(text: str, at: int) -> bool:
    return bool(re.match(r"\s*\((?:i|ii|iii|iv|v|vi)\)(?!\s*,\s*\([j-z]\))", text[at : at + 30]))


def _meant(reference: Reference, paragraph: Paragraph | None) -> list[Reference]:
    """The places that a reference means: "(g) (i)" are two letters where nothing under (g) has roman numerals."""
    if reference.roman not in ("i", "v", "x") or reference.letter is None or paragraph is None:
        return [reference]
    letters = "abcdefghijklmnopqrstuvwxyz"
    clause = _marked_clause(paragraph.text, _LETTER_MARK, reference.letter, letters)
    if (
        not clause
        or _ROMAN_MARK.search(clause)
        or not _marked_clause(paragraph.text, _LETTER_MARK, reference.roman, letters)
    ):
        return [reference]
    return [replace(reference, roman=None), Reference(reference.paragraph, reference.roman)]


def _recommendations_at(
    reference: Reference,
    paragraph: Paragraph | None,
    group: Group,
    stated: PrintedPosition,
    issues: list[ReadIssue],
) -> Iterator[ReadRecommendation]:
    if paragraph is None:
        detail = f"Paragraph {group.paragraph} points at {reference.number}, which was not found"
        issues.append(ReadIssue("warning", "reference_not_found", detail, group.page))
        return
    text = without_footnote_marks(paragraph.text)
    clauses = [(clause, speaker) for clause, speaker in _clauses_at(text, reference) if clause]
    if not clauses:
        detail = f"Paragraph {group.paragraph} points at {reference.number}, which holds no such recommendation"
        issues.append(ReadIssue("warning", "reference_not_found", detail, group.page))
    for place, (clause, speaker) in enumerate(clauses):
        if speaker is None:
            detail = f"{reference.number}: who said it is not known: {text[:80]}"
            issues.append(ReadIssue("warning", "unknown_state", detail, paragraph.page))
        yield ReadRecommendation(
            number=reference.number,
            part="abcdefghijklmnopqrstuvwxyz"[place % 26] if len(clauses) > 1 else None,
            text=clause,
            recommending_states=(speaker,) if speaker else (),
            position=stated.position.value if stated.position else None,
            position_detail=stated.detail.value if stated.detail else None,
            position_phrase=stated.phrase or None,
            position_paragraph=str(group.paragraph),
            page=paragraph.page,
            paragraph=str(paragraph.number),
        )


def _clauses_at(text: str, reference: Reference) -> Iterator[tuple[str, str | None]]:
    """The words at a place and who said them. Letters that a paragraph does not print count its recommendations."""
    first = speaker_of(text)
    speaker = first[0] if first else None
    sentences = _SENTENCE.split(text)
    if reference.letter and not reference.roman and not _LETTER_MARK.search(text):
        spoken = [sentence for sentence in sentences if _STRONGLY.search(sentence)]
        place = ord(reference.letter) - ord("a")
        yield from ((clause, speaker) for sentence in spoken[place : place + 1] for clause in _recommended(sentence))
        return
    if reference.letter:
        yield _lettered(text, reference), speaker
        return
    chosen = sentences[-1:] if reference.last else [s for s in sentences if _STRONGLY.search(s)]
    for sentence in chosen or [s for s in sentences if _RECOMMENDS.search(s)] or [text]:
        named = leading_state(sentence)
        said_by = named[0] if named else speaker
        yield from ((clause, said_by) for clause in _recommended(sentence))


def _lettered(text: str, reference: Reference) -> str:
    """The clause under a letter, and under a roman numeral inside it, with the verb that stands before it."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    clause = _marked_clause(text, _LETTER_MARK, reference.letter or "", letters)
    before = _SENTENCE.split(text[: _first_mark(text, _LETTER_MARK)])[-1]
    if reference.roman:
        before = clause[: _first_mark(clause, _ROMAN_MARK)]
        clause = _marked_clause(clause, _ROMAN_MARK, reference.roman, _ROMAN) or clause
    words = _clean(_SPOKEN.sub("", _SENTENCE.split(clause)[0]))
    head = _introduced(before).strip(" :")
    if not words or opens_with_verb(words):
        return words
    if opens_with_verb(head) and lacks_object(head):
        return f"{head} {words}"
    if not reference.roman and reference.letter and reference.letter != "a":
        words = _with_verb_of_letter_before(text, reference, words)
    return _as_said(words, _OPEN_LETTER.sub("", text[: max(0, text.find(clause))]))


def _as_said(words: str, before: str) -> str:
    """Words without a verb of their own with the one before them or their list: "Recommended the repeal of laws"."""
    segment = segment_of(words, ())
    listed = _LIST_GOES_ON.search(before) and _STRONGLY.search(_SENTENCE.split(before)[-1])
    if segment.verb or segment.tail or not (listed or _SAID_RIGHT_BEFORE.search(before)):
        return words
    that = "that " if _THAT.search(before) and not words.startswith("that ") else ""
    return f"Recommended {that}{words}"


def _with_verb_of_letter_before(text: str, reference: Reference, words: str) -> str:
    """A treaty under a letter of its own: "(c) consider the ratification of CED and (d) OP-CAT"."""
    if not _TREATY.match(words):
        return words
    letter = chr(ord(reference.letter or "b") - 1)
    before = _SENTENCE.split(_marked_clause(text, _LETTER_MARK, letter, "abcdefghijklmnopqrstuvwxyz"))[-1]
    if leads_on := _LEADS_ON_TO_TREATY.search(before):
        return f"{leads_on[1]} {words}"
    head = treaty_head(_lettered(text, replace(reference, letter=letter)))
    return f"{head} {words}" if head else words


def _clean(words: str) -> str:
    """A clause of a statement without what leads on to the next one."""
    words = _LEADS_ON.sub("", _TIDY_END.sub("", _SPEAKS_ON.sub("", words)))
    return without_addressee(_TIDY_START.sub("", _TIDY_END.sub("", words)))


def _introduced(sentence: str) -> str:
    """What a sentence says after "recommended that"; after another such verb where it has not that one."""
    words, times = _STRONG_INTRODUCTION.subn("", sentence, count=1)
    words = words if times else _INTRODUCTION.sub("", sentence, count=1)
    return _TO_THE_STATE.sub("", words)


def _first_mark(text: str, mark: re.Pattern[str]) -> int:
    found = mark.search(text)
    return found.start() if found else 0


def _marked_clause(text: str, mark: re.Pattern[str], wanted: str, order: Sequence[str]) -> str:
    """The words from one mark to the next in order; those of the last mark end with their sentence."""
    places: list[tuple[str, int, int]] = []
    for found in mark.finditer(text):
        if found[1] in order[len(places) : len(places) + 3]:
            places.append((found[1], found.start(), found.end()))
    for place, (label, _, start) in enumerate(places):
        if label == wanted:
            last = place + 1 == len(places)
            return text[start : None if last else places[place + 1][1]]
    return ""


def _recommended(sentence: str) -> list[str]:
    """The recommendations in one sentence of a statement, without "It recommended that"; lettered ones apart."""
    places = list(_LETTER_MARK.finditer(sentence))
    if places:
        ends = [place.start() for place in places[1:]] + [len(sentence)]
        return [_clean(sentence[a.end() : b]) for a, b in zip(places, ends, strict=True)]
    words = _introduced(sentence)
    return [_as_said(_clean(words), sentence[: len(sentence) - len(words)])]


def _expanded(numbers: str) -> set[str]:
    """`1, 4, 85-87` as single numbers."""
    found: set[str] = set()
    for first, last, single in _RANGE.findall(numbers):
        if single:
            found.add(single.rstrip("."))
            continue
        prefix, _, start = first.rpartition(".")
        stop = last.rpartition(".")[2]
        found |= {
            f"{prefix}.{n}" if prefix else str(n) for n in range(int(start), min(int(stop), int(start) + 500) + 1)
        }
    return found


def _is_meant(read: ReadRecommendation, numbers: set[str], paragraph: str | None, comment: int) -> bool:
    number = read.number or ""
    if number in numbers:
        return True
    own, _, item = number.partition(".")
    nearest = paragraph or str(comment - 1)
    return item in numbers and own == nearest


def _restated(
    read: ReadRecommendation, stated: PrintedPosition | None, detail: object, group: Group
) -> ReadRecommendation:
    told = stated.position.value if stated and stated.position else None
    if stated and told and told != read.position and (told == "noted" or read.position is None):
        return replace(
            read,
            position=told,
            position_detail=stated.detail.value if stated.detail else None,
            position_phrase=stated.phrase,
            position_paragraph=str(group.paragraph),
        )
    return replace(read, position_detail=str(detail)) if detail and read.position == "supported" else read
