"""Our own small framework: units of work, background tasks, HTTP manners, logs."""
