"""Sources of facts and hearings, through the real pipeline, against a local server that behaves like their sites."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.core.store.changes import changes_after
from services.core.store.hearings import HEARINGS
from services.core.store.organisations import ORGANISATIONS
from services.core.store.states import STATES
from services.ingest.normalise.organisations import known_organisation, organisation_facts
from services.ingest.pipeline.run import Ended
from services.ingest.sources import Source, source_named
from services.ingest.sources.iachr_hearings import adapter as hearings_adapter
from services.ingest.sources.iachr_press.adapter import IachrPress
from tests.ingest.parsers.pages import oas, status
from tests.ingest.pipeline.world import run_tiny
from tests.ingest.sources.sites import Answer, Asked, Site, serving

HTML = {"Content-Type": "text/html"}


def html(body: bytes, code: int = 200, **headers: str) -> Answer:
    return Answer(body, code, {**HTML, **headers})


@dataclass
class Oas:
    """The Commission's site: pages of hearings and releases by path and query; every other number is a shell."""

    pages: dict[tuple[str, str], bytes] = field(default_factory=dict)
    moved: dict[tuple[str, str], str] = field(default_factory=dict)
    refuses: bool = False

    def answer(self, asked: Asked) -> Answer:
        if self.refuses:
            return html(b"<html>Attention Required!", 403, **{"cf-mitigated": "challenge"})
        language = asked.path.split("/")[1]
        which = (language, asked.query.get("Hearing") or asked.query.get("File", "").rpartition("/prensa/")[2])
        if which in self.moved:
            return Answer(b"", 302, {"Location": self.moved[which]})
        if which in self.pages:
            return html(self.pages[which])
        return html(oas.shell(language if language in oas.PERIODS else "es"))


@pytest.fixture
def commission() -> Oas:
    return Oas({
        ("es", "3774"): oas.FOLLOW_UP,
        ("en", "3774"): oas.FOLLOW_UP_EN,
        ("es", "3775"): oas.PRISONS,
        ("es", "3779"): oas.hearing(3779, "Tierralta: Defensoras", requesters="Red de Ensayo"),
    }, {("pt", "3774"): "/es/cidh/sesiones/audiencia.asp?Hearing=3774"})  # fmt: skip


