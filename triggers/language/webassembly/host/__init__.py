"""The host of compiled programs: sections of a module, its manifest, and the machine that runs it."""
