let three = 3

trigger a { when prev(three) > 2 }
