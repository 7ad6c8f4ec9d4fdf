//! What crosses crates: the architecture's locks, the contract of the ports, and runs end to end on the emulator.
