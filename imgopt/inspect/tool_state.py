"""State of tools: what a build tool or a run time keeps for itself, which is no file of the application.

Counters, logs, locks and caches that the next start makes again differ between two builds of one source, in contents
and often in name (a day, a digest, a drawn id), so no two images agree in them. They are not compared, also where the
service read them: Node reads its compile cache at every start and works without it. What a start would miss, or have
to fetch again, is data (models, browsers, packages, settings) and not in this table.
"""

from __future__ import annotations

import re
from functools import lru_cache

from imgopt.image.config import ImageConfig
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.started import started_folders

_HOME = r"^/(?:[^/]+/){1,4}(?=\.)"
"""A hidden folder of a home, wherever that is (`HOME=/app`): the names in this table are nothing else's."""
_TMP = r"^/(?:var/)?tmp/"
_TABLE = (
    # go.dev/doc/telemetry: one counter file by program, version and day
    r"/\.config/go/telemetry",
    r"/go/telemetry/local/(?:[^/]+\.count|weekends|upload\.token)",
    _TMP + r"(?:go-build|go-link-|cgo-gcc-input-)[^/]*",
    r"^/go/pkg/(?:mod/cache/lock|sumdb)",
    # nodejs.org/api/module.html#module-compile-cache
    _TMP + r"(?:node-compile-cache|v8-compile-cache-[^/]*)",
    _HOME + r"\.npm/(?:_logs|_update-notifier-last-checked|_cacache/tmp)",
    _HOME + r"(?:\.local/state/pnpm|\.cache/pnpm/metadata[^/]*)",
    _TMP + r"(?:yarn--|xfs-|tsx-|ts-node-|jest_|esbuild-)[^/]*",
    _HOME + r"\.config/(?:nextjs-nodejs|astro|gatsby|checkpoint-nodejs|turborepo|configstore/update-notifier-[^/]*)",
    r"/node_modules/\.(?:vite-temp|vite/deps_temp_[^/]*|tmp)",
    _HOME + r"(?:\.cache/(?:checkpoint-nodejs|turbo)|\.local/share/turborepo)",
    _HOME + r"(?:\.local/state/(?:pip|virtualenv)|\.cache/pip/selfcheck|\.cache/(?:uv|pypoetry)/\.lock)",
    _TMP + r"(?:pip-|uv-)[^/]*",
    _HOME + r"(?:\.conda/environments\.txt|\.cache/conda(?:-anaconda-telemetry)?)",
    r"/conda/pkgs/cache",
    # the Java virtual machine's counters by process, and the notes of its build tools
    _TMP + r"(?:hsperfdata_[^/]*|\.java_pid\d+)",
    _HOME + r"\.java/fonts",
    r"/\.(?:java/\.userPrefs/\.user|java/\.systemPrefs/\.system)[^/]*",
    r"/\.m2/repository/(?:.*/)?(?:resolver-status\.properties|_remote\.repositories|[^/]*\.lastUpdated|\.locks)",
    _HOME + r"\.gradle/(?:daemon|notifications|workers|\.tmp|caches/journal-1|caches/[^/]*\.lock)",
    r"/\.gradle/(?:buildOutputCleanup|vcs-1|file-system\.probe|[^/]*/(?:fileHashes|executionHistory))",
    _HOME + r"(?:\.kotlin/(?:sessions|daemon)|\.redhat)",
    r"/\.?cargo/(?:\.package-cache[^/]*|\.global-cache|registry/CACHEDIR\.TAG)",
    r"/\.?rustup/update-hashes",
    _HOME + r"\.dotnet/(?:[^/]*[Ss]entinel[^/]*|TelemetryStorageService)",
    _HOME + r"(?:\.templateengine|\.local/share/NuGet/(?:http-cache|v3-cache))",
    _TMP + r"(?:NuGetScratch|MSBuildTemp|dotnet-diagnostic-|clr-debug-pipe-)[^/]*",
    _TMP + r"(?:\.dotnet|VBCSCompiler)",
    _TMP + r"(?:\.X[^/]*|\.ICE-unix|\.font-unix|dbus-[^/]*|tmux-[^/]*|\.org\.chromium\.[^/]*|mesa_shader_cache[^/]*)",
    _HOME + r"\.(?:lesshst|viminfo|wget-hsts|bash_history|ash_history|python_history|sqlite_history|node_repl_history)",
    _HOME + r"\.cache/(?:mesa_shader_cache[^/]*|gstreamer-[^/]*|fontconfig)",
    r"^/var/cache/(?:fontconfig|ldconfig)",
)
_STATE = re.compile("|".join(f"(?:{pattern})(?:/|$)" for pattern in _TABLE))
_HERE = ("/tmp/", "/var/tmp/", "/var/cache/", "/go/pkg/")
_IN_IT = ("/.", "/telemetry/", "/cargo/", "/conda/", "/rustup/")
"""Where the table's paths begin, or what they hold: asked first, for an image has hundreds of thousands of files."""


def is_state(side: ImageView, path: str) -> bool:
    """Whether a tool keeps this file for itself, in an image whose author gave that folder to nothing else."""
    path = _as_temporary(side, path)
    if not path.startswith(_HERE) and not any(part in path for part in _IN_IT):
        return False
    return _STATE.search(path) is not None and not path.startswith(_given(side))


def _as_temporary(side: ImageView, path: str) -> str:
    """Below /tmp what lies in the folder that the image has for what is temporary."""
    folder = temporary_folder(side.config)
    return f"/tmp{path.removeprefix(folder)}" if folder and path.startswith(folder + "/") else path


def temporary_folder(config: ImageConfig) -> str:
    """Another place than /tmp that the image's environment has for it; "" for none."""
    folder = config.environment.get("TMPDIR", "").rstrip("/")
    return folder if folder.startswith("/") and folder != "/tmp" else ""


@lru_cache(maxsize=16)
def _given(side: ImageView) -> tuple[str, ...]:
    """Folders in a tool's own that the author gave to something: the start is there, or a variable names it."""
    folders = (*started_folders(side), *named_folders(side.config))
    return tuple(f"{folder}/" for folder in folders if _STATE.search(f"{folder}/"))


def named_folders(config: ImageConfig) -> tuple[str, ...]:
    """Folders that the image's environment names (`NODE_COMPILE_CACHE=/tmp/node-compile-cache`): what was put there
    while building is meant for the run."""
    values = config.environment.values()
    return tuple(value.rstrip("/") for value in values if re.fullmatch(r"/[^:\s]+", value))
