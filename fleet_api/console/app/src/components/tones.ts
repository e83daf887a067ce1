// Tones of what is shown: a colour that repeats what a word says already.
export type Tone = "neutral" | "good" | "warning" | "bad";
