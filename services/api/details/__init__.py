"""What can stand beside a record: the parts that `include=` asks for, one file a noun (docs/api.md, One record)."""
