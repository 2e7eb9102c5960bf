"""Compiles the extension beside its source; poetry calls this when it installs or builds the package."""

from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext


def build():
    extension = Extension("nearest._distance", ["nearest/_distance.c"], libraries=["m"], extra_compile_args=["-O2"])
    distribution = Distribution({"name": "nearest-colour", "packages": ["nearest"], "ext_modules": [extension]})
    command = build_ext(distribution)
    command.inplace = True
    command.ensure_finalized()
    command.run()


if __name__ == "__main__":
    build()
