"""A run time asked under limits, and an image tried with what is proposed: on the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.engine import BuildRequest, Session
from imgopt.image import open_image
from imgopt.inspect.image_view import ImageView
from imgopt.results.run_facts import ImageFacts, Memory
from imgopt.run.facts.conditions import Conditions
from imgopt.run.facts.load import Asked
from imgopt.run.facts.runner import Runner
from imgopt.run.tuning.asking import ask
from imgopt.run.tuning.found import find
from imgopt.run.tuning.tune import Limits, tune

pytestmark = pytest.mark.engine

MIB = 1 << 20
DOCKERFILE = """\
FROM eclipse-temurin:17-jdk
WORKDIR /app
COPY Web.java .
RUN javac Web.java
ENV JAVA_OPTS="-Xmx64m"
EXPOSE 8000
CMD ["java", "-cp", "/app", "Web"]
"""
SOURCE = """\
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

public class Web {
    public static void main(String[] words) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(8000), 0);
        server.createContext("/", answer -> {
            answer.sendResponseHeaders(200, 2);
            answer.getResponseBody().write("ok".getBytes());
            answer.close();
        });
        server.start();
    }
}
"""


@pytest.fixture
def image(tmp_path: Path, session: Session, bases: dict[str, str]) -> str:
    (tmp_path / "Web.java").write_text(SOURCE)
    built = session.build(BuildRequest(tmp_path, dockerfile=DOCKERFILE, bases=bases, name="web"))
    assert built.image_id is not None
    return built.image_id


def test_what_it_takes_is_asked_and_what_is_proposed_is_tried(
    session: Session, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgopt.run.tuning.tune._LOAD", Asked(seconds=1.0, workers=2))
    monkeypatch.setattr("imgopt.run.tuning.asking._REPORT_LOAD", Asked(seconds=1.0, workers=2))
    view = ImageView(open_image(image))
    runner = Runner(session, image)
    found = find(view, runner.first.pictures[-1].processes)
    assert found is not None
    taken = {}
    for memory, processors in ((512, 1.0), (1791, 2.0), (2048, 2.0)):
        answer, why_not = ask(runner, found, Conditions(memory * MIB, processors))
        assert answer is not None, why_not
        taken[memory] = (answer.collector, answer.heap_bytes // MIB)
    assert taken == {512: ("Serial", 128), 1791: ("Serial", 448), 2048: ("G1", 512)}
    facts = ImageFacts(
        reference=image,
        memory=Memory(peak_start=80 * MIB),
        environment=view.config.environment,
    )
    tuned = tune(runner, facts, view, Limits(256 * MIB, 1.0))
    rules = {setting.rule: setting for setting in tuned.settings}
    assert set(rules) == {"J1", "J3", "J4", "J6", "J7"}
    assert "JAVA_OPTS is read by nobody" in rules["J1"].message
    before, after = tuned.jvm
    assert (before.with_proposal, after.with_proposal) == (False, True)
    assert before.heap_bytes < after.heap_bytes < 256 * MIB
    assert before.collector == after.collector == "Serial"
    assert [one.survived for one in tuned.tried] == [True, True]
    assert tuned.tried[-1].environment == {rules["J3"].name: rules["J3"].value}
