"""Exports of a dataset's version to a folder: streamed, checked by hash, and gone on with where they were cut off"""
