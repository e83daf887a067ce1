"""`longtail usage`: what the fleet has used, as a table with bars, JSON, CSV or a Parquet file."""
