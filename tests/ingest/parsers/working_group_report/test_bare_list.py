"""Drafts of the Working Group's reports in Word that are cut down to their lists."""

from collections import Counter
from dataclasses import replace

import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.parsers.text.docx import read_docx
from services.ingest.parsers.working_group_report import read_report
from services.ingest.parsers.working_group_report.bare_list import is_bare_list

RECOMMENDING = ("Spain", "Chile", "Türkiye", "Iran (Islamic Republic of)", "Netherlands (Kingdom of the)")
TEXTS = ("Ratify the Convention", "Protect children in Peru", "Help Peruvian families", "Train judges", "End torture")


def draft(*changes: tuple[str, str], count: int = 10, numbered: bool = True) -> DocumentText:
    """A list of `count` recommendations; `changes` are made in their words."""
    lines = [f"{TEXTS[n % 5]} ({RECOMMENDING[n % 5]}); ({RECOMMENDING[(n + 1) % 5]});" for n in range(count)]
    for old, new in changes:
        lines = [line.replace(old, new) for line in lines]
    blocks = [Block(f"6.{n}\t{line}" if numbered else line) for n, line in enumerate(lines, 1)]
    return DocumentText(tuple(blocks), running_heads=("A/HRC/63/8",))


def codes(text: DocumentText) -> list[str]:
    return [issue.code for issue in read_report(text).issues]


def test_what_a_list_alone_tells():
    reading = read_report(draft())
    document = reading.document
    assert (document.kind, document.symbol) == ("working_group_draft", None)
    assert (document.state_under_review, document.session, document.cycle) == ("PER", 52, 4)
    first = reading.recommendations[0]
    assert (first.number, first.text, first.recommending_states) == ("6.1", "Ratify the Convention", ("ESP", "CHL"))
    assert (first.position, first.paragraph) == (None, "6")
    assert [issue.code for issue in reading.issues] == ["state_under_review_inferred", "unknown_position_lead_in"]


def test_a_people_is_known_by_any_spelling_of_its_state():
    reading = read_report(draft(("Help Peruvian families", "Help Peruvian families of the Republic of Peru")))
    assert "name PER 3 times" in reading.issues[0].detail


def test_lost_numbers_are_counted_and_told():
    reading = read_report(draft(numbered=False))
    assert [(r.number, r.paragraph) for r in reading.recommendations] == [(str(n), None) for n in range(1, 11)]
    assert "numbers_lost" in [issue.code for issue in reading.issues]


def test_words_own_numbers_are_read():
    text = draft(numbered=False)
    blocks = tuple(replace(block, label=f"6.{n}") for n, block in enumerate(text.blocks, 1))
    reading = read_report(replace(text, blocks=blocks))
    assert [r.number for r in reading.recommendations] == [f"6.{n}" for n in range(1, 11)]
    assert "numbers_lost" not in [issue.code for issue in reading.issues]


@pytest.mark.parametrize(
    "changes",
    [
        (("Peruvian", "poor"), (" in Peru", "")),  # nobody is named
        (("Peruvian", "poor"),),  # once in 10 recommendations, all alike: too little
        (("(Chile)", "(Peru)"),),  # the State named makes recommendations itself
        (("End torture", "End torture in Cuba"), ("Train judges", "Train judges of Cuba")),
    ],
)
def test_a_draft_that_does_not_tell_its_state_is_refused(changes):
    with pytest.raises(UnreadableDocumentError) as refused:
        read_report(draft(*changes))
    assert refused.value.code == "unknown_state"


def test_a_symbol_that_tells_no_session():
    assert "no_session" in codes(replace(draft(), running_heads=()))


def test_other_documents_are_no_lists():
    assert is_bare_list(draft())
    assert not is_bare_list(draft(count=9))
    assert not is_bare_list(replace(draft(), pages=3))
    prose = tuple(Block(f"The delegation of Spain said {n} words.") for n in range(10))
    assert not is_bare_list(replace(draft(), blocks=(*draft().blocks, *prose)))


class TestRealDrafts:
    @pytest.mark.parametrize(
        ("name", "state", "counts"),
        [
            ("Paraguay", "PRY", {("6", None): 266}),
            ("Belgium", "BEL", {("6", None): 165, ("7", None): 104, ("8", None): 31}),
            ("Mozambique", "MOZ", {("6", None): 292}),
            ("Somalia", "SOM", {("6", "supported"): 259, ("7", "pending"): 3, ("8", "noted"): 26}),
        ],
    )
    def test_counts(self, real_documents, name, state, counts):
        [path] = (real_documents / "wg_drafts_session52").glob(f"{name}*.docx")
        reading = read_document(Content("draft.docx", path.read_bytes()))
        document = reading.document
        assert (document.kind, document.state_under_review, document.session) == ("working_group_draft", state, 52)
        assert Counter((r.paragraph, r.position) for r in reading.recommendations) == counts
        assert all(r.recommending_states for r in reading.recommendations)
        numbers = [r.number for r in reading.recommendations]
        assert numbers == [f"{p}.{n}" for (p, _), count in counts.items() for n in range(1, count + 1)]

    @pytest.mark.parametrize(("name", "count"), [("Mozambique", 292), ("Somalia", 288)])
    def test_without_any_numbers(self, real_documents, name, count):
        [path] = (real_documents / "wg_drafts_session52").glob(f"{name}*.docx")
        text = read_docx(path.read_bytes())
        blocks = (
            replace(
                b,
                label=None,
                text=b.text.partition("\t")[2] if b.text[1:2] == "." and b.text[2:3].isdigit() else b.text,
            )
            for b in text.blocks
        )
        reading = read_report(replace(text, blocks=tuple(blocks)))
        assert len(reading.recommendations) == count
        assert "numbers_lost" in [issue.code for issue in reading.issues]
