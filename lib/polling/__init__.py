"""What polling triggers share: engine time, compact marks, form values, the event ring, positions in logs."""
