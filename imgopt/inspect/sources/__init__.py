"""What the sources of an application name, on paths that no probe takes: modules, programs,
accounts, places, routes."""
