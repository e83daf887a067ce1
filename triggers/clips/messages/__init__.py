"""The messages in a clip's channels, as protobuf: samples of signals, samples of lists of objects, and pictures."""
