"""HTTP calls to services beside the step: which hosts may be asked, and every read bounded."""
