from datetime import timedelta
from pathlib import Path

import pytest

from services.core.domain.errors import NotFoundError, SettingsError
from services.ingest.sources import SOURCES, source_named
from services.ingest.sources.description import Description, read_description, with_mirrors

WELL = """
title: Reports
sites: {documents: "https://docs.example.org/"}
cadence: 7 days
least: {found: 10}
notes: {observed: ["a missing symbol answers 200 with a web page"]}
"""


def described(tmp_path: Path, text: str = WELL) -> Description:
    file = tmp_path / "source.yml"
    file.write_text(text)
    return read_description(file)


def test_a_description_says_what_is_known_and_what_holds_where_it_says_nothing(tmp_path: Path) -> None:
    told = described(tmp_path)
    assert told.sites == {"documents": "https://docs.example.org"}
    assert told.cadence == timedelta(days=7)
    assert (told.rate.requests_per_second, told.rate.at_once) == (1.0, 1)
    assert (told.hold.gone, told.hold.changed) == (0.02, 0.1)


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("cadence: 7 days", "cadence: weekly", "cadence: expected a number of minutes, hours, days, weeks"),
        ("https://docs.example.org/", "docs.example.org", "sites.documents: expected an address"),
        ("least: {found: 10}", "least: {}", "least.found: Field required"),
        ("title: Reports", "title: Reports\nspeed: 3", "speed: Extra inputs are not permitted"),
        ("title: Reports", "title: Reports\nhold: {gone: 2}", "hold.gone: Input should be less than or equal to 1"),
        ("title: Reports", "title: [", "no YAML"),
        (WELL, "- a list", "expected fields such as `title: …`"),
        (WELL, "!!python/object/apply:os.system ['true']", "no YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_field(tmp_path: Path, before: str, after: str, fault: str) -> None:
    with pytest.raises(SettingsError) as raised:
        described(tmp_path, WELL.replace(before, after))
    assert raised.value.detail.startswith(f"{tmp_path}/source.yml: ")
    assert fault in raised.value.detail


def test_a_missing_description_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_description(tmp_path / "source.yml")


def test_an_operator_puts_a_mirror_in_the_place_of_a_site(tmp_path: Path) -> None:
    told = described(tmp_path)
    mirrored = with_mirrors("reports", told, {"reports": {"documents": "http://127.0.0.1:8080/"}, "other": {}})
    assert mirrored.sites == {"documents": "http://127.0.0.1:8080"}
    with pytest.raises(SettingsError, match="has no site 'pages'; it has documents"):
        with_mirrors("reports", told, {"reports": {"pages": "https://example.org"}})
    with pytest.raises(SettingsError, match="UPR_SOURCE_SITES: reports: expected an address"):
        with_mirrors("reports", told, {"reports": {"documents": "example.org"}})


def test_every_source_is_described_and_known_by_its_folder() -> None:
    for name in SOURCES:
        source = source_named(name)
        assert type(source.adapter).__module__ == f"services.ingest.sources.{name}.adapter"


def test_an_unknown_source_is_told_with_what_was_probably_meant() -> None:
    with pytest.raises(NotFoundError, match="There is no source 'nowhere'"):
        source_named("nowhere")
