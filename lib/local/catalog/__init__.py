"""The triggers and actions of a component, for the commands list and describe."""
