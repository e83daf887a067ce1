"""The compiler of the trigger language: one file a stage, from text to typed program."""
