"""Log-in for the command line: the API's part of it, and where its tokens are kept on this machine."""
