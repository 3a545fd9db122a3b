"""Algorithms, their versions and their executions."""
