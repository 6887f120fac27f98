"""Section I: the presentation by the State under review, and the dialogue, one paragraph per speaking State."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from services.ingest.normalise.attributions import read_state_list
from services.ingest.normalise.states import leading_state
from services.ingest.parsers.working_group_report.furniture import without_footnote_marks
from services.ingest.parsers.working_group_report.languages import in_all_languages
from services.ingest.parsers.working_group_report.skeleton import Paragraph
from services.ingest.reading import ReadStatement

_ON_BEHALF = re.compile(
    r"^[,\s(]*(?:(?:also|speaking|hablando|parlant|s[’']exprimant|también|également)\s+){0,2}"
    + in_all_languages("on_behalf", r"on behalf of")
    + r"\s?(?P<whom>.{3,300})",
    re.IGNORECASE | re.DOTALL,
)
_NAME_OF_GROUP = re.compile(
    r"(?:(?:the|los|las|la|el|les|le) )?[^\W\d_a-z][\w’'-]*"
    r"(?: (?:(?:of|and|the|de|la|los|des|du|et|y) )*[^\W\d_a-z][\w’'-]*)*"
)
_MOST_MEMBERS = 40
_FRONTED = re.compile(
    in_all_languages(
        "fronted",
        r"^(?:According to|While|Whilst|In |On |With|As |Having|Given|Despite|After|Although|Like|By |Together|"
        r"Encouraged|Concerned|Impressed|Pleased|Aware|Conscious|Mindful|[A-Z][a-z]+ing\b)",
    )
)
_MAIN_CLAUSE = re.compile(r",\s+(?=[A-ZÀ-Þ]|(?:the|la|le|el|los|las|les) [A-ZÀ-Þ]|l[’'][A-ZÀ-Þ])")
_SPEAKS = re.compile(
    r"^[,\s]*(?:[^.]{0,60}?,\s)?(?:\w+ly\s|also\s|further\s|had\s|has\s)*(?:[a-z]+(?:ed|s)|said|spoke|took|put|made|drew|paid|gave|felt|"
    r"sought|held|was|were|had|saw|found|thought|understood|[a-záéíóúñ]+(?:ó|aron|ieron)|(?:s[’'])?(?:a|est|ont)\b)"
)
_ACCORDING_TO = re.compile(r"^According to (?=(?:the )?[A-Z])")
_DELEGATE = re.compile(
    in_all_languages("delegate", r"^The (?:representative|delegate|delegation|observer|Ambassador) of") + r"\s?(?=\S)",
)
_GENITIVE = re.compile(r"[’']s?$")
_OF_A_DELEGATE = re.compile(r"^\s+(?:delegation|delegate|representative|Ambassador|statement)\b")
_OWN_WORDS = re.compile(
    in_all_languages(
        "own_words",
        r"^(?:The )?(?:(?:heads?|leader|members?|representatives?) of (?:the |its )?delegation|delegation|Government|"
        r"(?:Deputy |Vice-|Prime )?Minister|Attorney|Ambassador|Secretary|President|H\. ?E\.|Director|"
        r"State under review|authorities)\b"
        r"|^(?:(?:In|By way of) (?:response|reply|conclusion|closing|his|her|its|their|answer|addressing)|Respond|"
        r"Reply|Answer|Turning|Address|Concluding|Finally|Lastly|Mr|Ms|Mrs|Dr|Concerning|Regarding|"
        r"With (?:regard|respect)|As (?:regards|for|to)|On )",
    )
)
"""How paragraphs open in which the State under review speaks without being named first."""

_ABOUT_DOCUMENTS = re.compile(
    in_all_languages(
        "about_documents",
        r"questions? prepared in advance|following documents were issued|selected the following group of rapporteurs",
    ),
    re.IGNORECASE,
)


def read_statements(
    presented: Sequence[Paragraph], paragraphs: Iterable[Paragraph], state_under_review: str | None
) -> Iterator[ReadStatement]:
    """What was said, in printed order.

    `presented`: the paragraphs before the dialogue, which are the presentation. Then the statements of other States,
    whose paragraphs open with the State's name, or with a clause and then the name (kind `dialogue`), and between them
    the answers of the State under review (`answer`). Neighbouring paragraphs of one speaker are one statement.
    """
    if state_under_review and (own := [each for each in presented if not _ABOUT_DOCUMENTS.search(each.text)]):
        text = "\n".join(without_footnote_marks(each.text) for each in own)
        yield ReadStatement(state_under_review, "presentation", text, str(own[0].number), own[0].page)
    last: ReadStatement | None = None
    number = 0
    for paragraph, statement in _spoken(paragraphs, state_under_review):
        if last and (last.speaker, last.kind) == (statement.speaker, statement.kind) and paragraph == number + 1:
            last, number = replace(last, text=f"{last.text}\n{statement.text}"), paragraph
            continue
        if last:
            yield last
        last, number = statement, paragraph
    if last:
        yield last


def opens_dialogue(paragraph: Paragraph, state_under_review: str | None) -> bool:
    """Whether another State speaks in a paragraph: where no delegations are announced, the dialogue begins there."""
    return speaker_of(without_footnote_marks(paragraph.text), state_under_review) is not None


def _spoken(paragraphs: Iterable[Paragraph], state_under_review: str | None) -> Iterator[tuple[int, ReadStatement]]:
    answering = 0
    """The last paragraph in which the State under review spoke: it goes on in the next ones that name no speaker."""
    for paragraph in paragraphs:
        text = without_footnote_marks(paragraph.text)
        speaker = speaker_of(text, state_under_review)
        if speaker is not None:
            on_behalf = _on_behalf_of(text[speaker[1] :])
            yield paragraph.number, _statement(paragraph, speaker[0], "dialogue", text, on_behalf)
        elif state_under_review and (answering == paragraph.number - 1 or _is_own(text, state_under_review)):
            answering = paragraph.number
            yield paragraph.number, _statement(paragraph, state_under_review, "answer", text)


def _statement(
    paragraph: Paragraph, speaker: str, kind: str, text: str, on_behalf_of: tuple[str, ...] = ()
) -> ReadStatement:
    return ReadStatement(speaker, kind, text, str(paragraph.number), paragraph.page, on_behalf_of)


def _is_own(text: str, state_under_review: str) -> bool:
    named = leading_state(text)
    return named[0] == state_under_review if named else bool(_OWN_WORDS.search(text))


def _on_behalf_of(text: str) -> tuple[str, ...]:
    """The States, or the printed name of the group, for which a speaker says to speak."""
    found = _ON_BEHALF.match(text)
    if found is None:
        return ()
    whom = found["whom"]
    ends = [mark.start() for mark in re.finditer(r"[,)]|\s(?=[a-z]+(?:ed|ó)\b)", whom)][:_MOST_MEMBERS]
    for end in reversed(ends):
        listed = read_state_list(whom[:end])
        if listed.states and not listed.unknown:
            return listed.states
    group = whom[: ends[0]] if ends else ""
    named = _NAME_OF_GROUP.match(whom)
    name = group if ends and whom[ends[0]] in ",)" else named[0] if named else group
    return (re.sub(r"^(?:the|los|las|la|el|les|le|l[’'])\s?", "", name.strip()),) if name.strip() else ()


def speaker_of(text: str, state_under_review: str | None = None) -> tuple[str, int] | None:
    """The State that speaks in a paragraph of the dialogue, and where its name ends; never the one under review."""
    introduced = _DELEGATE.match(text) or _ACCORDING_TO.match(text)
    start = introduced.end() if introduced else 0
    named = leading_state(text[start:])
    if named:
        code, end = named[0], start + named[1]
        about = _GENITIVE.search(text[:end]) and not _OF_A_DELEGATE.match(text[end:])
        return None if code == state_under_review or about else (code, end)
    if not _FRONTED.match(text):
        return None
    for clause in list(_MAIN_CLAUSE.finditer(text[:400]))[:4]:
        named = leading_state(text[clause.end() :])
        if named and _SPEAKS.match(text[clause.end() + named[1] :]):
            return None if named[0] == state_under_review else (named[0], clause.end() + named[1])
    return None
