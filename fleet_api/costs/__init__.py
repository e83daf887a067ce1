"""The API's costs: price books, what months cost when they were closed, corrections, the export as FOCUS"""
