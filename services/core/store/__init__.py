"""The database: tables, one file an aggregate, and the queries that two services need."""
