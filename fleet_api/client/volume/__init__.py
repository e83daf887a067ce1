"""Upload volume: budgets, usage, and where clips and fires are on their way."""
