"""Small programs that use the trading API (capabilities/trading.yaml)."""
