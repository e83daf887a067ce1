"""What the stage is made of: wires, disks and clocks that can be broken, and the witness; with tests of each."""
