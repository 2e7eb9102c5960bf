"""Java: what Maven's plugin of Spring Boot starts."""

from __future__ import annotations

from imgopt.rewrite.language import Language
from imgopt.strategies.ecosystems.java.spring_boot import spring_boot_run

LANGUAGE = Language(launched=spring_boot_run)
