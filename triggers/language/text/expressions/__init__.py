"""Parts of expressions and of their parser: the cursor over tokens, and the forms over lists of objects."""
