"""UPR Info's database of recommendations, from the API of its site (Uwazi)."""
