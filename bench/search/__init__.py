"""The search of the catalog: skewed catalogs made by a seed, every class of question, checked and timed."""
