"""Tables of facts that normalising needs: names, misprints, phrases."""
