"""Alembic migrations of the one PostgreSQL schema."""
