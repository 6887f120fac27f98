import datetime
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import Engine, func, select

from services.core.domain.errors import NotFoundError
from services.core.store.ingest import held_table
from services.ingest.datasets import data_set_for
from services.ingest.pipeline import records
from services.ingest.pipeline.lock import SourceBusyError, is_free
from services.ingest.pipeline.records import NotHeldError, Options, Stage
from services.ingest.pipeline.run import run_released, run_source
from services.ingest.pipeline.task import Desk, Step, StoppedError
from services.ingest.runs import recent_runs
from tests.ingest.pipeline.conftest import Run
from tests.ingest.pipeline.documents import TEXTS, matrix, other
from tests.ingest.pipeline.site import Site
from tests.ingest.pipeline.world import contents, tiny_source

EXPORT = Path(__file__).parents[1] / "datasets" / "samples" / "upr-info.csv"


def test_a_run_finds_fetches_reads_and_loads_and_says_so(run: Run, engine: Engine, site: Site) -> None:
    ended = run()
    assert ended.status == "finished"
    counts = ended.counts
    assert {name: counts[name] for name in ("found", "fetched", "unchanged", "missing", "refused", "parsed")} == {
        "found": 4, "fetched": 4, "unchanged": 0, "missing": 0, "refused": 0, "parsed": 4,
    }  # fmt: skip
    assert counts["changes"]["recommendation.created"] == 4 * len(TEXTS)
    assert counts["inserted"] == sum(counts["changes"].values())
    assert counts["bytes"] == sum(map(len, site.files.values()))
    store = contents(engine)
    assert len(store["documents"]) == 4
    assert len(store["ingest_held"]) == 4
    assert all(f'"name": "{name}"' in "".join(store["documents"]) for name in site.files)


def test_a_run_is_traced_with_its_stages(desk: Desk, site: Site) -> None:
    told, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(told))
    ended = run_source(replace(desk, tracing=provider), tiny_source(site.address), Options())
    *stages, run = told.get_finished_spans()
    assert [stage.name for stage in stages] == [f"ingest {stage}" for stage in Stage]
    assert (run.name, dict(run.attributes or {})) == (
        "ingest run",
        {"run": ended.run, "source": ended.source, "status": "finished"},
    )
    assert all(stage.parent and stage.parent.span_id == run.context.span_id for stage in stages)


def test_a_second_run_asks_conditionally_and_changes_nothing(run: Run, engine: Engine, site: Site) -> None:
    run()
    before = contents(engine)
    site.log.clear()
    ended = run()
    assert ended.status == "finished"
    assert (ended.counts["unchanged"], ended.counts["fetched"], ended.counts["bytes"]) == (4, 0, 0)
    assert {(each.conditional, each.status) for each in site.log} == {(True, 304)}
    assert contents(engine) == before


def test_new_bytes_at_an_address_take_the_place_of_the_old(run: Run, engine: Engine, site: Site) -> None:
    run()
    site.files["Costamar-3.docx"] = matrix("Costamar", 3, (*TEXTS, "Accede to the Convention on migrant workers"))
    ended = run(changed=1)
    assert (ended.status, ended.counts["fetched"], ended.counts["unchanged"]) == ("finished", 1, 3)
    assert ended.counts["changes"]["recommendation.created"] == 1
    assert "recommendation.deleted" not in ended.counts["changes"]
    assert len(contents(engine)["documents"]) == 4


def held_after(run: Run, engine: Engine, **asked: float) -> list[str]:
    """The reasons for which the next run is held, which writes no record."""
    before = records_of(engine)
    ended = run(**asked)
    assert ended.status == "held"
    assert records_of(engine) == before
    return [reason.code for reason in ended.reasons]


def records_of(engine: Engine) -> dict[str, list[str]]:
    return {table: rows for table, rows in contents(engine).items() if table != "ingest_issues"}


def test_a_page_laid_out_anew_deletes_nothing(run: Run, engine: Engine, site: Site) -> None:
    run()
    site.listed = ["Costamar-4.docx"]
    assert held_after(run, engine, least=4) == ["too_few_found", "files_gone"]
    site.listed = None
    site.answers = {name: (404, b"") for name in site.files if "Costamar" in name}
    assert held_after(run, engine) == ["files_gone"]
    site.answers = {name: (200, b"<!DOCTYPE html><p>Please log in") for name in site.files if "Costamar" in name}
    assert held_after(run, engine) == ["files_gone"]
    site.answers = {name: (200, other()) for name in site.files if "Costamar" in name}
    assert held_after(run, engine) == ["files_gone"]


