"""HTTP code shared by the API and the gateway: problem documents, CORS, query and body checks."""