@pytest.fixture
def site(commission: Oas) -> Iterator[Site]:
    with serving(commission.answer) as opened:
        yield opened


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shorter walk: numbers.toml has what is right for a site of thousands."""
    short = {**hearings_adapter.numbers(), "gap": 5}
    monkeypatch.setattr(hearings_adapter, "numbers", lambda: short)


def quick(name: str, **sites: str) -> Source:
    """A source whose sites are elsewhere, asked without its patience."""
    source = source_named(name, {name: sites})
    rate = source.description.rate.model_copy(update={"requests_per_second": 50})
    return Source(source.adapter, source.description.model_copy(update={"rate": rate}))


def run(database_url: str, folder: Path, source: Source, **asked: object) -> Ended:
    return run_tiny(database_url, folder, source, **asked)


def test_hearings_are_found_by_number_and_language(
    database_url: str, engine: Engine, tmp_path: Path, site: Site
) -> None:
    ended = run(database_url, tmp_path, quick("iachr_hearings", oas=site.address))
    assert ended.status == "finished"
    assert ended.counts["found"] == 4  # the Portuguese address led to the Spanish page
    with engine.connect() as connection:
        held = {record.id: record for record in HEARINGS.where(connection)}
    assert held.keys() == {"iachr-191-3774", "iachr-191-3775", "iachr-191-3779"}
    assert held["iachr-191-3774"].titles.keys() == {"en", "es"}
    assert held["iachr-191-3774"].scope == "regional"
    asked = [each.query["Hearing"] for each in site.log if each.path != "/robots.txt"]
    assert (min(asked), max(asked)) == ("3769", "3784")  # five numbers without a hearing end the walk


def test_a_second_visit_goes_on_from_the_highest_number_and_changes_nothing(
    database_url: str, engine: Engine, tmp_path: Path, commission: Oas, site: Site
) -> None:
    source = quick("iachr_hearings", oas=site.address)
    run(database_url, tmp_path, source)
    with engine.connect() as connection:
        before = len(changes_after(connection, 0, 1000))
    again = run(database_url, tmp_path, source)
    assert (again.status, again.counts["fetched"], again.counts["unchanged"]) == ("finished", 0, 4)
    commission.pages["es", "3783"] = oas.hearing(3783, "Costamar: Aguas", requesters="Red de Ensayo")
    assert run(database_url, tmp_path, source, since=date(2025, 1, 1)).counts["inserted"] > 0
    with engine.connect() as connection:
        told = changes_after(connection, before, 1000)
    assert [change.subject for change in told if change.noun == "hearings"] == ["iachr-191-3783"]


def test_a_bot_wall_ends_the_visit(database_url: str, tmp_path: Path, commission: Oas, site: Site) -> None:
    commission.refuses = True
    ended = run(database_url, tmp_path, quick("iachr_hearings", oas=site.address))
    assert ended.status == "failed"
    assert len(site.paths) <= 2


def test_annexes_join_the_hearings_of_their_period(
    database_url: str, engine: Engine, tmp_path: Path, commission: Oas, site: Site
) -> None:
    release = oas.layout(
        "es", "191º Período de Sesiones: la CIDH celebró audiencias", '<a href="/es/cidh/prensa/">x</a>'
    )
    other = oas.layout("es", "La CIDH condena", '<a href="/es/cidh/prensa/comunicados.asp">x</a>')
    commission.pages |= {("es", f"comunicados/2024/{number:03d}.asp"): other for number in range(1, 4)}
    commission.pages["es", "comunicados/2024/003.asp"] = release
    commission.pages["es", "comunicados/2024/003A.asp"] = oas.ANNEX.replace(b"264A", b"003A")
    commission.pages["en", "preleases/2024/003A.asp"] = oas.ANNEX_EN.replace(b"264A", b"003A")
    about = quick("iachr_press", oas=site.address)
    press = Source(IachrPress(lambda: date(2024, 12, 1)), about.description)
    run(database_url, tmp_path, quick("iachr_hearings", oas=site.address))
    ended = run(database_url, tmp_path, press, since=date(2024, 1, 1))
    assert (ended.status, ended.counts["found"]) == ("finished", 2)
    with engine.connect() as connection:
        held = {record.id: record for record in HEARINGS.where(connection)}
    assert len(held) == 5  # those of three pages, and two that no page has
    joined = held["iachr-191-3774"]
    assert joined.press_release == "003A/2024"
    assert len(joined.documents) == 2
    site.log.clear()
    assert run(database_url, tmp_path, press, since=date(2024, 1, 1)).counts["fetched"] == 0
    assert sum("001.asp" in each.target for each in site.log) == 0  # the walk goes on behind the last annex


def test_treaties_and_mechanisms_are_facts_of_states(database_url: str, engine: Engine, tmp_path: Path) -> None:
    clock = iter(f"22-11-2026 09:15:{second:02d} EDT" for second in range(60))

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/es/treaty-bodies"):
            return html(status.npm_page())
        is_opcat = asked.query.get("mtdsg_no") == "IV-9-b"
        return html(status.treaty_page(as_of=next(clock)) if is_opcat else b"<html><title>Error</title>Not found")

    with serving(answer) as site:
        treaties, mechanisms = quick("treaty_status", treaties=site.address), quick("npm_list", ohchr=site.address)
        first = run(database_url, tmp_path, treaties)
        assert (first.status, first.counts["inserted"]) == ("finished", 1)
        assert first.counts["changes"]["state.updated"] == 4
        again = run(database_url, tmp_path, treaties)  # the page has another moment on it, and says the same
        assert (again.status, again.counts["changes"]) == ("finished", {})
        assert run(database_url, tmp_path, mechanisms).counts["changes"]["state.updated"] == 4
    with engine.connect() as connection:
        state = STATES.one(connection, "XCM")
    assert state is not None
    told = {(fact["subject"], fact["value"], fact["date"]): fact for fact in state.facts}
    assert len(told["treaty:OPCAT", "party", "2006-09-14"]["sources"]) == 2
    assert ("npm", "Comité Nacional para la Prevención de la Tortura", None) in told


def test_tables_are_taken_from_a_folder_or_an_address(database_url: str, engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "status.csv").write_bytes(status.NMIRF_STATUS)
    (folder / "set-up.csv").write_bytes(status.NMIRF_SET_UP)
    for file in folder.iterdir():
        os.utime(file, (1_700_000_000, 1_700_000_000))
    with serving(lambda _: Answer(status.NHRI, 200, {"Content-Type": "text/csv"})) as site:
        nhri = run(database_url, tmp_path, quick("nhri_status", tables=f"{site.address}/nhri.csv"))
    nmirf = run(database_url, tmp_path, quick("nmirf", tables=folder.as_uri()))
    assert (nhri.status, nmirf.status) == ("finished", "finished")
    with engine.connect() as connection:
        state = STATES.one(connection, "XCM")
    assert state is not None
    assert {fact["subject"] for fact in state.facts} == {"nhri_status", "nmirf", "nmirf:set_up"}


def test_the_file_of_organisations_makes_records_and_is_loaded_once(
    database_url: str, engine: Engine, tmp_path: Path
) -> None:
    first = run(database_url, tmp_path, source_named("organisations"))
    assert first.status == "finished"
    told = organisation_facts()["organisation"]
    assert first.counts["changes"]["organisation.created"] == len(told)
    assert run(database_url, tmp_path, source_named("organisations")).counts["changes"] == {}
    with engine.connect() as connection:
        held = {record.id: record for record in ORGANISATIONS.where(connection)}
    coalition = held["upr-latin-america-coalition"]
    assert [(name["name"], name.get("since"), name.get("until")) for name in coalition.names] == [
        ("UPR South America Coalition", "2021-11", "2025-10"),
        ("EPU South America Collective", None, None),
        ("UPR Latin America Coalition", "2025-10", None),
    ]
    members = {record.id for record in held.values() if "upr-latin-america-coalition" in record.member_of}
    assert {"colectivo-epu-peru", "anong", "comunidad-de-derechos-humanos"} <= members
    uruguay = held["ury-institucion-nacional-de-derechos-humanos-y-defensoria-del-pueblo"]
    assert (uruguay.role_ids, uruguay.territory) == (("nhri", "npm"), "URY")


def test_every_fact_about_organisations_has_its_source_and_its_own_name() -> None:
    told = organisation_facts()
    ids = [each["id"] for each in told["organisation"]]
    assert len(ids) == len(set(ids))
    for each in told["organisation"]:
        rows = [*each["names"], *each["roles"], *each.get("memberships", ())]
        assert {row["source"] for row in rows} <= told["source"].keys(), each["id"]
        assert {row["organisation"] for row in each.get("memberships", ())} <= set(ids)
        assert known_organisation(each["id"]) == each["id"]


def test_a_name_means_the_same_organisation_wherever_it_is_used() -> None:
    assert known_organisation("upr-south-america-coalition") == "upr-latin-america-coalition"
    assert known_organisation("per-ombudsman-s-office") == "per-ombudsman-s-office"
    assert known_organisation("per-ombudsmans-office") == "per-defensoria-del-pueblo"
    assert known_organisation("peruvian-ombudsmans-office") == "per-defensoria-del-pueblo"
    assert known_organisation("defensoria-del-pueblo") == "defensoria-del-pueblo"  # whose, it does not say
