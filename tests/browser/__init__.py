"""Pages as people meet them: in a browser, over the services that run (`make test-pages`)."""
