"""What manifests and configurations say of many images."""

from __future__ import annotations

from imgopt.fleet.scan.model import Blob, Fleet, FleetImage, Placed, Release, Repository


def image(digest: str, *blobs: str, platform: str = "linux/amd64") -> FleetImage:
    return FleetImage(
        digest=digest,
        repository="r/app",
        platform=platform,
        layers=tuple(Placed(blob=blob) for blob in blobs),
    )


FLEET = Fleet(
    images=(image("one", "a", "b"), image("two", "a", "c", "a"), image("arm", "d", platform="arm")),
    blobs={
        "a": Blob(digest="a", wire_bytes=10),
        "b": Blob(digest="b", wire_bytes=1),
        "c": Blob(digest="c", wire_bytes=2),
        "d": Blob(digest="d"),
    },
    repositories=(
        Repository(
            name="r/app",
            releases=(
                Release(tag="1", images=("one", "arm")),
                Release(tag="1.0", images=("one",)),
                Release(tag="2", images=("two", "gone")),
            ),
        ),
    ),
)


def test_a_release_history_has_each_image_once_in_the_order_of_its_tags() -> None:
    assert [one.digest for one in FLEET.series("r/app")] == ["one", "arm", "two"]
    assert [one.digest for one in FLEET.series("r/app", "linux/amd64")] == ["one", "two"]
    assert FLEET.series("r/other") == ()


def test_a_blob_that_an_image_has_twice_is_pulled_once() -> None:
    assert FLEET.wire_bytes(FLEET.by_digest["r/app", "two"]) == 12


def test_where_one_size_is_not_known_there_is_no_sum() -> None:
    assert FLEET.wire_bytes(FLEET.by_digest["r/app", "arm"]) is None
