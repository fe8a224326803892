"""What ragstone is for: answering, conversing, writing, and keeping a corpus in step with files."""
