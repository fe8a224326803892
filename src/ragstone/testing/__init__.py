"""Public doubles and contract suites, for plug-in authors and for ragstone's own tests."""
