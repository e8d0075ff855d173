"""The history: tables, migrations and the one repository that queries them."""
