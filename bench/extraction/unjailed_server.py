"""The fork server of extraction without its jail, to tell what the jail costs."""

from __future__ import annotations

from ingest.extraction.sandbox.fork_server import extract_in, serve

if __name__ == "__main__":
    import ingest.extraction.extract  # noqa: F401 - as the real server does
    from ingest.extraction.sandbox.warm_up import warm_up

    warm_up()
    serve(extract_in, jailed=False)
