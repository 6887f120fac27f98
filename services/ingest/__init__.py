"""The ingest service: finds, fetches and reads UPR documents and normalises them into records."""
