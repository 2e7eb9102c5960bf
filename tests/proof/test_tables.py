"""Which sources look a table up, so that it may not be lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.checks.tables import check_tables

PORTS = {
    "no name is asked": ("/app/main.go", "port := 389 // ldap\n", False),
    "a function of another name": ("/app/main.go", "p.LookupPorts()\n", False),
    "Go": ("/app/main.go", 'p, err := net.LookupPort("tcp", "ldap")\n', True),
    "Node.js": ("/app/main.js", "dns.lookupService(host, 389, done)\n", True),
    "Python": ("/app/main.py", "socket.getservbyname('ldap')\n", True),
    "C": ("/app/main.c", 'getservbyport(htons(389), "tcp");\n', True),
}


@pytest.mark.parametrize(("path", "source", "missed"), PORTS.values(), ids=PORTS)
def test_names_of_ports_are_missed_where_a_source_asks_for_one(
    path: str, source: str, missed: bool, view_of: Callable[..., ImageView]
) -> None:
    own = {path.lstrip("/"): source}
    config = {"WorkingDir": "/app", "Cmd": ["./server"]}
    before, after = (
        view_of(Recipe((("ADD rootfs /", base), ("COPY . .", own)), config), 1)
        for base in ({"etc/services": "ldap 389/tcp\n"}, {"etc/passwd": ""})
    )
    assert bool(check_tables(before, after, Allowances()).items) is missed
