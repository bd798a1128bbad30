"""Short forms for snapshots, which must stay small."""
