"""Numbers of recommendations, as addenda cite them."""

import pytest

from services.ingest.parsers.addendum_numbers import Numbering, find_numbering, find_runs, opening_run

DOTTED = Numbering(frozenset({"122", "140"}))
PLAIN = Numbering(frozenset())


def numbers(text: str, numbering: Numbering = DOTTED) -> list[list[str]]:
    return [list(run.numbers) for run in find_runs(text, numbering)]


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("140.7, 140.8 and 140.10", ["140.7", "140.8", "140.10"]),
        ("140.35. 140.36, 140.39", ["140.35", "140.36", "140.39"]),
        ("122.17-18, 122.30-33, 122.34- 35", ["122.17", "122.18", *(f"122.{n}" for n in range(30, 36))]),
        ("122.14– 15", ["122.14", "122.15"]),
        ("140.120, 209", ["140.120", "140.209"]),
        ("140.82-85, 87", ["140.82", "140.83", "140.84", "140.85", "140.87"]),
        ("140.118-19", ["140.118", "140.119"]),
        ("140.1 to 140.3", ["140.1", "140.2", "140.3"]),
        ("122.1 through 122.3; 140.2", ["122.1", "122.2", "122.3", "140.2"]),
        ("140.1 (Spain), 140.2 (Bolivia (Plurinational State of)) and 140.3", ["140.1", "140.2", "140.3"]),
        ("140.9 & 140.11", ["140.9", "140.11"]),
        ("140.5 140.6", ["140.5", "140.6"]),
        ("140.1; 140.2 y 140.5", ["140.1", "140.2", "140.5"]),
        ("140.1 a 140.3", ["140.1", "140.2", "140.3"]),
        ("140.1 [Spain; Peru], 140.2", ["140.1", "140.2"]),
        ("140.9. 4. The Government", ["140.9"]),
    ],
)
def test_dotted_lists(printed, read):
    assert numbers(printed) == [read]


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("accepts the recommendations 1–5, 14–\n16, 20", [*range(1, 6), 14, 15, 16, 20]),
        ("Rec. 18 We consider", [18]),
        ("Recs. 6–13 The Government", list(range(6, 14))),
        ("recommendations Nos. 1, 2 and 7 are", [1, 2, 7]),
        ("Recommendation number 4:", [4]),
    ],
)
def test_plain_numbers_under_a_cue(printed, read):
    assert numbers(printed, PLAIN) == [[str(n) for n in read]]


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("recommendations contained in paragraphs 24 (b) and 37 (a) and (c)", ["24.b", "37.a", "37.c"]),
        ("paragraph 41 (a)–(c)", ["41.a", "41.b", "41.c"]),
        ("recommendations 60 (d) (ii), 61(a)", ["60.d.ii", "61.a"]),
        ("recommendations (a), (b) and (d) of paragraph 64", ["64.a", "64.b", "64.d"]),
        ("recommendations (b)-(d) in paragraph 64", ["64.b", "64.c", "64.d"]),
        ("los párrafos 24 b) y 37 a)", ["24.b", "37.a"]),
        ("paragraphe 24 a)", ["24.a"]),
    ],
)
def test_letters_of_paragraphs(printed, read):
    assert numbers(printed) == numbers(printed, PLAIN) == [read]


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("The following enjoy our support: 6, 7, 8–10 and 12", [6, 7, 8, 9, 10, 12]),
        ("Accepted: 1, 2.", [1, 2]),
        ("las recomendaciones núms. 1 a 3 y 7", [1, 2, 3, 7]),
        ("les recommandations nos 1 à 3, 5 et 9", [1, 2, 3, 5, 9]),
        ("accepts recommendations 9 and 10 but accepts", [9, 10]),
        ("recommendation No. 5, No. 6 and Nos. 7 to 9 of paragraph 80", [5, 6, 7, 8, 9]),
    ],
)
def test_plain_numbers_after_other_words(printed, read):
    assert numbers(printed, PLAIN) == [[str(n) for n in read]]


@pytest.mark.parametrize(
    "printed",
    [
        "unemployment was 140.5 per cent",
        "EUR 140.5 were spent on it",
        "article 140.5 of the law",
        "In 2015 12 recommendations were accepted",
        "Slovenia accepts 142 recommendations",
        "version 122.1.3",
        "the recommendations in paragraph 56 of the report",
        "The law has the following parts: 12 chapters",
        "recommendations 12 months ago",
    ],
)
def test_other_numbers(printed):
    assert numbers(printed) == numbers(printed, PLAIN) == []


def test_a_paragraph_counts_where_it_is_printed_twice_or_after_the_cue():
    lines = ["Growth was 3.5 and inflation 2.1", "110.1, 110.2", "recommendation 111.4"]
    assert find_numbering(lines).prefixes == {"110", "111"}


def test_rows_of_a_table_open_with_plain_numbers():
    table = Numbering(frozenset(), in_table=True)
    run = opening_run("5., 6., 7., 8., 9. Ratify the Convention", table)
    assert run is not None
    assert run.numbers == ("5", "6", "7", "8", "9")
    assert opening_run("5., 6., 7. Ratify the Convention", PLAIN) is None
