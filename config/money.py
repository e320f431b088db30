"""How an amount is written. Money is integer pence everywhere else."""


def pounds(pence: int) -> str:
    """`500` → `£5`, `1250` → `£12.50`, `-1250` → `−£12.50`, `120000` → `£1,200`."""
    sign = "−" if pence < 0 else ""
    whole, rest = divmod(abs(pence), 100)
    return f"{sign}£{whole:,}" + (f".{rest:02}" if rest else "")
