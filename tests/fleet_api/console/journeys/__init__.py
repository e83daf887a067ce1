"""Three people do their work in the browser, each from an empty deployment to the result, and then meet a refusal."""
