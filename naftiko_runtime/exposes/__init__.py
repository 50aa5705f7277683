"""One adapter per protocol that a capability can be exposed through."""
