"""Measures the runtime against peers on one machine; only ratios taken in one run count."""
