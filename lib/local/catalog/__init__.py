"""What the component offers, for the commands list and describe."""
