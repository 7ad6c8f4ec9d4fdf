"""Starts MiniStack as Foreshard needs it: on this machine only, native Lambda functions, memory limits that hold."""
