"""The API's pages for people: a page for every record at its permalink, and the first page of the host."""
