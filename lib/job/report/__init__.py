"""ReportEngine: what is on an engine, what is worth a look, and what has changed since an earlier report."""
