"""Who is a party to which human rights treaty."""
