# `then` needs a rise of A before the rise of B and consumes it; `without` fires when B stayed away.
trigger followed { when a then b within 400 ms }
trigger alone { when a without b within 400 ms }
trigger twice { when count(a then b within 400 ms over 2 s) >= 2 }
