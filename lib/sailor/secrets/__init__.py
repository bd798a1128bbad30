"""What must appear in no log, error or header, and how it is kept out of them."""
