"""What is known of expressions and conditions without any data: bounds of numbers, and sets of possible values."""
