"""Skill adapters: a catalogue of what agents can learn about the tools of the other adapters."""
