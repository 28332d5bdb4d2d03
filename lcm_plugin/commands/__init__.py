"""The commands, each in a file of its name, and what all of them share."""
