"""The HTTP server of API and gateway: uvicorn with bounds on connections, heads, bodies and answers."""
