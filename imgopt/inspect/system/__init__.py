"""The system below the application: loader and shared libraries, users, run times, tables that a
run looks up."""
