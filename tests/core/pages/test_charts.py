"""Pictures of counts: what they say is there, what is not known is no zero, and nothing in them is alive."""

import csv
from importlib.resources import files

import pytest

from services.core.pages.charts import Bar, answer_bars, answers_by_cycle
from services.core.pages.heat_map import LEVELS, Column, HeatRow, heat_map, level
from services.core.pages.tile_map import Tile, places, tile_map
from services.core.pages.words import Words

WORDS = Words("es")
HOSTILE = '"><script>alert(1)</script>'


def test_bars_have_a_part_for_each_answer_that_was_given() -> None:
    counts = {"total": 1_300, "supported": 1_200, "noted": 100, "pending": 0}
    drawn = answers_by_cycle([(2, counts)], "Respuestas", WORDS, lambda **by: f"/search?{by['cycle']}&{by['position']}")
    assert drawn.count("<rect") == 2
    assert 'href="/search?2&amp;noted"' in drawn
    assert "Ciclo 2: 1.200 apoyadas" in drawn
    assert 'role="group"' in drawn
    assert 'role="img"' in answers_by_cycle([(2, counts)], "Respuestas", WORDS)  # nothing leads on
    assert answer_bars([], "none", WORDS) == ""


def test_names_stay_text() -> None:
    counts = {"total": 1, "supported": 1, "noted": 0, "pending": 0}
    row = HeatRow(HOSTILE, [1], lambda _: HOSTILE)
    pictures = (
        answer_bars([Bar(HOSTILE, counts, lambda **_: HOSTILE)], HOSTILE, WORDS),
        heat_map([row], [Column("1", HOSTILE)], HOSTILE, WORDS),
        tile_map("grulac", [Tile("PER", HOSTILE, 1, 1, HOSTILE)], HOSTILE, WORDS),
    )
    for drawn in pictures:
        assert "<script" not in drawn
        assert '"><' not in drawn.replace('"><rect', "").replace('"><g', "").replace('"><t', "").replace('"><a', "")


def test_what_was_not_read_is_no_zero() -> None:
    rows = [HeatRow("Tortura", [None, 0, 8], lambda place: f"/{place}")]
    drawn = heat_map(rows, [Column(str(cycle), f"Ciclo {cycle}") for cycle in (1, 2, 3)], "Temas", WORDS)
    assert 'href="/0"' not in drawn
    assert 'class="heat0"' in drawn
    assert f'class="heat{LEVELS}"' in drawn
    assert heat_map([HeatRow("x", [None, 0], str)], [], "none", WORDS) == ""
    tiles = [Tile("PER", "Perú", None, 0, "/p"), Tile("CHL", "Chile", 0, 0, "/c"), Tile("ARG", "Argentina", 4, 3, "/a")]
    drawn = tile_map("grulac", tiles, "Mapa", WORDS)
    assert 'class="unread"' in drawn
    assert "ARG 4 · Argentina: 75\xa0% apoyadas" in drawn
    assert drawn.count('class="share"') == 1


@pytest.mark.parametrize(("count", "shade"), [(0, 0), (1, 1), (20, 1), (21, 2), (99, 5), (100, 5)])
def test_shades_go_by_the_share_of_the_most(count: int, shade: int) -> None:
    assert level(count, 100) == shade


def test_every_state_of_a_regional_group_has_one_tile() -> None:
    with (files("services.core.store") / "facts" / "states.csv").open(encoding="utf-8") as table:
        groups = [(row["un_group"], row["code"]) for row in csv.DictReader(table) if row["un_group"]]
    drawn = [(region, code) for region, states in places().items() for code in states]
    assert sorted(drawn) == sorted(groups)
    for states in places().values():
        assert len(set(states.values())) == len(states)
        assert max(column for column, _ in states.values()) < 9  # wider, and a phone cannot show it


def test_shares_are_rounded_to_none_or_all_only_where_they_are() -> None:
    assert [Words("en").share(share) for share in (0, 0.001, 0.834, 0.999, 1)] == ["0%", "1%", "83%", "99%", "100%"]
    assert Words("fr").share(0.5) == "50\xa0%"
