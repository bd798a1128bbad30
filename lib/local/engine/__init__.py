"""Which engine the local runner works, in the order of the docker command line, and the logins of that command line."""
