"""Measurements that are too long for the tests; docs/EVALUATION.md has their figures."""
