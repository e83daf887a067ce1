"""The API's backtests over HTTP: routes, use cases, and the threads that run them."""
