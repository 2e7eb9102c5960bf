"""The shapes of facts about ecosystems, by theme; `imgopt.context.ecosystems` reads them."""
