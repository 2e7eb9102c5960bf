"""Packages of an image: installed, named by the author or by a setting, for development or a build
only."""