@pytest.mark.parametrize("answer", [(404, b""), (200, b"<!DOCTYPE html>"), (200, other()), (403, b"")])
def test_a_run_that_gets_nothing_has_failed(run: Run, engine: Engine, site: Site, answer: tuple[int, bytes]) -> None:
    run()
    before = records_of(engine)
    site.answers = dict.fromkeys(site.files, answer)
    ended = run()
    assert ended.status == "failed"
    assert {reason.code for reason in ended.reasons} <= {"nothing_fetched", "nothing_read"}
    assert records_of(engine) == before
    site.answers = {"list.json": (200, b"[]")}
    assert [reason.code for reason in run().reasons] == ["nothing_found"]
    site.answers = {"list.json": (200, b"<!DOCTYPE html>")}
    ended = run()
    assert (ended.status, [reason.code for reason in ended.reasons]) == ("failed", ["wrong_type"])
    assert records_of(engine) == before


def test_mass_deletion_and_mass_change_are_held(run: Run, engine: Engine, site: Site) -> None:
    run()
    whole = site.files["Costamar-3.docx"]
    site.files["Costamar-3.docx"] = matrix("Costamar", 3, TEXTS[:1])
    assert held_after(run, engine, changed=1) == ["records_gone"]
    site.files["Costamar-3.docx"] = matrix("Costamar", 3, supported=False)
    assert held_after(run, engine) == ["records_changed"]
    site.files["Costamar-3.docx"] = whole
    assert run().counts["unchanged"] == 4


def test_a_held_run_is_released_and_loaded(run: Run, engine: Engine, desk: Desk, site: Site) -> None:
    run()
    site.files["Costamar-3.docx"] = matrix("Costamar", 3, TEXTS[:1])
    ended = run()
    site.log.clear()
    records.release(engine, ended.run)
    released = run_released(desk, tiny_source(site.address))
    assert released is not None
    assert (released.run, released.status) == (ended.run, "finished")
    assert released.counts["changes"]["recommendation.deleted"] == 2
    assert site.log == []
    assert run_released(desk, tiny_source(site.address)) is None
    with pytest.raises(NotHeldError, match="is not held: it is finished"):
        records.release(engine, ended.run)
    assert run().counts["unchanged"] == 4


def test_a_held_run_is_discarded_or_superseded_and_blocks_nothing(run: Run, engine: Engine, site: Site) -> None:
    run()
    whole = site.files["Costamar-3.docx"]
    site.files["Costamar-3.docx"] = matrix("Costamar", 3, TEXTS[:1])
    first, second = run(), run()
    assert (first.status, second.status) == ("held", "held")
    records.discard(engine, first.run)
    with pytest.raises(NotHeldError):
        records.discard(engine, first.run)
    site.files["Costamar-3.docx"] = whole
    assert run().status == "finished"
    assert records.run_of(engine, second.run).status == "superseded"
    with pytest.raises(NotHeldError):
        records.release(engine, second.run)
    with pytest.raises(NotFoundError):
        records.release(engine, "run_0")


def test_folders_of_runs_are_removed_when_they_have_ended(run: Run, engine: Engine, site: Site, tmp_path: Path) -> None:
    run()
    site.files["Costamar-3.docx"] = matrix("Costamar", 3, TEXTS[:1])
    held = run().run
    assert [folder.name for folder in (tmp_path / "runs").iterdir()] == [held]
    records.discard(engine, held)
    run(dry_run=True)
    assert list((tmp_path / "runs").iterdir()) == []


def test_two_runs_at_once_are_one_too_many(run: Run, engine: Engine, desk: Desk, site: Site) -> None:
    refused: list[str] = []

    def meanwhile(_step: Step) -> None:
        if not refused:
            with pytest.raises(SourceBusyError) as error:
                run_source(desk, tiny_source(site.address), Options())
            refused.append(error.value.detail)

    assert run(meanwhile).status == "finished"
    assert f"is being run already (by upr-ingest: tiny on {socket.gethostname()[:20]}" in refused[0]
    assert is_free(engine, "tiny")


