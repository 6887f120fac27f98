"""One run of a source: find, fetch, read, compare, check, load.

Every stage takes each file one step further and notes it in `ingest_staged`, in one transaction with what the step
does. So a run that was killed goes on where it was, and ends as if nothing had happened:

- `finding`: the adapter says which files there are;
- `fetching`: each is asked for, and kept in the archive;
- `reading`: what is new is read in the sandbox, and the reading kept;
- `comparing`: what loading it would change is tried, in transactions that are rolled back; then `checks` decides;
- `loading`: it is stored, with its changes.

Only the last one writes records.
"""
