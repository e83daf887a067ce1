"""The HTTP API, the Python client, the command line, deployment, simulation and demo: where all parts meet."""
