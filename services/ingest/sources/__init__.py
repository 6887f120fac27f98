"""Where UPR documents and facts come from: one folder a source, with its adapter and what is known of the site."""
