"""The catalog as STAC 1.1 in the API: what a search asks for, and the answers (https://stacspec.org)."""
