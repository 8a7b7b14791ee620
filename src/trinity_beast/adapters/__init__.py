"""The rented world and the machine, one package each, behind the ports."""
