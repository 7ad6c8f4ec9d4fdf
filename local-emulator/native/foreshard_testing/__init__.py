"""What the tests of both emulators' hosts share: a function that does as it is told, and looks at the machine."""
