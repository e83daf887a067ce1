trigger green { when ego.coolant outside green }
