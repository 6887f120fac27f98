"""What every test can use. Fixtures of one kind live in a module of their own, named here."""

pytest_plugins = ["tests.golden_fixtures", "tests.postgres_fixtures"]
