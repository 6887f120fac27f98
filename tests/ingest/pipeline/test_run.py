from sqlalchemy import Engine

from tests.ingest.pipeline.conftest import Run
from tests.ingest.pipeline.documents import TEXTS, matrix
from tests.ingest.pipeline.site import Site
from tests.ingest.pipeline.world import contents


def test_a_run_finds_fetches_reads_and_loads_and_says_so(run: Run, engine: Engine, site: Site) -> None:
    ended = run()
    assert ended.status == "finished"
    counts = ended.counts
    assert {name: counts[name] for name in ("found", "fetched", "unchanged", "missing", "refused", "parsed")} == {
        "found": 6, "fetched": 6, "unchanged": 0, "missing": 0, "refused": 0, "parsed": 6,
    }  # fmt: skip
    assert counts["changes"]["recommendation.created"] == 6 * len(TEXTS)
    assert counts["inserted"] == sum(counts["changes"].values())
    assert counts["bytes"] == sum(map(len, site.files.values()))
    store = contents(engine)
    assert len(store["documents"]) == 6
    assert len(store["ingest_held"]) == 6
    assert all(f'"name": "{name}"' in "".join(store["documents"]) for name in site.files)


def test_a_second_run_asks_conditionally_and_changes_nothing(run: Run, engine: Engine, site: Site) -> None:
    run()
    before = contents(engine)
    site.log.clear()
    ended = run()
    assert ended.status == "finished"
    assert (ended.counts["unchanged"], ended.counts["fetched"], ended.counts["bytes"]) == (6, 0, 0)
    assert {(each.conditional, each.status) for each in site.log} == {(True, 304)}
    assert contents(engine) == before


def test_new_bytes_at_an_address_take_the_place_of_the_old(run: Run, engine: Engine, site: Site) -> None:
    run()
    site.files["Costamar-3.docx"] = matrix("Costamar", 3, (*TEXTS, "Accede to the Convention on migrant workers"))
    ended = run(changed=1)
    assert (ended.status, ended.counts["fetched"], ended.counts["unchanged"]) == ("finished", 1, 5)
    assert ended.counts["changes"]["recommendation.created"] == 1
    assert "recommendation.deleted" not in ended.counts["changes"]
    assert len(contents(engine)["documents"]) == 6