def test_a_dry_run_says_what_would_change_and_stores_nothing(run: Run, engine: Engine, site: Site) -> None:
    before = records_of(engine)
    ended = run(dry_run=True)
    assert (ended.status, ended.counts["changes"]["recommendation.created"]) == ("tried", 12)
    assert records_of(engine) == before
    assert run().status == "finished"
    site.files["Costamar-3.docx"] = matrix("Costamar", 3, TEXTS[:1])
    before = records_of(engine)
    ended = run(dry_run=True)
    assert ended.counts["changes"]["recommendation.deleted"] == 2
    assert [reason.code for reason in ended.reasons] == ["records_gone", "records_changed"]
    assert records_of(engine) == before


def test_a_part_of_a_source_is_never_taken_for_all_of_it(run: Run, engine: Engine, site: Site) -> None:
    run()
    ended = run(limit=2, least=4)
    assert (ended.status, ended.counts["found"], ended.counts["gone"]) == ("finished", 2, 0)
    ended = run(since=datetime.date(2026, 1, 1), limit=1, least=4)
    assert (ended.status, ended.counts["gone"]) == ("finished", 0)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).where(held_table.c.gone_since.is_not(None))) == 0


def test_what_is_gone_stays_held_and_is_told_once(run: Run, engine: Engine, site: Site) -> None:
    run()
    site.listed = sorted(site.files)[1:]
    ended = run(gone=0.5)
    assert (ended.status, ended.counts["gone"], ended.counts["issues"]) == ("finished", 1, {"gone": 1})
    assert len(contents(engine)["documents"]) == 4
    assert run().counts["gone"] == 0
    site.listed = None
    assert run().counts["unchanged"] == 4
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).where(held_table.c.gone_since.is_not(None))) == 0


def test_what_cannot_be_read_or_had_is_told_and_the_rest_is_loaded(run: Run, engine: Engine, site: Site) -> None:
    site.files["other.docx"] = other()
    site.answers["Costamar-4.docx"] = (403, b"")
    ended = run()
    assert ended.status == "finished"
    assert (ended.counts["parsed"], ended.counts["unreadable"], ended.counts["refused"]) == (3, 1, 1)
    assert ended.counts["issues"] == {"unknown_kind": 1, "forbidden": 1}
    site.answers.clear()
    site.log.clear()
    ended = run()
    assert (ended.counts["fetched"], ended.counts["unchanged"]) == (1, 4)  # the other one is not read again
    assert ended.counts["issues"] == {}


def test_a_run_asked_for_something_else_does_not_go_on_with_the_one_that_was_stopped(
    run: Run, engine: Engine, site: Site
) -> None:
    stopped = stop_at(run, engine, Stage.READING)
    ended = run(limit=1)
    assert ended.run != stopped
    assert records.run_of(engine, stopped).status == "interrupted"
    stopped = stop_at(run, engine, Stage.LOADING)
    ended = run()
    assert (ended.run, ended.status) == (stopped, "finished")
    assert ended.counts["changes"]["recommendation.created"] == 9


def stop_at(run: Run, engine: Engine, stage: Stage) -> str:
    """The run that was stopped."""

    def stop(step: Step) -> None:
        if step.stage == stage and step.done == 1:
            raise StoppedError(stage)

    with pytest.raises(StoppedError):
        run(stop)
    return recent_runs(engine)[0]["id"]


def test_an_export_is_read_anew_when_its_reader_has_a_newer_version(
    run: Run, engine: Engine, desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files = {"export.csv": EXPORT.read_bytes()}
    assert run().counts["changes"]["recommendation.created"]
    assert run().counts["unchanged"] == 1
    reader = data_set_for(EXPORT)
    assert reader is not None
    monkeypatch.setattr(type(reader), "version", "9999")
    again = run()
    assert (again.status, [each.code for each in again.reasons]) == ("held", ["records_changed"])
    records.release(engine, again.run)
    released = run_released(desk, tiny_source(site.address))
    assert released is not None
    assert released.counts["changes"]
    assert run().counts["unchanged"] == 1
    assert site.asked_for(fully=True) == ["export.csv"]  # what was kept is read
