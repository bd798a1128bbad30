"""Files without tar: in and out of containers and volumes."""
