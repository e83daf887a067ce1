"""Log-ins of people: who a person at an OpenID provider is here, and the tokens that log-ins give."""
