"""What the OpenAPI document tells a developer to begin with, and what its parts are about."""

TAGS = {
    "recommendations": "What one State recommended to another, and what it answered. The heart of the data.",
    "reviews": "One State's review in one cycle: dates, troika, documents.",
    "states": "Members and observers of the United Nations, with their regional group and blocs.",
    "documents": "Sources: reports, addenda, decisions, letters, with their files and paragraphs.",
    "pledges": "Voluntary pledges and commitments.",
    "observations": "Recommendations and concerns of other human rights mechanisms.",
    "hearings": "Meetings where records were made.",
    "statements": "What one speaker said or wrote on one occasion.",
    "organisations": "Coalitions, institutions and bodies that take part in reviews.",
    "labels": "The vocabularies: topics, themes, issues, goals, groups of persons, actions, instruments.",
    "topics": "What people ask for, whatever the vocabularies call it.",
    "dossiers": "All that is held of one State on one topic, cycle by cycle; also as a Word document.",
    "statistics": "Counts by up to three dimensions; each is the total of a list.",
    "exports": "Whole filtered lists as files: CSV, NDJSON, workbooks.",
    "matrix": "The matrix of a review that States and coalitions plan with.",
    "citations": "Records as references for papers.",
    "changes": "The feed: everything that happened to every record, in commit order, without gaps.",
    "feeds": "The latest changes as Atom and JSON Feed.",
    "calendars": "Dates of reviews, adoptions and reports as iCalendar.",
    "saved searches": "Searches under a name, to be followed by feeds and webhooks. Needs a key.",
    "webhooks": "Addresses that are told of changes. Needs a key.",
    "keys": "Who may do more than read. Needs a key with the scope `admin`.",
}
"""Subjects of the operations, in the order in which to show them."""

DESCRIPTION = """\
Recommendations of the Universal Periodic Review, the UN Human Rights Council's review of every State's human rights
record, with what each State answered: as JSON, for anyone, from any web page, without a key.

### Begin

```
curl 'http://127.0.0.1:8000/v1/recommendations?state_under_review=PER&topic=torture-prevention&position=noted'
curl 'http://127.0.0.1:8000/v1/recommendations/PER-2-116.17?lang=es'
curl 'http://127.0.0.1:8000/v1/statistics/recommendations?group_by=topic,position&recommending_state=ESP'
```

* **Lists** take filters (repeat one for OR, up to 200 values; different ones are AND), `limit`, `sort` and `lang`. A
  misspelt filter is an error, never a wider result. `total` is exact. Follow `page.next` until it is null.
* **Ids** are what people write: `PER-2` is Peru's second review, `PER-2-116.17` the recommendation with that number.
  A recommendation's former id answers 308, the id of a removed record 410.
* **Copies:** read a list, keep the `dataset.cursor` of its first page, then read `/v1/changes?after={cursor}`: nothing
  is missed. Or let a webhook tell you.
* **Exports:** `.csv`, `.ndjson` or `.xlsx` behind a noun is the whole filtered list as a file.
* **Citing:** quote `dataset.version` beside a count; at equal versions counts are equal.

### Errors

Every error is a problem document (RFC 9457, `application/problem+json`). Branch on its `code`; `parameter`, or
`errors[].parameter` and `errors[].pointer`, name the fault; the address in `type` explains the kind. A path that exists
answers a method that it does not take with 405 and `Allow`.

### Manners

Answers carry an `ETag`: send it back in `If-None-Match` and get 304 where nothing changed. `RateLimit` says how many
requests are left; beyond that comes 429 with `Retry-After`. `HEAD` works wherever `GET` does. `X-Request-Id` names a
request in our logs.

Enumerations list what this version knows. Read them tolerantly: vocabularies grow, and so do types of changes.
"""
