from __future__ import annotations

from imgopt.run.facts.reaches import busier, hosts, packets

TABLE = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
    lo:  900       9    0    0    0     0          0         0      900       9
  eth0: 1042      13    0    0    0     0          0         0      906      11
"""


def test_packets_of_the_loopback_do_not_count() -> None:
    assert packets(TABLE) == 13
    assert packets("") == 0


def test_a_companion_that_is_asked_each_time_is_reached() -> None:
    assert busier({"db": 10}, {"db": 10}, {"db": 15}, 1.0) == ["db"]


def test_a_question_in_between_is_no_part_of_it() -> None:
    assert busier({"db": 10}, {"db": 10}, {"db": 13}, 1.0) == []


def test_what_it_gets_anyway_is_taken_off() -> None:
    assert busier({"queue": 0}, {"queue": 20}, {"queue": 45}, 1.2) == []
    assert busier({"queue": 0}, {"queue": 20}, {"queue": 60}, 1.2) == ["queue"]


def test_names_that_a_resolver_makes_are_left_out() -> None:
    asked = {"api.example.org", "api.example.org.lan", "cache", "1.0.17.172.in-addr.arpa"}
    assert hosts(asked) == ["api.example.org", "cache"]
