"""The API's budgets: routes and use cases."""
