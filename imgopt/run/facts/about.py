"""What is known of an image without running it."""

from __future__ import annotations

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.redact import is_secret_name
from imgopt.results.run_facts import ImageFacts
from imgopt.run.facts.programs import accelerator_bytes
from imgopt.run.facts.runner import Runner


def about(runner: Runner, view: ImageView, name: str, reference: str) -> ImageFacts:
    """Its configuration, its size, and what it was given for the runs. `reference` is the name that
    a reader knows it by."""
    config, given = view.config, runner.settings
    service = given.beside.service if given.beside is not None else None
    environment = config.environment.items()
    return ImageFacts(
        name=name,
        reference=reference,
        image_id=view.image.digest,
        platform=config.platform,
        entrypoint=list((service.entrypoint if service else None) or config.entrypoint or ()),
        command=list(given.command or (service.command if service else None) or config.cmd or ()),
        workdir=view.workdir,
        environment={key: value for key, value in environment if not is_secret_name(key)},
        given_environment=sorted(given.environment()),
        stop_signal=config.stop_signal or "",
        volumes=sorted(config.volumes or ()),
        cuda_bytes=accelerator_bytes(view),
        unpacked_bytes=live_bytes(view),
    )


def live_bytes(view: ImageView) -> int:
    """Of the files of its final tree; one with several names counts once."""
    return sum({id(node.inode): node.size for node in view.tree.files()}.values())
