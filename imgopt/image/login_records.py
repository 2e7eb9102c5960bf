"""Records of logins, one of fixed size for each number of a user: as long as the largest number
says, and nearly all holes, which the archives of layers write out as zeros.

Sources: shadow's src/useradd.c (lastlog_reset, faillog_reset), moby/moby#5419, hadolint DL3046.
"""

from __future__ import annotations

LOGIN_RECORDS = frozenset(["/var/log/lastlog", "/var/log/faillog", "/var/log/tallylog"])
ADVICE = (
    "useradd --no-log-init makes an account without its record of logins; or empty the file in the"
    " RUN that makes the account"
)
