"""Names that programs import from the original's tests: `cntk.tests.test_utils`. The project's own
tests are elsewhere.
"""
