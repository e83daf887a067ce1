"""The course of campaigns: stages, halts, who did what, differences of versions, and vehicles; routes and use cases."""
