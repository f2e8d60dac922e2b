"""Measure the operator on real control planes, against targets and against a raw writer: ``python -m tests.bench``."""
