"""The sum of all prices."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from shop.goods import GOODS

print(f"{len(GOODS)} goods, {sum(GOODS.values()) / 100:.2f} in all")
