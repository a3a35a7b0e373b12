"""What does a login cost?  ``python tests/benchmarks`` measures it."""
