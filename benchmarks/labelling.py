"""How far the labels that rules give agree with UPR Info's coding by hand, and how fast they are given.

    python -m benchmarks.labelling

Actions: sessions 18 to 20, which nothing was learned from, and UPR Info's pledges. Instruments and topics: each
distinct text once, beside the issue that corresponds to them. The issue is no measure of truth for topics: UPR Info
tags a group and not what befalls it where several things do, and some topics are wider than their issue. It does not
count the Paris Principles as an instrument.
"""

import csv
import time
from collections import Counter
from collections.abc import Iterable

from benchmarks.action_evidence import LEARNED_SESSIONS, UPR_INFO, upr_info_rows
from services.core.store.vocabularies import detailed_vocabulary
from services.ingest.normalise.action_category import action_category
from services.ingest.normalise.instruments import instruments_in
from services.ingest.normalise.labels import canonical_label, rule_labels
from services.ingest.normalise.topics import topics_of

Row = dict[str, str]


def main() -> None:
    rows = list(upr_info_rows()) if UPR_INFO.is_dir() else []
    if not rows:
        print(f"not run: UPR Info's files are not in {UPR_INFO}")
        return
    _speed([row["Text"] for row in rows])
    _actions("sessions 18-20", [row for row in rows if int(row["Session"]) not in LEARNED_SESSIONS])
    _actions("pledges", _pledges())
    distinct = list({row["Text"]: row for row in rows}.values())
    _instruments(distinct)
    _topics(distinct)


def _pledges() -> list[Row]:
    with (UPR_INFO / "voluntary.csv").open(encoding="mac_roman", newline="") as lines:
        return list(csv.DictReader(lines))


def _speed(texts: list[str]) -> None:
    rule_labels(texts[0])
    started = time.process_time()
    labels = sum(len(rule_labels(text)) for text in texts)
    seconds = time.process_time() - started
    print(f"all rules: {len(texts)} texts, {labels} labels in {seconds:.1f} s of one core")


def _actions(name: str, rows: list[Row]) -> None:
    pairs = Counter((int(row["Action"]), action_category(row["Text"])) for row in rows)
    agreed = sum(count for (coded, read), count in pairs.items() if coded == read)
    unknown = sum(count for (_, read), count in pairs.items() if read is None)
    print(f"action, {name}: {agreed / len(rows):.4f} of {len(rows)} agree; none read in {unknown}")
    for category in range(1, 6):
        coded = sum(count for (given, _), count in pairs.items() if given == category)
        read = sum(count for (_, found), count in pairs.items() if found == category)
        both = pairs[category, category]
        print(f"  {category}: precision {_share(both, read)}, recall {_share(both, coded)}")


def _instruments(rows: list[Row]) -> None:
    issue = "upr-info-issue:international-instruments"
    naming = [row for row in rows if instruments_in(row["Text"]) - {"paris-principles"}]
    coded = sum(issue in _issues(row) for row in naming)
    share = _share(coded, len(naming))
    print(f"instruments: named in {len(naming)} texts, of which {share} carry International instruments")


def _topics(rows: list[Row]) -> None:
    print("topics by text alone: texts; share of them with a corresponding issue; share of the issue's texts found")
    print("  (not counting texts that have the issue for a reason that the topic leaves out, as `unless` says)")
    issues = [_issues(row) for row in rows]
    by_text = [topics_of(row["Text"]) for row in rows]
    by_issue = [topics_of(row["Text"], coded) for row, coded in zip(rows, issues, strict=True)]
    for topic, entry in detailed_vocabulary("topic").items():
        joined = {f"upr-info-issue:{code}" for code in entry.get("issues", ())}
        having = {at for at, topics in enumerate(by_text) if topic in topics}
        coded = {at for at, topics in enumerate(by_issue) if topic in topics and joined & issues[at]}
        line = f"  {topic:38} {len(having):5}"
        if joined:
            line += f"  {_share(len(having & coded), len(having))}  {_share(len(having & coded), len(coded))}"
        print(line)


def _issues(row: Row) -> frozenset[str]:
    return frozenset(canonical_label("upr-info-issue", issue) for issue in _split(row["Issue"]))


def _split(issues: str) -> Iterable[str]:
    return (issue.strip() for issue in issues.split(","))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "  -  "


if __name__ == "__main__":
    main()
