"""The API's costs: what months cost when they were closed, their corrections, and the export as FOCUS."""
