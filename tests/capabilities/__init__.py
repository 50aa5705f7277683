"""Tests of the capability files that ship with the project."""
