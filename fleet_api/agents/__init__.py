"""The server of tools for language models (Model Context Protocol): what models outside may ask."""
