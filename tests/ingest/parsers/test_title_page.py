"""Title pages of United Nations documents."""

import pytest

from services.ingest.parsers.council_sessions import council_session_of, cycle_adopted_at, session_adopted_at
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.parsers.text.pdf import read_pdf
from services.ingest.parsers.title_page import first_date, read_title_page

REAL = {
    "cycle4/g2505828.pdf": ("A/HRC/59/15/Add.1", "2025-04-08", 48, 4),
    "cycle2/g1510722.pdf": ("A/HRC/DEC/28/111", "2015-05-28", 20, 2),
    "cycle4/g2511026.pdf": ("A/HRC/DEC/59/112", "2025-07-14", 48, 4),
    "cycle2/g1409727.pdf": ("A/HRC/WG.6/20/SVN/3", "2014-07-25", 20, 2),
    "cycle4/g2420070.pdf": ("A/HRC/WG.6/48/SVN/1", "2024-10-30", 48, 4),
}


@pytest.mark.parametrize("name", REAL)
def test_real_ones(real_documents, name):
    page = read_title_page(read_pdf((real_documents / "slovenia" / name).read_bytes()))
    assert (page.symbol, page.published_on, page.session, page.cycle) == REAL[name]
    assert page.state == "SVN"


def test_nothing_is_made_up():
    page = read_title_page(DocumentText((Block("Hello", 1),)))
    assert (page.symbol, page.published_on, page.state, page.session, page.cycle) == (None, None, None, None, None)


def test_what_the_draft_was_called_is_not_the_symbol():
    lines = (
        "Previously issued under document symbol A/HRC/WG.6/6/L.14",
        "A/HRC/13/9",
        "Distr. GENERAL",
        "4 March 2010",
    )
    page = read_title_page(DocumentText(tuple(Block(line, 1) for line in lines)))
    assert (page.symbol, page.published_on, page.council_session, page.session) == ("A/HRC/13/9", "2010-03-04", 13, 6)


def test_sessions_of_the_council():
    assert (session_adopted_at(28), council_session_of(20)) == (20, 28)
    assert (session_adopted_at(8), cycle_adopted_at(8)) == (None, 1)  # it adopted the outcomes of two sessions
    assert (session_adopted_at(9), cycle_adopted_at(9)) == (None, None)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("on 2 July 2025", "2025-07-02"),
        ("1st of March 2010", "2010-03-01"),
        ("31 June 2010", None),
        ("July 2010", None),
    ],
)
def test_dates(words, day):
    assert first_date(words) == day
