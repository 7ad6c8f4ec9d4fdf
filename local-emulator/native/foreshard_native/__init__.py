"""Runs Lambda functions as processes of this machine, as AWS would run them. Standard library only."""
