"""What the shop sells; prices in cents."""

GOODS = {"lamp": 4900, "chair": 12900, "rug": 8900}
