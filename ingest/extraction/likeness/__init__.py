"""The stage behind extraction that writes the vectors of clips, and marks near duplicates"""
