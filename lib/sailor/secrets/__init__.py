"""Finds secrets, which no log line, error or header may show, and masks them."""
